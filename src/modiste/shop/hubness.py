"""Hub penalties: products that are near to designs of every kind are ranked lower in recommendations."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from modiste.latent.hub_score import hub_score
from modiste.search.index import LatentIndex
from modiste.shop.cluster_transfer import ClusterTransfer
from modiste.storage.array_files import READ_ERRORS, open_arrays, save_arrays
from modiste.storage.error_translation import storage_errors
from modiste.storage.locks import wait_for_lock

# The share of the hub score that is subtracted. All of it makes colours fit worse, and hardly shows more products.
STRENGTH = 0.7
TOP_DESIGNS = 10  # designs that count towards the hub score of a product: the nearest
MAX_CACHED_VALUES = 16_000_000  # 64 MB; the least recently used are dropped
MAX_THREADS = 4  # for `cached_penalties`
META_FILE, SCHEMA = "hub-penalties.json", 1

ScoringKey = tuple[str, str, float]
"""Method, metric and τ; the likelihood has no metric, and the other methods have no τ."""
PenaltyKey = tuple[int, int, ScoringKey]


def scoring_key(method: str, metric: str, tau: float) -> ScoringKey:
    """Return the key of a scoring, without the parameters that its method ignores."""
    return (method, "", tau) if method == "likelihood" else (method, metric, 0.0)


def default_scorings(tau: float) -> list[ScoringKey]:
    """Return the scorings whose penalties are computed in advance, for a shop with this τ."""
    return [scoring_key("likelihood", "", tau)]


class HubPenalty:
    """Computes and caches the hub penalties of some products."""

    def __init__(
        self,
        index: LatentIndex,
        assignments: NDArray[np.intp],
        transfer: ClusterTransfer,
        precomputed: Mapping[ScoringKey, NDArray[np.float32]] | None = None,
    ) -> None:
        """Create it for the `N` products of an index, with their clusters `(N,)`.

        `precomputed` is what `penalties` returned, `(k, N)` by scoring.
        """
        self._index = index
        self._assignments = assignments
        self._transfer = transfer
        self._precomputed = precomputed or {}
        self._cache: dict[PenaltyKey, NDArray[np.float32]] = {}
        self._rows_by_cluster: dict[int, NDArray[np.intp]] = {}
        self._lock = Lock()

    def penalty(self, source: int, target: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """Return what to subtract from the nearness of each product of cluster `target`, `(N,)`; 0 for other products.

        It is measured on designs of cluster `source`, moved to `target`; see `latent.hub_score.hub_score`. The result
        is cached.
        """
        scoring, rows = scoring_key(method, metric, tau), self._rows_of(target)
        penalty = np.zeros(len(self._assignments), np.float32)
        computed = self._precomputed.get(scoring)
        penalty[rows] = self._cached((source, target, scoring)) if computed is None else computed[source][rows]
        return penalty

    def penalties(self, scoring: ScoringKey, threads: int = 1) -> NDArray[np.float32]:
        """Return the penalty of each product for designs of each of `k` clusters, `(k, N)`; 0 for its own cluster."""
        clusters = range(self._transfer.cluster_count)
        penalties = np.zeros((len(clusters), len(self._assignments)), np.float32)

        def fill(pair: tuple[int, int]) -> None:
            source, target = pair
            penalties[source, self._rows_of(target)] = self._measure(source, target, *scoring)

        pairs = [(source, target) for source in clusters for target in clusters if source != target]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, pairs))
        return penalties

    def _cached(self, key: PenaltyKey) -> NDArray[np.float32]:
        with self._lock:
            penalty = self._cache.pop(key, None)
        if penalty is None:
            penalty = self._measure(*key[:2], *key[2])
        with self._lock:
            self._cache[key] = penalty  # last: the most recently used
            while len(self._cache) > 1 and sum(map(len, self._cache.values())) > MAX_CACHED_VALUES:
                del self._cache[next(iter(self._cache))]
        return penalty

    def _measure(self, source: int, target: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """Return the penalties of the products of cluster `target` only, in the order of their rows."""
        penalty = np.zeros(len(self._assignments), np.float32)
        designs, rows = self._transfer.designs(source, method), self._rows_of(target)
        if len(designs) and len(rows):
            moved = self._transfer.transfer(designs, source, target, "transport", method)
            for block, nearness in self._index.cluster_nearness(moved, method, metric, tau, target):
                penalty[block] = STRENGTH * hub_score(nearness, TOP_DESIGNS)
        return penalty[rows]

    def _rows_of(self, cluster: int) -> NDArray[np.intp]:
        rows = self._rows_by_cluster.get(cluster)
        if rows is None:
            rows = self._rows_by_cluster[cluster] = np.flatnonzero(self._assignments == cluster)
        return rows


def cached_penalties(
    hub_penalty: HubPenalty, scorings: Sequence[ScoringKey], directory: Path, fingerprint: str
) -> dict[ScoringKey, NDArray[np.float32]]:
    """Return the penalties of some scorings, `(k, N)` each, memory-mapped from files in `directory`.

    If the files are missing, one process computes them, and others that ask meanwhile wait. Raises StorageError.
    """
    names = tuple(str(number) for number in range(len(scorings)))
    metadata = {"schema": SCHEMA, "made_from": fingerprint, "measures": [list(each) for each in scorings]}
    with wait_for_lock(directory.parent):
        try:
            arrays = open_arrays(directory, META_FILE, metadata, names)[1]
        except READ_ERRORS:
            threads = min(MAX_THREADS, os.cpu_count() or 1)
            computed = {name: hub_penalty.penalties(each, threads) for name, each in zip(names, scorings, strict=True)}
            with storage_errors(f"Writing {directory}"):
                save_arrays(directory, META_FILE, metadata, computed)
            arrays = open_arrays(directory, META_FILE, metadata, names)[1]
    return {each: arrays[name] for name, each in zip(names, scorings, strict=True)}
