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

TRANSFERS = ("transport", "shift")
DEFAULT_METHOD = "likelihood"  # where a recommendation's method names a way alone
MAX_DESIGNS = 1000  # of a cluster, from which crowding is measured

Floats = NDArray[np.float32]


def parse_recommend_method(method: str) -> tuple[str, str]:
    """(way, nearness) of a recommendation's method: a way, a nearness, or both as "shift:mean".

    Raises:
        BadOption: it names something else.
    """
    way, nearness = TRANSFERS[0], DEFAULT_METHOD
    parts = method.split(":")
    for part in parts:
        if part in TRANSFERS:
            way = part
        elif part in METHODS:
            nearness = part
    known = [part in TRANSFERS for part in parts], [part in METHODS for part in parts]
    if len(parts) > 2 or not all(a or b for a, b in zip(*known, strict=True)) or max(map(sum, known)) > 1:
        raise BadOption(
            f"No method {method!r}.",
            remedy=f"Choose one of {', '.join(TRANSFERS)}, one of {', '.join(METHODS)}, "
            f"or both as {TRANSFERS[1]}:{METHODS[2]}.",
        )
    return way, nearness


@dataclass(frozen=True, eq=False)
class ClusterMoments:
    """How all products lie, as far as ways must know.

    `of_means` and `of_codes` are the moments of the clusters, which differ a little. `means` and `codes` have, for each
    cluster, those of at most DESIGNS of its products, float32 `(≤ DESIGNS, n)`: from them crowding is measured.
    """

    mean_moments: Moments
    code_moments: Moments
    sample_means: tuple[Floats, ...]
    sample_codes: tuple[Floats, ...]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], mean: Floats, code: Floats, k: int) -> ClusterMoments:
        """Of all products: clusters `assignments` `(N,)`, `mean` and `code` `(N, n)`; `k` clusters."""
        members = [np.flatnonzero(assignments == j) for j in range(k)]
        some = [rows[sample_rows(len(rows), MAX_DESIGNS, 0)] for rows in members]
        return cls(
            Moments.fit(mean, assignments, k),
            Moments.fit(code, assignments, k),
            tuple(mean[rows] for rows in some),
            tuple(code[rows] for rows in some),
        )


class ClusterTransfer:
    """Moves codes between the clusters of a shop: by the paper's shift of centres, or by optimal transport."""

    def __init__(self, clusters: Clusters, load_moments: Callable[[], ClusterMoments]) -> None:
        """`spread` is asked for once it is needed."""
        self._clusters = clusters
        self._load_moments = load_moments
        self._matrices: dict[tuple[int, int, bool], NDArray[np.float64]] = {}

    @cached_property
    def _cluster_moments(self) -> ClusterMoments:
        return self._load_moments()

    @property
    def cluster_count(self) -> int:
        """The number of clusters."""
        return len(self._clusters)

    def transfer(self, codes: Floats, source: int, target: int, kind: str, method: str) -> Floats:
        """Where codes of cluster `own` would lie in cluster `other`, shaped as they are, `(n,)` or `(b, n)`."""
        if kind == "shift":
            return shift(codes, self._clusters.centres[source], self._clusters.centres[target])
        moments = self._moments_for(method)
        return transport(
            codes,
            self._transport_matrix(source, target, method),
            moments.centres[source],
            moments.centres[target],
        )

    def designs(self, cluster: int, method: str) -> Floats:
        """Designs of cluster `own`, `(≤ DESIGNS, n)`: of what that nearness compares designs with."""
        spread = self._cluster_moments
        return (spread.sample_codes if method == "fixed-epsilon" else spread.sample_means)[cluster]

    def _moments_for(self, method: str) -> Moments:
        return (
            self._cluster_moments.code_moments
            if method == "fixed-epsilon"
            else self._cluster_moments.mean_moments
        )

    def _transport_matrix(self, source: int, target: int, method: str) -> NDArray[np.float64]:
        key = (source, target, method == "fixed-epsilon")
        held = self._matrices.get(key)
        if held is None:
            held = self._matrices[key] = self._moments_for(method).transport_matrix(source, target)
        return held
