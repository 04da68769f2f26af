"""From rankings to values per query: what each query's answers are worth, by category and by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.metrics import agreement, average_precision
from modiste.evaluate.queries import QuerySet
from modiste.evaluate.ranking import values_at
from modiste.images.colour import ciede2000
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

MAP_DEPTHS = (10, 25, 50, 500)
AGREEMENT_COLUMNS = ("article_type", "base_colour")  # of these, the ones that the catalogue has
COLOUR_COLUMN = "base_colour"
TRANSFER_COLUMNS = (
    COLOUR_COLUMN,
    "gender",
    "usage",
)  # of these, the ones that the catalogue has: what may go with a product shares
AGREEMENT_DEPTH = 10


@dataclass(frozen=True, eq=False)
class ForegroundColours:
    """The mean Lab of the foregrounds of products `(N, 3)` and of queries `(b, 3)`."""

    products: NDArray[np.float64]
    queries: NDArray[np.float64]


class RelevanceScorer:
    """Knows the category and the attributes of every query and product as numbers."""

    def __init__(self, shop: Shop, questions: QuerySet, colours: ForegroundColours | None = None) -> None:
        """`looks` are the colours that the photos show; without, none are compared."""
        self._colours = colours
        self._category = encode_labels(shop.catalogue.categories, questions.categories)
        names = tuple(dict.fromkeys((*AGREEMENT_COLUMNS, *TRANSFER_COLUMNS)))
        held = [[text_value(had.get(column)) for column in names] for *_, had in shop.catalogue.iter_products()]
        self._columns: dict[str, tuple[Ints, Ints]] = {}
        for column, products in zip(names, zip(*held, strict=True), strict=True):
            if any(value is not None for value in products):
                asked = [text_value(each.get(column)) for each in questions.attributes]
                self._columns[column] = encode_labels(products, asked)

    def retrieval(self, ranked: Ints) -> dict[str, Any]:
        """AP at each depth, `(b,)` each, of rankings `(b, m)`."""
        products, asked = self._category
        relevant = values_at(ranked, products) == asked[:, None]
        return {str(depth): average_precision(relevant, depth) for depth in MAP_DEPTHS}

    def attribute_agreement(self, ranked: Ints) -> dict[str, Any]:
        """Per attribute column, the share of each query's top 10 that agree, `(b,)`."""
        return {
            column: agreement(asked, values_at(ranked, products), AGREEMENT_DEPTH)
            for column, (products, asked) in self._columns.items()
            if column in AGREEMENT_COLUMNS
        }

    def attribute_transfer(self, recommended: Ints, cluster: Ints) -> dict[str, Any]:
        """What recommended products `(b, m)` share with the query, `(b,)` each; `cluster` is of all products, `(N,)`.

        Of each column of TRAVELS the share that agrees, and for the colour by name `chance`: what drawing each product
        at random from its own cluster would give. `ciede2000` is the mean difference of the foregrounds' colours.
        Only what the catalogue has, and knows of the query.
        """
        found: dict[str, Any] = {}
        there = recommended >= 0
        order = np.argsort(~there, axis=1, kind="stable")
        for column in TRANSFER_COLUMNS:
            if column in self._columns:
                products, asked = self._columns[column]
                answers = np.take_along_axis(values_at(recommended, products), order, axis=1)
                found[column] = agreement(asked, answers, recommended.shape[1])
        if COLOUR_COLUMN in self._columns:
            found["chance"] = self._chance_agreement(recommended, cluster)
        if self._colours is not None:
            apart = ciede2000(self._colours.queries[:, None], self._colours.products[recommended])
            found["ciede2000"] = np.divide(
                np.where(there, apart, 0.0).sum(axis=1),
                there.sum(axis=1),
                out=np.full(len(recommended), np.nan),
                where=there.any(axis=1),
            )
        return found

    def _chance_agreement(self, recommended: Ints, cluster: Ints) -> NDArray[np.float64]:
        products, asked = self._columns[COLOUR_COLUMN]
        known, values = products >= 0, int(max(products.max(), asked.max())) + 1
        counts = np.zeros((values, int(cluster.max()) + 1))
        np.add.at(counts, (products[known], cluster[known]), 1)
        shares = counts / np.maximum(np.bincount(cluster), 1)
        there = recommended >= 0
        drawn = np.where(there, shares[asked[:, None], cluster[recommended]], 0.0).sum(axis=1)
        sound = (asked >= 0) & there.any(axis=1)
        return np.divide(drawn, there.sum(axis=1), out=np.full(len(asked), np.nan), where=sound)


def diversity(recommended: Ints) -> dict[str, Any]:
    """How one-sided recommendations `(b, m)` are: answers in all, distinct products, largest share of one product."""
    rows = recommended[recommended >= 0]
    counts = np.unique(rows, return_counts=True)[1]
    return {
        "answers": len(rows),
        "distinct": len(counts),
        "largest_share": float(counts.max() / len(rows)) if len(rows) else None,
    }


def text_value(value: Any) -> str | None:
    """A value of a categorical attribute; None where it is none."""
    return value if isinstance(value, str) and value else None


def encode_labels(products: Sequence[str | None], queries: Sequence[str | None]) -> tuple[Ints, Ints]:
    """The same number for the same word among products and queries; −1 for None."""
    known: dict[str | None, int] = {None: -1}
    for word in (*products, *queries):
        known.setdefault(word, len(known) - 1)
    return np.array([known[w] for w in products], np.intp), np.array([known[w] for w in queries], np.intp)
