"""Optimal-transport maps between the Gaussians of clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode

Float64Array = NDArray[np.float64]

SHRINKAGE = 0.1  # of the pooled covariance: a cluster of few products has a noisy one
VARIANCE_FLOOR = 1e-6  # of the mean variance: avoids division by zero along a constant direction


@dataclass(frozen=True, eq=False)
class Moments:
    """Gaussian of each of `k` clusters: centres `(k, n)` and covariances `(k, n, n)`, float64."""

    centres: Float64Array
    covariances: Float64Array

    @classmethod
    def fit(cls, codes: ArrayLike, assignments: NDArray[np.intp], k: int) -> Moments:
        """Fit codes `(N, n)` by their clusters `(N,)`; the covariance of a small cluster is shrunk to the pooled one.

        A cluster without products has the centre of all products and the pooled covariance.
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
        covariances = scatter / np.maximum(sizes, 1)[:, None, None]
        # n rows determine almost nothing of an n × n covariance, many times n nearly all of it.
        shrinkage = np.maximum(SHRINKAGE, n / (n + sizes))[:, None, None]
        floor = (VARIANCE_FLOOR * np.trace(pooled) / n + 1e-12) * np.eye(n)
        return cls(centres, (1.0 - shrinkage) * covariances + shrinkage * pooled + floor)

    def transport_matrix(self, i: int, j: int) -> Float64Array:
        """Return the matrix A `(n, n)` of the optimal-transport map z ↦ c_j + A (z − c_i) from Gaussian i to j.

        A = S_i^−½ (S_i^½ S_j S_i^½)^½ S_i^−½: of all maps from the one Gaussian to the other, the one that moves points
        least (Dowson and Landau 1982; Peyré and Cuturi 2019, remark 2.31).
        """
        root, back = _square_roots(self.covariances[i])
        middle = _square_roots(root @ self.covariances[j] @ root)[0]
        return back @ middle @ back


def transport(code: ArrayLike, matrix: Float64Array, centre_i: ArrayLike, centre_j: ArrayLike) -> NDArray[np.float32]:
    """Move a code of cluster i to cluster j by c_j + A (z − c_i): float32, shaped as `code`.

    Args:
        code: `(n,)` or `(b, n)`.
        matrix: A, `(n, n)`; see Moments.transport_matrix.
        centre_i: `(n,)`.
        centre_j: `(n,)`.

    Raises:
        BadCode: the shapes do not match, or the result is too large for float32.
    """
    z, source, target = (np.asarray(part, np.float64) for part in (code, centre_i, centre_j))
    n = matrix.shape[0]
    if z.ndim not in (1, 2) or z.shape[-1] != n or source.shape != (n,) or target.shape != (n,):
        raise BadCode(
            f"The shapes of the code {z.shape}, the centres {source.shape} and {target.shape} and the map "
            f"{matrix.shape} do not match.",
            remedy="Give codes and centres of the same number of latents.",
        )
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite and is rejected
        moved = (target + (z - source) @ matrix.T).astype(np.float32)
    if not np.isfinite(moved).all():
        raise BadCode(
            "The code is too far from the products to be moved.", remedy="Give a code nearer to the products."
        )
    return moved


def _square_roots(matrix: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the symmetric square root of a positive definite matrix `(n, n)`, and its inverse."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return (vectors * values) @ vectors.T, (vectors / values) @ vectors.T
