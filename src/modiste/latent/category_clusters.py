"""Clusters that are the shop's own categories, with a classifier that assigns any code to one of them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount
from modiste.latent.clusters import Clusters
from modiste.latent.fixed_epsilon import check_code
from modiste.latent.mixture import ROWS_PER_COMPONENT, Mixture, subsample_rows
from modiste.latent.optimal_transport import Moments
from modiste.parallel import MapFn, sequential

MAX_COMPONENTS = 6  # per category: one Gaussian is too simple, and many more leave too few codes for each


def fit_categories(codes: ArrayLike, categories: Sequence[str], seed: int = 0, map_fn: MapFn = sequential) -> Clusters:
    """Fit one cluster per category, largest first, and a mixture that assigns any code `(n,)` to a category.

    Each category's codes get a full-covariance Gaussian mixture of up to six components or, where they are few, one
    Gaussian shrunk towards the covariance of all categories. A code belongs to the category of its most responsible
    component: mixture discriminant analysis (Hastie and Tibshirani 1996). The catalogue's own products keep the
    category that their source gives them.

    Args:
        codes: `(N, n)`; a product may have several.
        categories: the category of each code, `N` of them.
        seed: seed of the fits.
        map_fn: runs the fits, one per category.

    Raises:
        BadCount: there is no product.
        BadCode: a code is not finite.
    """
    array = np.asarray(codes)
    points = check_code(array, array.shape[-1] if array.ndim == 2 else 0).astype(np.float64)
    if not len(points):
        raise BadCount("There are no products to cluster.", remedy="Ingest some first.")
    counts = Counter(categories)
    names = sorted(counts, key=lambda name: (-counts[name], name))
    number_of = {name: number for number, name in enumerate(names)}
    cluster_of = np.array([number_of[name] for name in categories], np.intp)
    moments = Moments.fit(points, cluster_of, len(names))
    items = (
        (_sorted_subsample(points[cluster_of == j], seed), counts[name], moments.centres[j], moments.covariances[j])
        for j, name in enumerate(names)
    )
    parts = list(map_fn(_make_fit, seed, items))
    weights = [part[0] * np.mean(cluster_of == j) for j, part in enumerate(parts)]
    mixture = Mixture(
        np.concatenate(weights),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.repeat(np.arange(len(names), dtype=np.intp), [len(part[0]) for part in parts]),
    )
    return Clusters(moments.centres.astype(np.float32), tuple(names), "code", "category", mixture)


def _sorted_subsample(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return the rows that a fit uses, sorted first so that the result does not depend on their order."""
    return subsample_rows(points[np.lexsort(points.T[::-1])], seed)


# A subsample of a category's codes, their full number, centre and covariance.
CategoryRows = tuple[NDArray[np.float64], int, NDArray[np.float64], NDArray[np.float64]]
MixtureParts = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _make_fit(seed: int) -> Callable[[CategoryRows], MixtureParts]:
    return lambda category: _fit_category(*category, seed)


def _fit_category(
    points: NDArray[np.float64], count: int, centre: NDArray[np.float64], covariance: NDArray[np.float64], seed: int
) -> MixtureParts:
    """Return weights, means and covariances of one category's mixture."""
    n = points.shape[1]
    m = min(MAX_COMPONENTS, count // (ROWS_PER_COMPONENT * n))
    if m >= 2:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        floor = 1e-3 * float(np.trace(covariance)) / n
        model: Any = GaussianMixture(
            m, covariance_type="full", reg_covar=floor, init_params="kmeans", random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 100 iterations are enough
            model.fit(points)
        return model.weights_, model.means_, model.covariances_
    return np.ones(1), centre[None], covariance[None]
