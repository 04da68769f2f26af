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

from modiste.latent.optimal_transport import crowding
from modiste.search.index import LatentIndex
from modiste.shop.cluster_transfer import Ways
from modiste.storage.array_files import UNREADABLE, open_arrays, save_arrays
from modiste.storage.locks import in_turn
from modiste.storage.refusals import disk_errors

HELD_BACK = (
    0.7  # of their crowding is taken off: all of it costs colour, and hardly brings more products to light
)
CROWD = 10  # the best of those designs that count, for each product
KEPT = 16_000_000  # numbers of crowding held, 64 MB: the least recently used go
THREADS = 4  # that measure beforehand, where there are as many processors
LABEL, SCHEMA = "crowds.json", 1

Measure = tuple[str, str, float]
"""A method, a metric and a tau; the likelihood has no metric, and what is no likelihood no tau."""
Key = tuple[int, int, Measure]


def measure_of(method: str, metric: str, tau: float) -> Measure:
    """By what a question measures nearness."""
    return (method, "", tau) if method == "likelihood" else (method, metric, 0.0)


def usual(tau: float) -> list[Measure]:
    """What most questions to a shop measure by, whose own tau that is: crowding by these is measured beforehand."""
    return [measure_of("likelihood", "", tau)]


class Crowds:
    """What to take off the nearness of some products, for designs of each other cluster."""

    def __init__(
        self,
        index: LatentIndex,
        assignments: NDArray[np.intp],
        ways: Ways,
        known: Mapping[Measure, NDArray[np.float32]] | None = None,
    ) -> None:
        """Of products with the clusters `assignments` `(N,)`, rows as in the index.

        `known` is what `all_of` gave before, `(k, N)` by measure.
        """
        self._index = index
        self._assignments = assignments
        self._ways = ways
        self._known = known or {}
        self._held: dict[Key, NDArray[np.float32]] = {}
        self._lock = Lock()

    def less(self, own: int, other: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """What to take off the nearness of each product of cluster `other`, `(N,)` (0 for all other products).

        Measured on designs of cluster `own`, carried over: see `latent.transport.crowding`. Kept for the next question.
        """
        measure = measure_of(method, metric, tau)
        rows = self._members(other)
        less = np.zeros(len(self._assignments), np.float32)
        known = self._known.get(measure)
        less[rows] = self._remembered((own, other, measure)) if known is None else known[own][rows]
        return less

    def all_of(self, measure: Measure, threads: int = 1) -> NDArray[np.float32]:
        """What to take off the nearness of each product for designs of each of `k` clusters, `(k, N)`.

        That of a product for designs of its own cluster is 0. Takes k times as long as the first question.
        """
        clusters = range(self._ways.count)
        less = np.zeros((len(clusters), len(self._assignments)), np.float32)

        def fill(pair: tuple[int, int]) -> None:
            own, other = pair
            less[own, self._members(other)] = self._measured(own, other, *measure)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, [(own, other) for own in clusters for other in clusters if own != other]))
        return less

    def _remembered(self, key: Key) -> NDArray[np.float32]:
        with self._lock:
            held = self._held.pop(key, None)
        if held is None:
            held = self._measured(*key[:2], *key[2])
        with self._lock:
            self._held[key] = held  # last: the most recently used
            while len(self._held) > 1 and sum(map(len, self._held.values())) > KEPT:
                del self._held[next(iter(self._held))]
        return held

    def _measured(self, own: int, other: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """The same for the products of cluster `other` alone, in the order of their rows."""
        less = np.zeros(len(self._assignments), np.float32)
        asking, rows = self._ways.designs(own, method), self._members(other)
        if len(asking) and len(rows):
            moved = self._ways.moved(asking, own, other, "transport", method)
            for block, nearness in self._index.nearness(moved, method, metric, tau, other):
                less[block] = HELD_BACK * crowding(nearness, CROWD)
        return less[rows]

    def _members(self, cluster: int) -> NDArray[np.intp]:
        held = self._rows.get(cluster)
        if held is None:
            held = self._rows[cluster] = np.flatnonzero(self._assignments == cluster)
        return held

    @cached_property
    def _rows(self) -> dict[int, NDArray[np.intp]]:
        """The rows of each cluster's products."""
        return {}


def measured_once(
    crowds: Crowds, measures: Sequence[Measure], directory: Path, made_from: str
) -> dict[Measure, NDArray[np.float32]]:
    """What to take off by some measures, `(k, N)` each, mapped from `directory`; measured, where it is not there yet.

    Of several processes that ask one measures, and the others wait for it. Raises StorageError.
    """
    names = tuple(str(number) for number in range(len(measures)))
    about = {"schema": SCHEMA, "made_from": made_from, "measures": [list(each) for each in measures]}
    with in_turn(directory.parent):
        try:
            held = open_arrays(directory, LABEL, about, names)[1]
        except UNREADABLE:
            threads = min(THREADS, os.cpu_count() or 1)
            found = {name: crowds.all_of(each, threads) for name, each in zip(names, measures, strict=True)}
            with disk_errors(f"Writing {directory}"):
                save_arrays(directory, LABEL, about, found)
            held = open_arrays(directory, LABEL, about, names)[1]
    return {each: held[name] for name, each in zip(names, measures, strict=True)}
