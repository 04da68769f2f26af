"""Clusters that are the shop's own categories: which one a design belongs to is learnt from the products' codes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount
from modiste.latent.clusters import Clusters
from modiste.latent.mixture import ROWS_PER_COMPONENT, Mixture, subsample_rows
from modiste.latent.optimal_transport import Moments
from modiste.latent.posterior import check_code
from modiste.parallel import MapFn, sequential

MAX_COMPONENTS = 6  # per category: a category is no single Gaussian, and with many more each says less


def fit_categories(
    codes: ArrayLike, categories: Sequence[str], seed: int = 0, map_fn: MapFn = sequential
) -> Clusters:
    """One cluster per category, largest first, and a mixture by which any code `(n,)` finds its category.

    Each category's codes get a full-covariance Gaussian mixture of up to six components, or, where they are few, one
    Gaussian that leans on the covariance of all categories. A code belongs to the category of the component most
    responsible for it: discriminant analysis by mixtures (Hastie and Tibshirani 1996). What the catalogue's own
    products belong to is not asked of it: they have their tags.

    Args:
        codes: `(N, n)`; a product may have several.
        categories: the category of each code, `N` of them.
        each: does the fits, one for each category.

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
    place = {name: number for number, name in enumerate(names)}
    of = np.array([place[name] for name in categories], np.intp)
    moments = Moments.fit(points, of, len(names))
    pieces = (
        (_sorted_subsample(points[of == j], seed), counts[name], moments.centres[j], moments.covariances[j])
        for j, name in enumerate(names)
    )
    parts = list(map_fn(_make_fit, seed, pieces))
    weights = [part[0] * np.mean(of == j) for j, part in enumerate(parts)]
    mixture = Mixture(
        np.concatenate(weights),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.repeat(np.arange(len(names), dtype=np.intp), [len(part[0]) for part in parts]),
    )
    return Clusters(moments.centres.astype(np.float32), tuple(names), "code", "category", mixture)


def _sorted_subsample(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """What of a category's codes a fit takes; the answer must not hang on the order of the rows."""
    return subsample_rows(points[np.lexsort(points.T[::-1])], seed)


# Some codes of a category, how many it has, their centre and covariance; weights, means, covariances of its mixture.
CategoryRows = tuple[NDArray[np.float64], int, NDArray[np.float64], NDArray[np.float64]]
MixtureParts = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _make_fit(seed: int) -> Callable[[CategoryRows], MixtureParts]:
    return lambda category: _fit_category(*category, seed)


def _fit_category(
    points: NDArray[np.float64],
    count: int,
    centre: NDArray[np.float64],
    covariance: NDArray[np.float64],
    seed: int,
) -> MixtureParts:
    """Weights, means and covariances of one category's mixture."""
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
            warnings.simplefilter("ignore", ConvergenceWarning)  # where 100 rounds end is good enough
            model.fit(points)
        return model.weights_, model.means_, model.covariances_
    return np.ones(1), centre[None], covariance[None]
