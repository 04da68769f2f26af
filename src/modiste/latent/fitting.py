"""Finding clusters: K-means++, the paper's; and a Gaussian mixture merged down to k groups."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount
from modiste.latent.clusters import Clusters, Method, nearest_centre
from modiste.latent.mixture import Mixture, bhattacharyya
from modiste.latent.posterior import check_code

COMPONENTS = 16
ROWS_PER_COMPONENT = 4  # times n: a full covariance from fewer rows says more of chance than of the products
FIT_ROWS = 50_000  # more do not move a fit; assignment always takes all


def fit_kmeans(codes: ArrayLike, k: int, seed: int = 0) -> Clusters:
    """K-means++ (scikit-learn, best of 10 starts) over codes `(N, n)`; clusters are named by number.

    Raises:
        BadCount: k is below 1, or over the number of different codes.
        BadCode: a code is not finite.
    """
    points = _check(codes, k)
    return _finish(points, nearest_centre(points, _kmeans_centres(points, k, seed)), k, "kmeans", None)


def fit_mixture(codes: ArrayLike, k: int, seed: int = 0) -> Clusters:
    """A full-covariance Gaussian mixture over codes `(N, n)`, merged to `k` groups; clusters are named by number.

    K-means wants round clusters of equal size, which product categories are not. Some 16 Gaussians follow any shape;
    then the two groups that overlap most (Bhattacharyya distance, average linkage) are merged until k are left.
    Where the rows are too few or too alike for that, the answer is K-means', and says so in `method`.

    Raises:
        BadCount: k is below 1, or over the number of different codes.
        BadCode: a code is not finite.
    """
    points = _check(codes, k)
    mixture = _merged_mixture(points, k, seed)
    if mixture is None:
        return fit_kmeans(codes, k, seed)
    return _finish(points, mixture.group_of(points), k, "mixture", mixture)


def _check(codes: ArrayLike, k: int) -> NDArray[np.float64]:
    array = np.asarray(codes)
    points = check_code(array, array.shape[-1] if array.ndim == 2 else 0).astype(np.float64)
    if 1 <= k <= len(points):
        # Few different codes are found early; a catalogue of many is not sorted whole to see that there are k.
        different = len(np.unique(points[: 100 * k], axis=0))
        if different < k:
            different = len(np.unique(points, axis=0))
    else:
        different = len(points)
    if not 1 <= k <= different:
        raise BadCount(
            f"k is {k}; there are {different} different codes to cluster.",
            remedy=f"Give a k from 1 to {different}.",
        )
    return points


def _sample(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    if len(points) <= FIT_ROWS:
        return points
    rows = np.random.default_rng(seed).choice(len(points), FIT_ROWS, replace=False)
    return points[np.sort(rows)]


def _kmeans_centres(points: NDArray[np.float64], k: int, seed: int) -> NDArray[np.float64]:
    from sklearn.cluster import KMeans

    model: Any = KMeans(k, init="k-means++", n_init=10, random_state=seed)
    return model.fit(_sample(points, seed)).cluster_centers_


def _merged_mixture(points: NDArray[np.float64], k: int, seed: int) -> Mixture | None:
    """The mixture in k groups, each with products; None when there is none."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count, n = points.shape
    m = max(k, min(COMPONENTS, count // (ROWS_PER_COMPONENT * n)))
    floor = 1e-6 * float(points.var(axis=0).mean()) + 1e-12
    model: Any = GaussianMixture(
        m, covariance_type="full", reg_covar=floor, init_params="kmeans", random_state=seed
    )
    with warnings.catch_warnings():
        # Where the EM stands after 100 rounds is as good a start for merging as where it would end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(_sample(points, seed))
        except ValueError:  # a covariance that cannot be inverted
            return None
    groups = np.arange(m, dtype=np.intp)
    mixture = Mixture(model.weights_, model.means_, model.covariances_, groups)
    # Components that no product belongs to have nothing to say in the merging.
    live = np.unique(mixture.component_of(points))
    if len(live) < k:
        return None
    weights, means, covariances = mixture.weights[live], mixture.means[live], mixture.covariances[live]
    if k == len(live):
        groups = np.arange(k, dtype=np.intp)
    else:
        apart = squareform(bhattacharyya(means, covariances), checks=False)
        groups = cut_tree(linkage(apart, "average"), n_clusters=k)[:, 0].astype(np.intp)
    return Mixture(weights / weights.sum(), means, covariances, groups)


def _finish(
    points: NDArray[np.float64], groups: NDArray[np.intp], k: int, method: Method, mixture: Mixture | None
) -> Clusters:
    """Clusters in the order of their size, largest first, so that their numbers do not hang on the order of rows."""
    means = np.stack([points[groups == j].mean(axis=0) for j in range(k)])
    sizes = np.bincount(groups, minlength=k)
    order = np.lexsort((*means.T[::-1], -sizes))
    rank = np.empty(k, np.intp)
    rank[order] = np.arange(k)
    if mixture is not None:
        mixture = Mixture(mixture.weights, mixture.means, mixture.covariances, rank[mixture.groups])
    labels = tuple(f"cluster {j}" for j in range(k))
    return Clusters(means[order].astype(np.float32), labels, "code", method, mixture)
