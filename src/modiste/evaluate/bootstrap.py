"""Figures and their 95 % bootstrap intervals, over trees of per-query values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.metrics import SCORES, class_scores

ROUNDS = 1000
LEVELS = (2.5, 97.5)  # per cent

Tree = dict[str, Any]


def means(values: Any) -> Any:
    """The tree with every array of values replaced by its mean; None where there is none. NaN is no value."""
    if isinstance(values, dict):
        return {key: means(value) for key, value in values.items()}
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


class Bootstrap:
    """Percentile intervals from resampled queries (Efron 1979); the same seed gives the same intervals."""

    def __init__(self, seed: int = 0, rounds: int = ROUNDS) -> None:
        self._seed = seed
        self._rounds = rounds
        self._drawn: dict[int, NDArray[np.float64]] = {}

    def intervals(self, values: Any) -> Any:
        """The tree with every array of values `(b,)` replaced by [low, high] of its mean; None where there is none."""
        if isinstance(values, dict):
            return {key: self.intervals(value) for key, value in values.items()}
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        return self._between(self._weights(len(known)) @ known)

    def classes(self, table: NDArray[np.intp], names: list[str]) -> Tree:
        """Intervals of the class scores of true by predicted counts `(c, c)`, resampling the products.

        The clusters and what they stand for are held fixed: this is the uncertainty of the products, not of the fit.
        """
        count = int(table.sum())
        random = np.random.default_rng([self._seed, 1])
        drawn = random.multinomial(count, table.ravel() / count, size=self._rounds)
        scores = class_scores(drawn.reshape(self._rounds, *table.shape))
        per_class = {
            name: {score: self._between(scores[score][:, row]) for score in SCORES}
            for row, name in enumerate(names)
        }
        return {"per_class": per_class, "macro_f1": self._between(scores["f1"].mean(axis=1))}

    def _weights(self, count: int) -> NDArray[np.float64]:
        """How much each of `count` values weighs in each round, `(rounds, count)`; kept, so that all share the draw."""
        if count not in self._drawn:
            random = np.random.default_rng([self._seed, 0])
            self._drawn[count] = (
                random.multinomial(count, np.full(count, 1 / count), size=self._rounds) / count
            )
        return self._drawn[count]

    def _between(self, drawn: NDArray[np.float64]) -> list[float]:
        low, high = np.percentile(drawn, LEVELS)
        return [float(low), float(high)]


class Measured:
    """Values per query in a tree, clusters' scores with their intervals, and figures that have none (`alone`)."""

    def __init__(self, measured: Tree, clusters: dict[str, tuple[Tree, Tree]], alone: Tree) -> None:
        self.measured = measured
        self.alone = alone
        self._clusters = clusters

    def figures(self) -> Tree:
        """All of them, means over the queries."""
        clusters = {name: scores for name, (scores, _) in self._clusters.items()}
        tree = ({"clusters": clusters} if clusters else {}) | means(self.measured)
        _graft(tree, self.alone)
        return tree

    def intervals(self, bootstrap: Bootstrap) -> Tree:
        """What all but those alone lie between, in the same shapes."""
        clusters = {name: between for name, (_, between) in self._clusters.items()}
        return ({"clusters": clusters} if clusters else {}) | bootstrap.intervals(self.measured)


def _graft(tree: Tree, more: Tree) -> None:
    """Put the figures of `more` into the tree, where they belong."""
    for key, value in more.items():
        if isinstance(value, dict):
            _graft(tree.setdefault(key, {}), value)
        else:
            tree[key] = value
