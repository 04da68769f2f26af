"""From one cluster to another: the optimal-transport map between their Gaussians, and a cure for hubs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode

Float64Array = NDArray[np.float64]

SHRINKAGE = 0.1  # of the pooled covariance: where a cluster has few products, its own says little
VARIANCE_FLOOR = 1e-6  # of the mean variance: a direction in which nothing varies is not divided by


@dataclass(frozen=True, eq=False)
class Moments:
    """The Gaussian of each of `k` clusters: centres `(k, n)` and covariances `(k, n, n)`, float64."""

    centres: Float64Array
    covariances: Float64Array

    @classmethod
    def fit(cls, codes: ArrayLike, assignments: NDArray[np.intp], k: int) -> Moments:
        """The moments of codes `(N, n)` by their clusters `(N,)`; a small cluster leans on the pooled covariance.

        A cluster without products has the centre of all and the pooled covariance.
        """
        points = np.asarray(codes, np.float64)
        n = points.shape[1]
        sizes = np.bincount(assignments, minlength=k)
        centres = np.tile(points.mean(axis=0), (k, 1))
        scatter = np.zeros((k, n, n))
        for j in np.flatnonzero(sizes):
            part = points[assignments == j]
            centres[j] = part.mean(axis=0)
            scatter[j] = (part - centres[j]).T @ (part - centres[j])
        pooled = scatter.sum(axis=0) / max(len(points), 1)
        own = scatter / np.maximum(sizes, 1)[:, None, None]
        # n rows say nothing of an n × n covariance, many times as many nearly all.
        lean = np.maximum(SHRINKAGE, n / (n + sizes))[:, None, None]
        floor = (VARIANCE_FLOOR * np.trace(pooled) / n + 1e-12) * np.eye(n)
        return cls(centres, (1.0 - lean) * own + lean * pooled + floor)

    def transport_matrix(self, i: int, j: int) -> Float64Array:
        """The matrix A `(n, n)` of the optimal-transport map z ↦ c_j + A (z − c_i) from Gaussian i to Gaussian j.

        A = S_i^−½ (S_i^½ S_j S_i^½)^½ S_i^−½: of all maps that carry the one Gaussian to the other, the one that moves
        points least (Dowson and Landau 1982; Peyré and Cuturi 2019, remark 2.31).
        """
        root, back = _square_roots(self.covariances[i])
        middle = _square_roots(root @ self.covariances[j] @ root)[0]
        return back @ middle @ back


def transport(
    code: ArrayLike, matrix: Float64Array, centre_i: ArrayLike, centre_j: ArrayLike
) -> NDArray[np.float32]:
    """c_j + A (z − c_i): where a code of cluster i lies in cluster j, float32, shaped as `code`.

    Args:
        code: `(n,)` or `(b, n)`.
        matrix: A, `(n, n)`, see Moments.transport.
        centre_i, centre_j: `(n,)` each.

    Raises:
        BadCode: the shapes do not go together, or the code lies so far out that float32 cannot hold where it goes.
    """
    z, own, other = (np.asarray(part, np.float64) for part in (code, centre_i, centre_j))
    n = matrix.shape[0]
    if z.ndim not in (1, 2) or z.shape[-1] != n or own.shape != (n,) or other.shape != (n,):
        raise BadCode(
            f"The code {z.shape}, the centres {own.shape} and {other.shape} and the map {matrix.shape} "
            "do not go together.",
            remedy="Give codes and centres of the same number of latents.",
        )
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite and is refused
        moved = (other + (z - own) @ matrix.T).astype(np.float32)
    if not np.isfinite(moved).all():
        raise BadCode(
            "The code lies too far out to be carried over.", remedy="Give a code nearer to the products."
        )
    return moved


def hub_score(scores: NDArray[np.floating], k: int) -> Float64Array:
    """How well each product does with everyone, `(N,)`: the mean of its `k` best scores over many designs.

    Some products lie near every design, and would be everyone's answer. Taking a share of their crowding off their
    scores leaves what a product has for this design in particular: cross-domain similarity local scaling (Conneau et
    al. 2018, section 2.3), whose share is a half, and whose other half is the design's and the same for all products.

    Args:
        scores: of designs and products, `(b, N)`, higher is nearer.
        k: how many of the best designs count; all where there are fewer.
    """
    count = min(k, len(scores))
    if count == 0:
        return np.zeros(scores.shape[1])
    return np.partition(scores, len(scores) - count, axis=0)[len(scores) - count :].mean(
        axis=0, dtype=np.float64
    )


def _square_roots(matrix: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The symmetric square root of a positive definite matrix `(n, n)`, and its inverse."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return (vectors * values) @ vectors.T, (vectors / values) @ vectors.T
