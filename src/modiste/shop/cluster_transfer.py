"""Ways from a cluster to another: where a design would lie there, and from which designs crowding is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption
from modiste.latent.arithmetic import shift
from modiste.latent.clusters import Clusters
from modiste.latent.optimal_transport import Moments, transport
from modiste.search.index import METHODS
from modiste.shop.sampling import sample_rows

WAYS = ("transport", "shift")
NEARNESS = "likelihood"  # where a recommendation's method names a way alone
DESIGNS = 1000  # of a cluster, from which crowding is measured

Floats = NDArray[np.float32]


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


@dataclass(frozen=True, eq=False)
class Spread:
    """How all products lie, as far as ways must know.

    `of_means` and `of_codes` are the moments of the clusters, which differ a little. `means` and `codes` have, for each
    cluster, those of at most DESIGNS of its products, float32 `(≤ DESIGNS, n)`: from them crowding is measured.
    """

    of_means: Moments
    of_codes: Moments
    means: tuple[Floats, ...]
    codes: tuple[Floats, ...]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], mean: Floats, code: Floats, k: int) -> Spread:
        """Of all products: clusters `assignments` `(N,)`, `mean` and `code` `(N, n)`; `k` clusters."""
        members = [np.flatnonzero(assignments == j) for j in range(k)]
        some = [rows[sample_rows(len(rows), DESIGNS, 0)] for rows in members]
        return cls(
            Moments.of(mean, assignments, k),
            Moments.of(code, assignments, k),
            tuple(mean[rows] for rows in some),
            tuple(code[rows] for rows in some),
        )


class Ways:
    """Moves codes between the clusters of a shop: by the paper's shift of centres, or by optimal transport."""

    def __init__(self, clusters: Clusters, spread: Callable[[], Spread]) -> None:
        """`spread` is asked for once it is needed."""
        self._clusters = clusters
        self._given = spread
        self._maps: dict[tuple[int, int, bool], NDArray[np.float64]] = {}

    @cached_property
    def _spread(self) -> Spread:
        return self._given()

    @property
    def count(self) -> int:
        """The number of clusters."""
        return len(self._clusters)

    def moved(self, codes: Floats, own: int, other: int, way: str, nearness: str) -> Floats:
        """Where codes of cluster `own` would lie in cluster `other`, shaped as they are, `(n,)` or `(b, n)`."""
        if way == "shift":
            return shift(codes, self._clusters.centres[own], self._clusters.centres[other])
        moments = self._moments(nearness)
        return transport(codes, self._map(own, other, nearness), moments.centres[own], moments.centres[other])

    def designs(self, own: int, nearness: str) -> Floats:
        """Designs of cluster `own`, `(≤ DESIGNS, n)`: of what that nearness compares designs with."""
        spread = self._spread
        return (spread.codes if nearness == "fixed-epsilon" else spread.means)[own]

    def _moments(self, nearness: str) -> Moments:
        return self._spread.of_codes if nearness == "fixed-epsilon" else self._spread.of_means

    def _map(self, own: int, other: int, nearness: str) -> NDArray[np.float64]:
        key = (own, other, nearness == "fixed-epsilon")
        held = self._maps.get(key)
        if held is None:
            held = self._maps[key] = self._moments(nearness).transport(own, other)
        return held
