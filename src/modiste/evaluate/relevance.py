"""Scores of rankings, one value per query: relevance by category, agreement by attribute."""

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
COLOUR_COLUMN = "base_colour"
# Attributes that similar products share, and that recommendations share. Those that the catalogue has are measured.
AGREEMENT_COLUMNS = ("article_type", COLOUR_COLUMN)
TRANSFER_COLUMNS = (COLOUR_COLUMN, "gender", "usage")
AGREEMENT_DEPTH = 10


@dataclass(frozen=True, eq=False)
class ForegroundColours:
    """Mean Lab colours of the foregrounds of products `(N, 3)` and of queries `(b, 3)`."""

    products: NDArray[np.float64]
    queries: NDArray[np.float64]


class RelevanceScorer:
    """Scores rankings of a shop's products for a set of queries."""

    def __init__(self, shop: Shop, queries: QuerySet, colours: ForegroundColours | None = None) -> None:
        """Create a scorer. Without `colours`, the photos' colours are not compared."""
        self._colours = colours
        self._category = encode_labels(shop.catalogue.categories, queries.categories)
        names = tuple(dict.fromkeys((*AGREEMENT_COLUMNS, *TRANSFER_COLUMNS)))
        values = [
            [text_value(attributes.get(column)) for column in names]
            for *_, attributes in shop.catalogue.iter_products()
        ]
        self._columns: dict[str, tuple[Ints, Ints]] = {}
        for column, product_values in zip(names, zip(*values, strict=True), strict=True):
            if any(value is not None for value in product_values):
                query_values = [text_value(attributes.get(column)) for attributes in queries.attributes]
                self._columns[column] = encode_labels(product_values, query_values)

    def retrieval(self, ranked: Ints) -> dict[str, Any]:
        """Return AP at each of MAP_DEPTHS, `(b,)` each, of rankings `(b, m)`."""
        product_categories, query_categories = self._category
        relevant = values_at(ranked, product_categories) == query_categories[:, None]
        return {str(depth): average_precision(relevant, depth) for depth in MAP_DEPTHS}

    def attribute_agreement(self, ranked: Ints) -> dict[str, Any]:
        """Return, for each attribute, the share of each query's top 10 that agree with it, `(b,)`."""
        return {
            column: agreement(query_values, values_at(ranked, product_values), AGREEMENT_DEPTH)
            for column, (product_values, query_values) in self._columns.items()
            if column in AGREEMENT_COLUMNS
        }

    def attribute_transfer(self, recommended: Ints, product_clusters: Ints) -> dict[str, Any]:
        """Return what recommended products share with their query, `(b,)` each.

        Args:
            recommended: rows of the products, `(b, m)`; −1 stands for "no product".
            product_clusters: cluster of each product, `(N,)`.

        Returns:
            For each of TRANSFER_COLUMNS that the catalogue has, the share of products that agree with the query;
            `chance`, the share that would have its colour if each product were drawn at random from its cluster; and
            `ciede2000`, the mean difference between the foregrounds' colours. NaN for a query without the attribute.
        """
        scores: dict[str, Any] = {}
        is_product = recommended >= 0
        order = np.argsort(~is_product, axis=1, kind="stable")
        for column in TRANSFER_COLUMNS:
            if column in self._columns:
                product_values, query_values = self._columns[column]
                result_values = np.take_along_axis(values_at(recommended, product_values), order, axis=1)
                scores[column] = agreement(query_values, result_values, recommended.shape[1])
        if COLOUR_COLUMN in self._columns:
            scores["chance"] = self._chance_agreement(recommended, product_clusters)
        if self._colours is not None:
            differences = ciede2000(self._colours.queries[:, None], self._colours.products[recommended])
            scores["ciede2000"] = np.divide(
                np.where(is_product, differences, 0.0).sum(axis=1),
                is_product.sum(axis=1),
                out=np.full(len(recommended), np.nan),
                where=is_product.any(axis=1),
            )
        return scores

    def _chance_agreement(self, recommended: Ints, product_clusters: Ints) -> NDArray[np.float64]:
        product_values, query_values = self._columns[COLOUR_COLUMN]
        known, value_count = product_values >= 0, int(max(product_values.max(), query_values.max())) + 1
        counts = np.zeros((value_count, int(product_clusters.max()) + 1))
        np.add.at(counts, (product_values[known], product_clusters[known]), 1)
        shares = counts / np.maximum(np.bincount(product_clusters), 1)
        is_product = recommended >= 0
        expected = np.where(is_product, shares[query_values[:, None], product_clusters[recommended]], 0.0).sum(axis=1)
        defined = (query_values >= 0) & is_product.any(axis=1)
        return np.divide(expected, is_product.sum(axis=1), out=np.full(len(query_values), np.nan), where=defined)


def diversity(recommended: Ints) -> dict[str, Any]:
    """Return how diverse recommendations `(b, m)` are.

    Returns:
        `answers`, the number of recommended products; `distinct`, the number of different ones; `largest_share`, the
        share of the most frequent one.
    """
    rows = recommended[recommended >= 0]
    counts = np.unique(rows, return_counts=True)[1]
    return {
        "answers": len(rows),
        "distinct": len(counts),
        "largest_share": float(counts.max() / len(rows)) if len(rows) else None,
    }


def text_value(value: Any) -> str | None:
    """Return a value of a categorical attribute; None if it is not text, or is empty."""
    return value if isinstance(value, str) and value else None


def encode_labels(products: Sequence[str | None], queries: Sequence[str | None]) -> tuple[Ints, Ints]:
    """Return the labels of products and queries as numbers; equal labels get equal numbers, None gets −1."""
    numbers: dict[str | None, int] = {None: -1}
    for label in (*products, *queries):
        numbers.setdefault(label, len(numbers) - 1)
    return np.array([numbers[each] for each in products], np.intp), np.array(
        [numbers[each] for each in queries], np.intp
    )
