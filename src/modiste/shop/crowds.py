"""Crowds: which products lie near everyone's designs, measured when first asked for, and kept."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from modiste.latent.transport import crowding
from modiste.search.index import LatentIndex
from modiste.shop.ways import Ways

HELD_BACK = (
    0.7  # of their crowding is taken off: all of it costs colour, and hardly brings more products to light
)
CROWD = 10  # the best of those designs that count, for each product
KEPT = 16_000_000  # numbers of crowding held, 64 MB: the least recently used go

Key = tuple[int, int, str, str, float]


class Crowds:
    """What to take off the nearness of some products, for designs of each other cluster."""

    def __init__(self, index: LatentIndex, assignments: NDArray[np.intp], ways: Ways) -> None:
        """Of products with the clusters `assignments` `(N,)`, rows as in the index."""
        self._index = index
        self._assignments = assignments
        self._ways = ways
        self._held: dict[Key, NDArray[np.float32]] = {}
        self._lock = Lock()

    def less(self, own: int, other: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """What to take off the nearness of each product of cluster `other`, `(N,)` (0 for all other products).

        Measured on designs of cluster `own`, carried over: see `latent.transport.crowding`. Kept for the next question.
        """
        likelihood = method == "likelihood"
        key = (own, other, method, "" if likelihood else metric, tau if likelihood else 0.0)
        rows = self._members(other)
        with self._lock:
            held = self._held.pop(key, None)
        if held is None:
            held = self._measured(own, other, method, metric, tau)
        with self._lock:
            self._held[key] = held  # last: the most recently used
            while len(self._held) > 1 and sum(map(len, self._held.values())) > KEPT:
                del self._held[next(iter(self._held))]
        less = np.zeros(len(self._assignments), np.float32)
        less[rows] = held
        return less

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
