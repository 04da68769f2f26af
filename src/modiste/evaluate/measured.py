"""Measured: what one method reached, as figures and as intervals, in the shapes that `evaluate` returns."""

from __future__ import annotations

from modiste.evaluate.intervals import Bootstrap, Tree, means


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
