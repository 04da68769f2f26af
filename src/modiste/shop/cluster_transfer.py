"""Moving codes from one cluster to another, by optimal transport or by the shift of centres."""

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
DEFAULT_METHOD = "likelihood"  # if a recommendation's method names a transfer only
MAX_DESIGNS = 1000  # of a cluster, from which hub penalties are measured

Floats = NDArray[np.float32]


def parse_recommend_method(method: str) -> tuple[str, str]:
    """Parse a recommendation's method: a transfer, a search method, or both as "shift:mean".

    Returns:
        The transfer and the search method.

    Raises:
        BadOption: the method names something else.
    """
    transfer, search_method = TRANSFERS[0], DEFAULT_METHOD
    parts = method.split(":")
    for part in parts:
        if part in TRANSFERS:
            transfer = part
        elif part in METHODS:
            search_method = part
    known = [part in TRANSFERS for part in parts], [part in METHODS for part in parts]
    if len(parts) > 2 or not all(a or b for a, b in zip(*known, strict=True)) or max(map(sum, known)) > 1:
        raise BadOption(
            f"Unknown method {method!r}.",
            remedy=f"Choose one of {', '.join(TRANSFERS)}, one of {', '.join(METHODS)}, "
            f"or both as {TRANSFERS[1]}:{METHODS[2]}.",
        )
    return transfer, search_method


@dataclass(frozen=True, eq=False)
class ClusterMoments:
    """Mean and covariance of each cluster, for the products' means and for their codes, which differ a little.

    `sample_means` and `sample_codes` are those of at most MAX_DESIGNS products of each cluster, float32
    `(≤ MAX_DESIGNS, n)`; hub penalties are measured from them.
    """

    mean_moments: Moments
    code_moments: Moments
    sample_means: tuple[Floats, ...]
    sample_codes: tuple[Floats, ...]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], mean: Floats, code: Floats, k: int) -> ClusterMoments:
        """Compute them for `N` products in `k` clusters: `assignments` `(N,)`, `mean` and `code` `(N, n)`."""
        members = [np.flatnonzero(assignments == j) for j in range(k)]
        sampled = [rows[sample_rows(len(rows), MAX_DESIGNS, 0)] for rows in members]
        return cls(
            Moments.fit(mean, assignments, k),
            Moments.fit(code, assignments, k),
            tuple(mean[rows] for rows in sampled),
            tuple(code[rows] for rows in sampled),
        )


class ClusterTransfer:
    """Moves codes between the clusters of a shop."""

    def __init__(self, clusters: Clusters, load_moments: Callable[[], ClusterMoments]) -> None:
        """Create it; `load_moments` is called at the first transport."""
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
        """Move codes, `(n,)` or `(b, n)`, from cluster `source` to cluster `target`.

        `kind` is "transport" or "shift"; `method` is the search method that will compare the moved codes.
        """
        if kind == "shift":
            return shift(codes, self._clusters.centres[source], self._clusters.centres[target])
        moments = self._moments_for(method)
        return transport(
            codes, self._transport_matrix(source, target, method), moments.centres[source], moments.centres[target]
        )

    def designs(self, cluster: int, method: str) -> Floats:
        """Return designs of a cluster, `(≤ MAX_DESIGNS, n)`: codes or means, whichever the search method compares."""
        moments = self._cluster_moments
        return (moments.sample_codes if method == "fixed-epsilon" else moments.sample_means)[cluster]

    def _moments_for(self, method: str) -> Moments:
        moments = self._cluster_moments
        return moments.code_moments if method == "fixed-epsilon" else moments.mean_moments

    def _transport_matrix(self, source: int, target: int, method: str) -> NDArray[np.float64]:
        key = (source, target, method == "fixed-epsilon")
        matrix = self._matrices.get(key)
        if matrix is None:
            matrix = self._matrices[key] = self._moments_for(method).transport_matrix(source, target)
        return matrix
