"""Scores and distances in words, relative to how near the shop's products lie to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from modiste.search.index import LatentIndex
from modiste.shop.sampling import sample_rows

Closeness = Literal["almost the same", "very close", "close", "related", "distant"]
TypicalityWord = Literal["typical of the shop", "unusual", "unlike anything in the shop"]
WORDS: tuple[Closeness, ...] = get_args(Closeness)
# The threshold of each word but the last: (rank, percentile). A score is "almost the same" if it is at least as near as
# the nearest neighbour (rank 1) is in the 25th percentile of products.
QUANTILES = ((1, 25), (3, 50), (25, 50), (250, 50))
SCORINGS = (
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
)
SAMPLE_PRODUCTS = 500
# The word for a code, by the share of products that are farther from their nearest neighbour than the code is.
TYPICALITY_WORDS: tuple[tuple[float, TypicalityWord], ...] = (
    (0.1, "typical of the shop"),
    (0.01, "unusual"),
    (0.0, "unlike anything in the shop"),
)


@dataclass(frozen=True, slots=True)
class Typicality:
    """How typical a code is of the shop.

    `share` is the share of products that are farther from their nearest neighbour than the code is, `word` is that in
    words, and `nearest` is the id of the product nearest to the code.
    """

    share: float
    word: TypicalityWord
    nearest: str


def threshold_key(method: str, metric: str) -> str:
    """Return the key of a scoring's thresholds in the map."""
    return method if method == "likelihood" else f"{method}/{metric}"


def measure_thresholds(index: LatentIndex, codes: NDArray[np.float32]) -> dict[str, list[float]]:
    """Return the thresholds of each scoring: the scores of products' neighbours at the QUANTILES.

    `codes` are those of all products, `(N, n)`, rows as in the index.
    """
    rows = sample_rows(len(codes), SAMPLE_PRODUCTS, 0)
    neighbours = QUANTILES[-1][0]
    return {
        threshold_key(method, metric): compute_thresholds(
            _neighbour_scores(index, codes, rows, neighbours, method, metric), method
        )
        for method, metric in SCORINGS
    }


def compute_thresholds(scores: NDArray[np.float64], method: str) -> list[float]:
    """Return the QUANTILES of the scores of `b` products' neighbours, `(b, m)`, best first; 0 if m is 0."""
    if scores.shape[1] == 0:
        return [0.0] * len(QUANTILES)
    sign = -1.0 if method == "likelihood" else 1.0
    return [
        sign * float(np.percentile(sign * scores[:, min(rank, scores.shape[1]) - 1], percentile))
        for rank, percentile in QUANTILES
    ]


def describe_score(score: float, thresholds: Sequence[float], *, higher_is_nearer: bool) -> Closeness:
    """Return the word for a score."""
    sign = -1.0 if higher_is_nearer else 1.0
    for word, threshold in zip(WORDS, thresholds, strict=False):
        if sign * score <= sign * threshold:
            return word
    return WORDS[-1]


def measure_neighbour_distances(
    index: LatentIndex, codes: NDArray[np.float32], std: NDArray[np.float32]
) -> list[float]:
    """Return the percentiles, 0 to 100, of the distance from a product's fixed-epsilon code to its nearest other.

    The distance of a product is at least the width ‖std‖ of its posterior, since a code within it is the same product.
    Otherwise no code would be typical of a shop of near-duplicates, or of one product.
    """
    rows = sample_rows(len(codes), 4 * SAMPLE_PRODUCTS, 0)
    distances = np.linalg.norm(std[rows].astype(np.float64), axis=1)
    if len(codes) > 1:
        distances = np.maximum(distances, _neighbour_scores(index, codes, rows, 1, "fixed-epsilon", "euclidean")[:, 0])
    return [float(value) for value in np.percentile(distances, np.arange(101))]


def describe_typicality(distance: float, neighbour_distances: list[float]) -> tuple[float, TypicalityWord]:
    """Return the typicality, share and word, of a code whose nearest product is at `distance`."""
    percentiles = np.asarray(neighbour_distances, np.float64)
    share = 1.0 - float(np.interp(distance, percentiles, np.linspace(0.0, 1.0, 101)))
    if distance <= percentiles[0]:
        share = 1.0  # if several percentiles are equal, interpolation would take the last
    return share, next(word for least, word in TYPICALITY_WORDS if share >= least)


def _neighbour_scores(
    index: LatentIndex, codes: NDArray[np.float32], rows: NDArray[np.intp], neighbours: int, method: str, metric: str
) -> NDArray[np.float64]:
    """Return the scores of the nearest products to those in `rows`, without themselves, `(b, ≤ neighbours)`."""
    k = min(neighbours + 1, len(codes))
    nearest, scores = index.nearest(codes[rows], k, method=method, metric=metric)
    is_own: NDArray[Any] = nearest == rows[:, None]
    # Others that are as near may have pushed a product itself off the end: drop the last instead.
    is_own[~is_own.any(axis=1), -1] = True
    return scores[~is_own].reshape(len(rows), k - 1)
