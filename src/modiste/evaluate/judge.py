"""From rankings to values per query: what each query's answers are worth, by category and by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.metrics import agreement, average_precision
from modiste.evaluate.questions import Questions
from modiste.evaluate.ranking import values_of
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

DEPTHS = (10, 25, 50, 500)
COLUMNS = ("article_type", "base_colour")  # of these, the ones that the catalogue has
COLOUR = "base_colour"
TOP = 10


class Judge:
    """Knows the category and the attributes of every query and product as numbers."""

    def __init__(self, shop: Shop, questions: Questions) -> None:
        self._category = numbers(shop.catalogue.categories, questions.categories)
        held = [shop.catalogue.attributes(row) for row in range(len(shop.catalogue))]
        self._columns: dict[str, tuple[Ints, Ints]] = {}
        for column in COLUMNS:
            products = [words(each.get(column)) for each in held]
            if any(value is not None for value in products):
                asked = [words(each.get(column)) for each in questions.attributes]
                self._columns[column] = numbers(products, asked)

    def retrieval(self, ranked: Ints) -> dict[str, Any]:
        """AP at each depth, `(b,)` each, of rankings `(b, m)`."""
        products, asked = self._category
        relevant = values_of(ranked, products) == asked[:, None]
        return {str(depth): average_precision(relevant, depth) for depth in DEPTHS}

    def attributes(self, ranked: Ints) -> dict[str, Any]:
        """Per attribute column, the share of each query's top 10 that agree, `(b,)`."""
        return {
            column: agreement(asked, values_of(ranked, products), TOP)
            for column, (products, asked) in self._columns.items()
        }

    def colour_travels(self, recommended: Ints, cluster: Ints) -> dict[str, Any]:
        """The share of recommended products `(b, m)` with the query's colour, and what chance would give, `(b,)` each.

        Chance is drawing each product at random from its own cluster; `cluster` is of all products, `(N,)`. Empty where
        the catalogue has no colours.
        """
        if COLOUR not in self._columns:
            return {}
        products, asked = self._columns[COLOUR]
        known, values = products >= 0, int(max(products.max(), asked.max())) + 1
        counts = np.zeros((values, int(cluster.max()) + 1))
        np.add.at(counts, (products[known], cluster[known]), 1)
        shares = counts / np.maximum(np.bincount(cluster), 1)
        there = recommended >= 0
        drawn = np.where(there, shares[asked[:, None], cluster[recommended]], 0.0).sum(axis=1)
        sound = (asked >= 0) & there.any(axis=1)
        chance = np.divide(drawn, there.sum(axis=1), out=np.full(len(asked), np.nan), where=sound)
        answers = np.take_along_axis(values_of(recommended, products), np.argsort(~there, axis=1), axis=1)
        return {COLOUR: agreement(asked, answers, recommended.shape[1]), "chance": chance}


def spread(recommended: Ints) -> dict[str, Any]:
    """How one-sided recommendations `(b, m)` are: answers in all, distinct products, largest share of one product."""
    rows = recommended[recommended >= 0]
    counts = np.unique(rows, return_counts=True)[1]
    return {
        "answers": len(rows),
        "distinct": len(counts),
        "largest_share": float(counts.max() / len(rows)) if len(rows) else None,
    }


def words(value: Any) -> str | None:
    """A value of a categorical attribute; None where it is none."""
    return value if isinstance(value, str) and value else None


def numbers(products: Sequence[str | None], queries: Sequence[str | None]) -> tuple[Ints, Ints]:
    """The same number for the same word among products and queries; −1 for None."""
    known: dict[str | None, int] = {None: -1}
    for word in (*products, *queries):
        known.setdefault(word, len(known) - 1)
    return np.array([known[w] for w in products], np.intp), np.array([known[w] for w in queries], np.intp)
