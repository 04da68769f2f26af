"""A Gaussian mixture whose components are merged into groups, and which group a code belongs to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.parallel import MapFn, sequential

# Components per cluster of the starts in turn. Many small ones chain a large cluster to its neighbours when they are
# merged; with too few, a small cluster has none of its own.
COMPONENTS_PER_CLUSTER = (8 / 3, 10 / 3, 4.0)
MIN_COMPONENTS = 8  # components, however few clusters
ROWS_PER_COMPONENT = 20  # times n: a full covariance from fewer rows says more of chance than of the products
STARTS = 5
MAX_FIT_ROWS = 20_000  # more do not move a fit; assignment always takes all


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
        return np.linalg.inv(np.linalg.cholesky(self.covariances)).astype(np.float64)

    def log_joint(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """log(weight · density) of every component at every code, `(b, m)`, for codes `(b, n)`."""
        found = np.empty((len(codes), len(self.weights)))
        for c, whitener in enumerate(self._whiteners):
            squares = np.square((codes - self.means[c]) @ whitener.T).sum(axis=1)
            found[:, c] = np.log(self.weights[c]) + np.log(np.diag(whitener)).sum() - 0.5 * squares
        return found - 0.5 * self.means.shape[1] * np.log(2.0 * np.pi)

    def assign_components(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """The component most responsible for each code, `(b,)`."""
        return self.log_joint(codes).argmax(axis=1)

    def assign_groups(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        """The group of the component most responsible for each code, `(b,)`."""
        return self.groups[self.assign_components(codes)]

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


def bhattacharyya_distances(
    means: NDArray[np.float64], covariances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The Bhattacharyya distance between every two of `m` Gaussians, `(m, m)`: 0 for two that are the same.

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


def subsample_rows(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """At most FIT_ROWS rows of `points`, in their order."""
    if len(points) <= MAX_FIT_ROWS:
        return points
    rows = np.random.default_rng(seed).choice(len(points), MAX_FIT_ROWS, replace=False)
    return points[np.sort(rows)]


def fit_merged_mixture(
    points: NDArray[np.float64], k: int, seed: int, map_fn: MapFn = sequential
) -> Mixture | None:
    """A mixture over codes `(N, n)` merged to `k` groups by overlap, each with codes; None where none can be had.

    Some starts end in an odd merging. Of RUNS starts, with different numbers of components, the answer is the one that
    agrees most with the others (adjusted Rand index), which needs no labels.
    """
    from sklearn.metrics import adjusted_rand_score

    points = points[np.lexsort(points.T[::-1])]  # the answer must not hang on the order of the rows
    points = subsample_rows(points, seed)
    tries = map_fn(_make_fit, (points, k, seed), range(STARTS if k > 1 else 1))
    found = [mixture for mixture in tries if mixture is not None]
    if not found:
        return None
    groups = [mixture.assign_groups(points) for mixture in found]
    agreement = [sum(float(adjusted_rand_score(a, b)) for b in groups) for a in groups]
    return found[int(np.argmax(agreement))]


def _make_fit(settings: tuple[NDArray[np.float64], int, int]) -> Callable[[int], Mixture | None]:
    points, k, seed = settings
    return lambda run: _fit_once(
        points, k, COMPONENTS_PER_CLUSTER[run % len(COMPONENTS_PER_CLUSTER)], seed + STARTS * run
    )


def _fit_once(
    points: NDArray[np.float64], k: int, components_per_cluster: float, seed: int
) -> Mixture | None:
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count, n = points.shape
    m = max(k, min(max(MIN_COMPONENTS, round(components_per_cluster * k)), count // (ROWS_PER_COMPONENT * n)))
    floor = 1e-6 * float(points.var(axis=0).mean()) + 1e-12
    model: Any = GaussianMixture(
        m, covariance_type="full", reg_covar=floor, init_params="kmeans", random_state=seed
    )
    with warnings.catch_warnings():
        # Where the EM stands after 100 rounds is as good a start for merging as where it would end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(points)
        except ValueError:  # a covariance that cannot be inverted
            return None
    mixture = Mixture(model.weights_, model.means_, model.covariances_, np.arange(m, dtype=np.intp))
    # Components that no product belongs to have nothing to say in the merging.
    live = np.unique(mixture.assign_components(points))
    if len(live) < k:
        return None
    weights, means, covariances = mixture.weights[live], mixture.means[live], mixture.covariances[live]
    if k == len(live):
        groups = np.arange(k, dtype=np.intp)
    else:
        apart = squareform(bhattacharyya_distances(means, covariances), checks=False)
        groups = cut_tree(linkage(apart, "average"), n_clusters=k)[:, 0].astype(np.intp)
    return Mixture(weights / weights.sum(), means, covariances, groups)
