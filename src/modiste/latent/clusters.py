"""Clusters of codes: centres, labels, assignment, K-means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.choices import ClusterFeatures, ClusterMethod
from modiste.errors import BadCount, SchemaError
from modiste.latent.fixed_epsilon import check_code
from modiste.latent.mixture import Mixture, fit_merged_mixture, subsample_rows
from modiste.parallel import MapFn, sequential

FLOAT32_MAX = float(np.finfo(np.float32).max)
REMEDY = "Cluster again with `modiste cluster`."
KMEANS_STARTS = 10  # of K-means; the best is used
ASSIGN_BATCH_ROWS = 65_536  # codes assigned at once


@dataclass(frozen=True, eq=False)
class Clusters:
    """`k` clusters over codes or posterior means.

    `centres` are the means of the codes assigned to each cluster, float32 `(k, n)`. With the method "kmeans" a code
    belongs to its nearest centre; with "mixture" and "category", to the group of its most responsible component. With
    "category" the clusters are the shop's own categories, and `labels` are their names.
    """

    centres: NDArray[np.float32]
    labels: tuple[str, ...]
    features: ClusterFeatures
    method: ClusterMethod
    mixture: Mixture | None = None

    def __len__(self) -> int:
        return len(self.centres)

    def assign(self, codes: ArrayLike, map_fn: MapFn = sequential) -> NDArray[np.intp]:
        """Return the cluster of each code: `(b,)` for `(b, n)`, an array of no dimension for `(n,)`.

        Raises BadCode if a code has the wrong length or is not finite.
        """
        checked = check_code(codes, self.centres.shape[1])
        batch = np.atleast_2d(checked)
        batches = (batch[start : start + ASSIGN_BATCH_ROWS] for start in range(0, len(batch), ASSIGN_BATCH_ROWS))
        assignments = list(map_fn(_make_assign, (self.centres, self.mixture), batches))
        return np.concatenate(assignments or [np.empty(0, np.intp)]).reshape(checked.shape[:-1])

    def to_dict(self) -> dict[str, Any]:
        """Return the clusters as JSON: numbers, strings, lists."""
        return {
            "method": self.method,
            "on": self.features,
            "labels": list(self.labels),
            "centres": self.centres.tolist(),
            "mixture": None if self.mixture is None else self.mixture.to_dict(),
        }

    @classmethod
    def from_dict(cls, raw: Any) -> Clusters:
        """Read what `to_dict` wrote. Raises SchemaError if an entry is missing or wrong; the message names it."""
        if not isinstance(raw, dict):
            raise SchemaError(f"Clusters must be an object, not {type(raw).__name__}.", remedy=REMEDY)
        entries = cast("dict[str, Any]", raw)
        method, on, labels = entries.get("method"), entries.get("on"), entries.get("labels")
        centres = parse_numbers(entries.get("centres"), "centres", 2).astype(np.float32)
        k, n = centres.shape
        if method not in ("kmeans", "mixture", "category") or on not in ("code", "mean"):
            raise SchemaError(f"The clusters say method {method!r}, on {on!r}.", remedy=REMEDY)
        if not isinstance(labels, list) or len(labels) != k or not all(isinstance(x, str) for x in labels):
            raise SchemaError(f"The clusters have {k} centres and the labels {labels!r}.", remedy=REMEDY)
        mixture = None
        if method != "kmeans":
            raw_mixture: Any = entries.get("mixture")
            if not isinstance(raw_mixture, dict):
                raise SchemaError("The clusters have no mixture.", remedy=REMEDY)
            groups = parse_numbers(raw_mixture.get("groups"), "groups", 1)
            if (groups != groups.clip(0, k - 1).round()).any():
                raise SchemaError(f"A group of the mixture is none of the {k} clusters.", remedy=REMEDY)
            mixture = Mixture(
                parse_numbers(raw_mixture.get("weights"), "weights", 1),
                parse_numbers(raw_mixture.get("means"), "means", 2),
                parse_numbers(raw_mixture.get("covariances"), "covariances", 3),
                groups.astype(np.intp),
            )
            if (problem := mixture.problem(k, n)) is not None:
                raise SchemaError(f"The mixture is damaged: {problem}.", remedy=REMEDY)
        return cls(centres, tuple(cast("list[str]", labels)), on, method, mixture)


def _make_assign(
    model: tuple[NDArray[np.float32] | NDArray[np.float64], Mixture | None],
) -> Callable[[NDArray[Any]], NDArray[np.intp]]:
    """Return a function from codes `(b, n)` to their clusters, `(b,)`."""
    centres, mixture = model

    def assign(codes: NDArray[Any]) -> NDArray[np.intp]:
        codes64 = codes.astype(np.float64)
        return nearest_centre(codes64, centres) if mixture is None else mixture.assign_groups(codes64)

    return assign


def nearest_centre(codes: NDArray[np.float64], centres: ArrayLike) -> NDArray[np.intp]:
    """Return the nearest centre by Euclidean distance, `(b,)`; the first of several at the same distance."""
    points = np.asarray(centres, np.float64)
    middle = points.mean(axis=0)  # centred, the expanded square loses the least precision
    codes, points = codes - middle, points - middle
    return (np.square(points).sum(axis=1) - 2.0 * codes @ points.T).argmin(axis=1)


def parse_numbers(raw: Any, name: str, ndim: int) -> NDArray[np.float64]:
    """Convert nested lists of finite numbers to a float64 array that is not empty.

    Raises SchemaError if the value is something else.
    """
    try:
        array = np.array(raw)
        is_valid = array.dtype.kind in "fiu" and array.ndim == ndim and array.size > 0
    except ValueError:
        is_valid, array = False, np.empty(0)
    if not is_valid or not (np.abs(array) <= FLOAT32_MAX).all():
        raise SchemaError(f"{name} must be finite numbers in {ndim} dimension(s).", remedy=REMEDY)
    return array.astype(np.float64)


def name_clusters(assignments: ArrayLike, categories: Sequence[str]) -> tuple[str, ...]:
    """Name each cluster 0 … max(assignments) after the category that most of its products have.

    Where several clusters share a category, the one with most of it keeps the plain name and the others are numbered:
    "footwear", "footwear 2". A cluster without products is called "empty".

    Args:
        assignments: the cluster of each product, `(N,)`.
        categories: the category of each product, `N` of them.
    """
    clusters = np.asarray(assignments, np.intp)
    counts = [Counter[str]() for _ in range(int(clusters.max(initial=-1)) + 1)]
    for cluster, category in zip(clusters.tolist(), categories, strict=True):
        counts[cluster][str(category)] += 1
    # Most products first, then by name, so that the result does not depend on the order of the rows.
    best = [min(count.items(), key=lambda pair: (-pair[1], pair[0]), default=("empty", 0)) for count in counts]
    names: dict[int, str] = {}
    for cluster in sorted(range(len(best)), key=lambda j: (-best[j][1], j)):
        name, number = best[cluster][0], 2
        base = name
        while name in names.values():
            name, number = f"{base} {number}", number + 1
        names[cluster] = name
    return tuple(names[cluster] for cluster in range(len(best)))


def fit_kmeans(codes: ArrayLike, k: int, seed: int = 0, map_fn: MapFn = sequential) -> Clusters:
    """Cluster codes `(N, n)` with K-means++ (scikit-learn, best of 10 starts); clusters are named by number.

    `map_fn` runs the starts; the result does not depend on it. Raises BadCount if k is below 1, or over the number of
    different codes and BadCode if a code is not finite.
    """
    points = _check_points(codes, k)
    return _order_by_size(
        points, nearest_centre(points, _fit_kmeans_centres(points, k, seed, map_fn)), k, "kmeans", None
    )


def fit_mixture(codes: ArrayLike, k: int, seed: int = 0, map_fn: MapFn = sequential) -> Clusters:
    """Fit a full-covariance Gaussian mixture to codes `(N, n)` and merge it to `k` groups, named by number.

    K-means expects round clusters of equal size, which product categories are not. About 16 Gaussians follow any shape;
    then the two groups that overlap most (Bhattacharyya distance, average linkage) are merged until k are left. Where
    the codes are too few or too similar for that, the result is that of K-means, as its `method` says. `map_fn` runs
    the starts. Raises BadCount if k is below 1, or over the number of different codes and BadCode if a code is not
    finite.
    """
    points = _check_points(codes, k)
    mixture = fit_merged_mixture(points, k, seed, map_fn)
    if mixture is None:
        return fit_kmeans(codes, k, seed, map_fn)
    return _order_by_size(points, mixture.assign_groups(points), k, "mixture", mixture)


def _check_points(codes: ArrayLike, k: int) -> NDArray[np.float64]:
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
            f"k is {k}; there are {different} different codes to cluster.", remedy=f"Give a k from 1 to {different}."
        )
    return points


def _fit_kmeans_centres(points: NDArray[np.float64], k: int, seed: int, map_fn: MapFn) -> NDArray[np.float64]:
    ordered = points[np.lexsort(points.T[::-1])]  # the result must not depend on the order of the rows
    starts = map_fn(_make_kmeans_start, (subsample_rows(ordered, seed), k, seed), range(KMEANS_STARTS))
    return min(starts, key=lambda start: start[0])[1]


def _make_kmeans_start(
    parameters: tuple[NDArray[np.float64], int, int],
) -> Callable[[int], tuple[float, NDArray[np.float64]]]:
    """Return a function that runs one start and returns its inertia and its centres, `(k, n)`."""
    points, k, seed = parameters

    def start(number: int) -> tuple[float, NDArray[np.float64]]:
        from sklearn.cluster import KMeans

        settings: dict[str, Any] = {"init": "k-means++", "n_init": 1, "random_state": seed + KMEANS_STARTS * number}
        model: Any = KMeans(k, **settings).fit(points)
        return float(model.inertia_), model.cluster_centers_

    return start


def _order_by_size(
    points: NDArray[np.float64], groups: NDArray[np.intp], k: int, method: ClusterMethod, mixture: Mixture | None
) -> Clusters:
    """Return the clusters by size, largest first, so that their numbers do not depend on the order of the rows."""
    means = np.stack([points[groups == j].mean(axis=0) for j in range(k)])
    sizes = np.bincount(groups, minlength=k)
    order = np.lexsort((*means.T[::-1], -sizes))
    rank = np.empty(k, np.intp)
    rank[order] = np.arange(k)
    if mixture is not None:
        mixture = Mixture(mixture.weights, mixture.means, mixture.covariances, rank[mixture.groups])
    labels = tuple(f"cluster {j}" for j in range(k))
    return Clusters(means[order].astype(np.float32), labels, "code", method, mixture)
