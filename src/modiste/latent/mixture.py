"""Gaussian mixture whose components are merged into groups, and the assignment of codes to them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.parallel import MapFn, sequential

# Components per cluster, used by the starts in turn. When merged, many small components chain a large cluster to its
# neighbours; with too few, a small cluster has no component of its own.
COMPONENTS_PER_CLUSTER = (8 / 3, 10 / 3, 4.0)
MIN_COMPONENTS = 8  # for any number of clusters
ROWS_PER_COMPONENT = 20  # times n: a full covariance from fewer rows is mostly noise
STARTS = 5
MAX_FIT_ROWS = 20_000  # more rows do not change a fit; assignment always uses all


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
        """Return the inverse of each covariance's Cholesky factor, `(m, n, n)`."""
        return np.linalg.inv(np.linalg.cholesky(self.covariances)).astype(np.float64)

    @cached_property
    def mean_variance(self) -> float:
        """The mean variance of the latents over the whole mixture."""
        squares = np.diagonal(self.covariances, axis1=1, axis2=2) + np.square(self.means)
        return float((self.weights @ squares - np.square(self.weights @ self.means)).mean())

    def log_joint(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log(weight · density) of every component at every code, `(b, m)`, for codes `(b, n)`."""
        log_probabilities = np.empty((len(codes), len(self.weights)))
        for c, whitener in enumerate(self._whiteners):
            squares = np.square((codes - self.means[c]) @ whitener.T).sum(axis=1)
            log_probabilities[:, c] = np.log(self.weights[c]) + np.log(np.diag(whitener)).sum() - 0.5 * squares
        return log_probabilities - 0.5 * self.means.shape[1] * np.log(2.0 * np.pi)

    def assign_components(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the component most responsible for each code, `(b,)`."""
        return self.log_joint(codes).argmax(axis=1)

    def assign_groups(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the group of the component most responsible for each code, `(b,)`."""
        return self.groups[self.assign_components(codes)]

    def problem(self, k: int, n: int) -> str | None:
        """Describe why this is not a mixture in `k` groups over `n` latents; None when it is one."""
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
        """Return the mixture as JSON: lists of numbers."""
        return {
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "covariances": self.covariances.tolist(),
            "groups": self.groups.tolist(),
        }


def bhattacharyya_distances(means: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Bhattacharyya distance between every two of `m` Gaussians, `(m, m)`: 0 for equal ones.

    ⅛ (μ₁−μ₂)ᵀ S⁻¹ (μ₁−μ₂) + ½ log( |S| / √(|S₁||S₂|) ), S = (S₁+S₂)/2.
    """
    m = len(means)
    log_det = np.linalg.slogdet(covariances)[1]
    distances = np.zeros((m, m))
    for i in range(m):
        for j in range(i):
            mean_covariance = 0.5 * (covariances[i] + covariances[j])
            difference = means[i] - means[j]
            mean_term = difference @ np.linalg.solve(mean_covariance, difference) / 8.0
            shape_term = 0.5 * (np.linalg.slogdet(mean_covariance)[1] - 0.5 * (log_det[i] + log_det[j]))
            distances[i, j] = distances[j, i] = max(mean_term + shape_term, 0.0)
    return distances


def subsample_rows(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return at most MAX_FIT_ROWS rows of `points`, in their order."""
    if len(points) <= MAX_FIT_ROWS:
        return points
    rows = np.random.default_rng(seed).choice(len(points), MAX_FIT_ROWS, replace=False)
    return points[np.sort(rows)]


def fit_merged_mixture(points: NDArray[np.float64], k: int, seed: int, map_fn: MapFn = sequential) -> Mixture | None:
    """Fit a mixture to codes `(N, n)` and merge it by overlap to `k` groups, none empty; None where that fails.

    Some starts end in an odd merge. Of STARTS starts, with different numbers of components, the result is the one that
    agrees most with the others (adjusted Rand index), which needs no labels.
    """
    from sklearn.metrics import adjusted_rand_score

    points = points[np.lexsort(points.T[::-1])]  # the result must not depend on the order of the rows
    points = subsample_rows(points, seed)
    results = map_fn(_make_fit, (points, k, seed), range(STARTS if k > 1 else 1))
    mixtures = [mixture for mixture in results if mixture is not None]
    if not mixtures:
        return None
    groups = [mixture.assign_groups(points) for mixture in mixtures]
    agreement = [sum(float(adjusted_rand_score(a, b)) for b in groups) for a in groups]
    return mixtures[int(np.argmax(agreement))]


def _make_fit(settings: tuple[NDArray[np.float64], int, int]) -> Callable[[int], Mixture | None]:
    points, k, seed = settings
    return lambda run: _fit_once(
        points, k, COMPONENTS_PER_CLUSTER[run % len(COMPONENTS_PER_CLUSTER)], seed + STARTS * run
    )


def _fit_once(points: NDArray[np.float64], k: int, components_per_cluster: float, seed: int) -> Mixture | None:
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count, n = points.shape
    m = max(k, min(max(MIN_COMPONENTS, round(components_per_cluster * k)), count // (ROWS_PER_COMPONENT * n)))
    floor = 1e-6 * float(points.var(axis=0).mean()) + 1e-12
    model: Any = GaussianMixture(m, covariance_type="full", reg_covar=floor, init_params="kmeans", random_state=seed)
    with warnings.catch_warnings():
        # For merging, 100 iterations of EM are as good as convergence.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(points)
        except ValueError:  # a singular covariance
            return None
    mixture = Mixture(model.weights_, model.means_, model.covariances_, np.arange(m, dtype=np.intp))
    # Components without products are left out of the merging.
    live = np.unique(mixture.assign_components(points))
    if len(live) < k:
        return None
    weights, means, covariances = mixture.weights[live], mixture.means[live], mixture.covariances[live]
    if k == len(live):
        groups = np.arange(k, dtype=np.intp)
    else:
        distances = squareform(bhattacharyya_distances(means, covariances), checks=False)
        groups = cut_tree(linkage(distances, "average"), n_clusters=k)[:, 0].astype(np.intp)
    return Mixture(weights / weights.sum(), means, covariances, groups)
