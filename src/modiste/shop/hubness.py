"""Crowds: which products lie near everyone's designs, measured beforehand or when first asked for, and kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from modiste.latent.optimal_transport import hub_score
from modiste.search.index import LatentIndex
from modiste.shop.cluster_transfer import ClusterTransfer
from modiste.storage.array_files import READ_ERRORS, open_arrays, save_arrays
from modiste.storage.locks import wait_for_lock
from modiste.storage.refusals import storage_errors

STRENGTH = (
    0.7  # of their crowding is taken off: all of it costs colour, and hardly brings more products to light
)
TOP_DESIGNS = 10  # the best of those designs that count, for each product
MAX_CACHED_VALUES = 16_000_000  # numbers of crowding held, 64 MB: the least recently used go
MAX_THREADS = 4  # that measure beforehand, where there are as many processors
META_FILE, SCHEMA = "crowds.json", 1

ScoringKey = tuple[str, str, float]
"""A method, a metric and a tau; the likelihood has no metric, and what is no likelihood no tau."""
PenaltyKey = tuple[int, int, ScoringKey]


def scoring_key(method: str, metric: str, tau: float) -> ScoringKey:
    """By what a question measures nearness."""
    return (method, "", tau) if method == "likelihood" else (method, metric, 0.0)


def default_scorings(tau: float) -> list[ScoringKey]:
    """What most questions to a shop measure by, whose own tau that is: crowding by these is measured beforehand."""
    return [scoring_key("likelihood", "", tau)]


class HubPenalty:
    """What to take off the nearness of some products, for designs of each other cluster."""

    def __init__(
        self,
        index: LatentIndex,
        assignments: NDArray[np.intp],
        transfer: ClusterTransfer,
        precomputed: Mapping[ScoringKey, NDArray[np.float32]] | None = None,
    ) -> None:
        """Of products with the clusters `assignments` `(N,)`, rows as in the index.

        `known` is what `all_of` gave before, `(k, N)` by measure.
        """
        self._index = index
        self._assignments = assignments
        self._transfer = transfer
        self._precomputed = precomputed or {}
        self._cache: dict[PenaltyKey, NDArray[np.float32]] = {}
        self._lock = Lock()

    def penalty(self, source: int, target: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """What to take off the nearness of each product of cluster `other`, `(N,)` (0 for all other products).

        Measured on designs of cluster `own`, carried over: see `latent.transport.crowding`. Kept for the next question.
        """
        measure = scoring_key(method, metric, tau)
        rows = self._rows_of(target)
        less = np.zeros(len(self._assignments), np.float32)
        known = self._precomputed.get(measure)
        less[rows] = self._cached((source, target, measure)) if known is None else known[source][rows]
        return less

    def penalties(self, scoring: ScoringKey, threads: int = 1) -> NDArray[np.float32]:
        """What to take off the nearness of each product for designs of each of `k` clusters, `(k, N)`.

        That of a product for designs of its own cluster is 0. Takes k times as long as the first question.
        """
        clusters = range(self._transfer.cluster_count)
        less = np.zeros((len(clusters), len(self._assignments)), np.float32)

        def fill(pair: tuple[int, int]) -> None:
            own, other = pair
            less[own, self._rows_of(other)] = self._measure(own, other, *scoring)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, [(own, other) for own in clusters for other in clusters if own != other]))
        return less

    def _cached(self, key: PenaltyKey) -> NDArray[np.float32]:
        with self._lock:
            held = self._cache.pop(key, None)
        if held is None:
            held = self._measure(*key[:2], *key[2])
        with self._lock:
            self._cache[key] = held  # last: the most recently used
            while len(self._cache) > 1 and sum(map(len, self._cache.values())) > MAX_CACHED_VALUES:
                del self._cache[next(iter(self._cache))]
        return held

    def _measure(self, source: int, target: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """The same for the products of cluster `other` alone, in the order of their rows."""
        less = np.zeros(len(self._assignments), np.float32)
        asking, rows = self._transfer.designs(source, method), self._rows_of(target)
        if len(asking) and len(rows):
            moved = self._transfer.transfer(asking, source, target, "transport", method)
            for block, nearness in self._index.cluster_nearness(moved, method, metric, tau, target):
                less[block] = STRENGTH * hub_score(nearness, TOP_DESIGNS)
        return less[rows]

    def _rows_of(self, cluster: int) -> NDArray[np.intp]:
        held = self._rows_by_cluster.get(cluster)
        if held is None:
            held = self._rows_by_cluster[cluster] = np.flatnonzero(self._assignments == cluster)
        return held

    @cached_property
    def _rows_by_cluster(self) -> dict[int, NDArray[np.intp]]:
        """The rows of each cluster's products."""
        return {}


def cached_penalties(
    hub_penalty: HubPenalty, scorings: Sequence[ScoringKey], directory: Path, fingerprint: str
) -> dict[ScoringKey, NDArray[np.float32]]:
    """What to take off by some measures, `(k, N)` each, mapped from `directory`; measured, where it is not there yet.

    Of several processes that ask one measures, and the others wait for it. Raises StorageError.
    """
    names = tuple(str(number) for number in range(len(scorings)))
    about = {"schema": SCHEMA, "made_from": fingerprint, "measures": [list(each) for each in scorings]}
    with wait_for_lock(directory.parent):
        try:
            held = open_arrays(directory, META_FILE, about, names)[1]
        except READ_ERRORS:
            threads = min(MAX_THREADS, os.cpu_count() or 1)
            found = {
                name: hub_penalty.penalties(each, threads) for name, each in zip(names, scorings, strict=True)
            }
            with storage_errors(f"Writing {directory}"):
                save_arrays(directory, META_FILE, about, found)
            held = open_arrays(directory, META_FILE, about, names)[1]
    return {each: held[name] for name, each in zip(names, scorings, strict=True)}
