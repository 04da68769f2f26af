"""Ways from a cluster to another: where a design would lie there, and which products lie near everyone's."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption
from modiste.latent.arithmetic import shift
from modiste.latent.clusters import Clusters
from modiste.latent.transport import Moments, crowding, transport
from modiste.search.index import METHODS, LatentIndex
from modiste.shop.sampling import sample_rows

WAYS = ("transport", "shift")
NEARNESS = "likelihood"  # where a recommendation's method names a way alone
DESIGNS = 1000  # of a cluster, from which crowding is measured
HELD_BACK = (
    0.7  # of their crowding is taken off: all of it costs colour, and hardly brings more products to light
)
CROWD = 10  # the best of those designs that count, for each product
KEPT = 16_000_000  # numbers of crowding held, 64 MB: the least recently used go

Key = tuple[int, int, str, str, float]


def read_method(method: str) -> tuple[str, str]:
    """(way, nearness) of a recommendation's method: a way, a nearness, or both as "shift:mean".

    Raises:
        BadOption: it names something else.
    """
    way, nearness = WAYS[0], NEARNESS
    parts = method.split(":")
    for part in parts:
        if part in WAYS:
            way = part
        elif part in METHODS:
            nearness = part
    known = [part in WAYS for part in parts], [part in METHODS for part in parts]
    if len(parts) > 2 or not all(a or b for a, b in zip(*known, strict=True)) or max(map(sum, known)) > 1:
        raise BadOption(
            f"No method {method!r}.",
            remedy=f"Choose one of {', '.join(WAYS)}, one of {', '.join(METHODS)}, or both as {WAYS[1]}:{METHODS[2]}.",
        )
    return way, nearness


class Ways:
    """Moves codes between the clusters of a shop: by the paper's shift of centres, or by optimal transport."""

    def __init__(
        self,
        index: LatentIndex,
        clusters: Clusters,
        assignments: NDArray[np.intp],
        mean: NDArray[np.float32],
        code: NDArray[np.float32],
    ) -> None:
        """Of all products, rows as in the index: clusters `assignments` `(N,)`; `mean` and `code`, `(N, n)` each."""
        self._index = index
        self._clusters = clusters
        self._assignments = assignments
        self._points = {"likelihood": mean, "mean": mean, "fixed-epsilon": code}
        self._maps: dict[tuple[int, int, bool], NDArray[np.float64]] = {}
        self._crowding: dict[Key, NDArray[np.float32]] = {}
        self._lock = Lock()

    @cached_property
    def _moments(self) -> dict[str, Moments]:
        """Of what each nearness compares designs with: codes and means of the same products lie a little apart."""
        k = len(self._clusters)
        of_mean = Moments.of(self._points["mean"], self._assignments, k)
        of_code = Moments.of(self._points["fixed-epsilon"], self._assignments, k)
        return {"likelihood": of_mean, "mean": of_mean, "fixed-epsilon": of_code}

    def moved(
        self, codes: NDArray[np.float32], own: int, other: int, way: str, nearness: str
    ) -> NDArray[np.float32]:
        """Where codes of cluster `own` would lie in cluster `other`, shaped as they are, `(n,)` or `(b, n)`."""
        if way == "shift":
            return shift(codes, self._clusters.centres[own], self._clusters.centres[other])
        moments = self._moments[nearness]
        return transport(codes, self._map(own, other, nearness), moments.centres[own], moments.centres[other])

    def _map(self, own: int, other: int, nearness: str) -> NDArray[np.float64]:
        key = (own, other, nearness == "fixed-epsilon")
        held = self._maps.get(key)
        if held is None:
            held = self._maps[key] = self._moments[nearness].transport(own, other)
        return held

    def crowding(self, own: int, other: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """What to take off the nearness of each product of cluster `other`, `(N,)` (0 for all other products).

        Measured on designs of cluster `own`, carried over: see `latent.transport.crowding`. Kept for the next question.
        """
        likelihood = method == "likelihood"
        key = (own, other, method, "" if likelihood else metric, tau if likelihood else 0.0)
        rows = self._members[other]
        with self._lock:
            held = self._crowding.pop(key, None)
        if held is None:
            held = self._measured(own, other, method, metric, tau)
        with self._lock:
            self._crowding[key] = held  # last: the most recently used
            while len(self._crowding) > 1 and sum(map(len, self._crowding.values())) > KEPT:
                del self._crowding[next(iter(self._crowding))]
        less = np.zeros(len(self._assignments), np.float32)
        less[rows] = held
        return less

    def _measured(self, own: int, other: int, method: str, metric: str, tau: float) -> NDArray[np.float32]:
        """The same for the products of cluster `other` alone, in the order of their rows."""
        asking = self._members[own]
        less = np.zeros(len(self._assignments), np.float32)
        if len(asking) and len(self._members[other]):
            asking = asking[sample_rows(len(asking), DESIGNS, 0)]
            moved = self.moved(self._points[method][asking], own, other, "transport", method)
            for block, nearness in self._index.nearness(moved, method, metric, tau, other):
                less[block] = HELD_BACK * crowding(nearness, CROWD)
        return less[self._members[other]]

    @cached_property
    def _members(self) -> list[NDArray[np.intp]]:
        """The rows of each cluster's products."""
        return [np.flatnonzero(self._assignments == j) for j in range(len(self._clusters))]
