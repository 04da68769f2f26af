"""Figures and their 95 % bootstrap intervals, over trees of per-query values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.metrics import CLASS_SCORES, class_scores

RESAMPLES = 1000
INTERVAL_PERCENTILES = (2.5, 97.5)  # per cent

Tree = dict[str, Any]


def mean_tree(values: Any) -> Any:
    """The tree with every array of values replaced by its mean; None where there is none. NaN is no value."""
    if isinstance(values, dict):
        return {key: mean_tree(value) for key, value in values.items()}
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


class Bootstrap:
    """Percentile intervals from resampled queries (Efron 1979); the same seed gives the same intervals."""

    def __init__(self, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self._seed = seed
        self._resamples = resamples
        self._weights_by_count: dict[int, NDArray[np.float64]] = {}

    def intervals(self, values: Any) -> Any:
        """The tree with every array of values `(b,)` replaced by [low, high] of its mean; None where there is none."""
        if isinstance(values, dict):
            return {key: self.intervals(value) for key, value in values.items()}
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        return self._interval(self._weights(len(known)) @ known)

    def class_intervals(self, table: NDArray[np.intp], names: list[str]) -> Tree:
        """Intervals of the class scores of true by predicted counts `(c, c)`, resampling the products.

        The clusters and what they stand for are held fixed: this is the uncertainty of the products, not of the fit.
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
        """How much each of `count` values weighs in each round, `(rounds, count)`; kept, so that all share the draw."""
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
    """Values per query in a tree, clusters' scores with their intervals, and figures that have none (`alone`)."""

    def __init__(self, values: Tree, clusters: dict[str, tuple[Tree, Tree]], single_figures: Tree) -> None:
        self.values = values
        self.single_figures = single_figures
        self._clusters = clusters

    def figures(self) -> Tree:
        """All of them, means over the queries."""
        clusters = {name: scores for name, (scores, _) in self._clusters.items()}
        tree = ({"clusters": clusters} if clusters else {}) | mean_tree(self.values)
        _merge(tree, self.single_figures)
        return tree

    def intervals(self, bootstrap: Bootstrap) -> Tree:
        """What all but those alone lie between, in the same shapes."""
        clusters = {name: between for name, (_, between) in self._clusters.items()}
        return ({"clusters": clusters} if clusters else {}) | bootstrap.intervals(self.values)


def _merge(tree: Tree, more: Tree) -> None:
    """Put the figures of `more` into the tree, where they belong."""
    for key, value in more.items():
        if isinstance(value, dict):
            _merge(tree.setdefault(key, {}), value)
        else:
            tree[key] = value
