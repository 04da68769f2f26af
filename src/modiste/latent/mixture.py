"""A Gaussian mixture whose components are merged into groups: which group is a code's?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Mixture:
    """`m` full-covariance Gaussians over codes of `n` latents.

    weights `(m,)`, means `(m, n)`, covariances `(m, n, n)`, all float64; `groups`, `(m,)`, is the cluster that each
    component was merged into.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    groups: NDArray[np.intp]

    @cached_property
    def _whiteners(self) -> NDArray[np.float64]:
        """Of each component the inverse of its covariance's Cholesky factor, `(m, n, n)`."""
        return np.linalg.inv(np.linalg.cholesky(self.covariances))

    def log_joint(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """log(weight · density) of every component at every code, `(b, m)`, for codes `(b, n)`."""
        found = np.empty((len(codes), len(self.weights)))
        for c, whitener in enumerate(self._whiteners):
            squares = np.square((codes - self.means[c]) @ whitener.T).sum(axis=1)
            found[:, c] = np.log(self.weights[c]) + np.log(np.diag(whitener)).sum() - 0.5 * squares
        return found - 0.5 * self.means.shape[1] * np.log(2.0 * np.pi)

    def component_of(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """The component most responsible for each code, `(b,)`."""
        return self.log_joint(codes).argmax(axis=1)

    def group_of(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """The group of the component most responsible for each code, `(b,)`."""
        return self.groups[self.component_of(codes)]

    def problem(self, k: int, n: int) -> str | None:
        """What keeps this from being a mixture in `k` groups over `n` latents; None when it is one."""
        m = len(self.weights)
        shapes = (self.means.shape, self.covariances.shape, self.groups.shape)
        if shapes != ((m, n), (m, n, n), (m,)):
            return f"{m} weights, but the shapes {shapes} for {n} latents"
        if set(self.groups.tolist()) != set(range(k)):
            return f"the groups {self.groups.tolist()} for {k} clusters"
        if (self.weights <= 0).any():
            return "a weight is not positive"
        if not np.allclose(self.covariances, self.covariances.transpose(0, 2, 1)):
            return "a covariance is not symmetric"
        try:
            np.linalg.cholesky(self.covariances)
        except np.linalg.LinAlgError:
            return "a covariance is not positive definite"
        return None

    def to_dict(self) -> dict[str, Any]:
        """As JSON: lists of numbers."""
        return {
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "covariances": self.covariances.tolist(),
            "groups": self.groups.tolist(),
        }


def bhattacharyya(means: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Bhattacharyya distance between every two of `m` Gaussians, `(m, m)`: 0 for the same, more the less they overlap.

    ⅛ (μ₁−μ₂)ᵀ S⁻¹ (μ₁−μ₂) + ½ log( |S| / √(|S₁||S₂|) ), S = (S₁+S₂)/2.
    """
    m = len(means)
    log_det = np.linalg.slogdet(covariances)[1]
    found = np.zeros((m, m))
    for i in range(m):
        for j in range(i):
            middle = 0.5 * (covariances[i] + covariances[j])
            gap = means[i] - means[j]
            apart = gap @ np.linalg.solve(middle, gap) / 8.0
            shape = 0.5 * (np.linalg.slogdet(middle)[1] - 0.5 * (log_det[i] + log_det[j]))
            found[i, j] = found[j, i] = max(apart + shape, 0.0)
    return found
