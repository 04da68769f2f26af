"""Means and 95 % bootstrap intervals of values per query, in nested dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.metrics import CLASS_SCORES, class_scores

RESAMPLES = 1000
INTERVAL_PERCENTILES = (2.5, 97.5)  # per cent

Tree = dict[str, Any]


def mean_tree(values: Any) -> Any:
    """Return the tree with each array of values replaced by its mean; None if all values are NaN."""
    if isinstance(values, dict):
        return {key: mean_tree(value) for key, value in values.items()}
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


class Bootstrap:
    """Percentile intervals from resampled queries (Efron 1979). The same seed gives the same intervals."""

    def __init__(self, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self._seed = seed
        self._resamples = resamples
        self._weights_by_count: dict[int, NDArray[np.float64]] = {}

    def intervals(self, values: Any) -> Any:
        """Return the tree with each array of values `(b,)` replaced by [low, high] of its mean; None if all are NaN."""
        if isinstance(values, dict):
            return {key: self.intervals(value) for key, value in values.items()}
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        return self._interval(self._weights(len(known)) @ known)

    def class_intervals(self, table: NDArray[np.intp], names: list[str]) -> Tree:
        """Return intervals of the class scores of a confusion matrix `(c, c)`, from resampled products.

        The clusters and their categories stay fixed: the intervals describe the choice of products, not the fit.
        """
        count = int(table.sum())
        random = np.random.default_rng([self._seed, 1])
        drawn = random.multinomial(count, table.ravel() / count, size=self._resamples)
        scores = class_scores(drawn.reshape(self._resamples, *table.shape))
        per_class = {
            name: {score: self._interval(scores[score][:, row]) for score in CLASS_SCORES}
            for row, name in enumerate(names)
        }
        return {"per_class": per_class, "macro_f1": self._interval(scores["f1"].mean(axis=1))}

    def _weights(self, count: int) -> NDArray[np.float64]:
        """Return the weights of `count` values in each resample, `(resamples, count)`, the same for all arrays."""
        if count not in self._weights_by_count:
            random = np.random.default_rng([self._seed, 0])
            self._weights_by_count[count] = (
                random.multinomial(count, np.full(count, 1 / count), size=self._resamples) / count
            )
        return self._weights_by_count[count]

    def _interval(self, drawn: NDArray[np.float64]) -> list[float]:
        low, high = np.percentile(drawn, INTERVAL_PERCENTILES)
        return [float(low), float(high)]


class MethodResult:
    """Result of one method.

    Attributes:
        values: arrays of values per query, whose means are reported with an interval.
        single_figures: figures of all queries together, reported without an interval.
    """

    def __init__(self, values: Tree, clusters: dict[str, tuple[Tree, Tree]], single_figures: Tree) -> None:
        """Create a result; `clusters` are scores of clusters by name, with their intervals."""
        self.values = values
        self.single_figures = single_figures
        self._clusters = clusters

    def figures(self) -> Tree:
        """Return all figures: means over the queries, cluster scores and single figures."""
        clusters = {name: scores for name, (scores, _) in self._clusters.items()}
        tree = ({"clusters": clusters} if clusters else {}) | mean_tree(self.values)
        _merge(tree, self.single_figures)
        return tree

    def intervals(self, bootstrap: Bootstrap) -> Tree:
        """Return the intervals of all figures except single ones, in the same shape."""
        clusters = {name: intervals for name, (_, intervals) in self._clusters.items()}
        return ({"clusters": clusters} if clusters else {}) | bootstrap.intervals(self.values)


def _merge(tree: Tree, other: Tree) -> None:
    """Add the figures of another tree to `tree`, in place."""
    for key, value in other.items():
        if isinstance(value, dict):
            _merge(tree.setdefault(key, {}), value)
        else:
            tree[key] = value
