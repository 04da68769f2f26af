"""How near is near: scores and distances in words, by how near the catalogue's own products lie to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.search.index import LatentIndex
from modiste.shop.sampling import sample_rows

WORDS = ("almost the same", "very close", "close", "related", "distant")
# What a word means: as near as which neighbour of a product, and of which percentile of the products. As near as the
# nearest is to the quarter of products that have the nearest neighbours: almost the same; and so on.
QUANTILES = ((1, 25), (3, 50), (25, 50), (250, 50))
SCORINGS = (
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
)
SAMPLE_PRODUCTS = 500
# By the share of products that are lonelier.
TYPICALITY_WORDS = ((0.1, "typical of the shop"), (0.01, "unusual"), (0.0, "unlike anything in the shop"))


@dataclass(frozen=True, slots=True)
class Typicality:
    """How typical a code is: `share` of the shop's products lie lonelier than it, `word` says it, `nearest` is the id
    of the product nearest to it."""

    share: float
    word: str
    nearest: str


def threshold_key(method: str, metric: str) -> str:
    """The name under which the thresholds of a question are kept."""
    return method if method == "likelihood" else f"{method}/{metric}"


def measure_thresholds(
    index: LatentIndex, codes: NDArray[np.float32], *, sample: int = SAMPLE_PRODUCTS, seed: int = 0
) -> dict[str, list[float]]:
    """For each question the scores at the LADDER: how near products' neighbours are, themselves left out.

    Args:
        codes: of all products, `(N, n)`, rows as in the index.
    """
    rows = sample_rows(len(codes), sample, seed)
    most = QUANTILES[-1][0]
    return {
        threshold_key(method, metric): compute_thresholds(
            _neighbour_scores(index, codes, rows, most, method, metric), method
        )
        for method, metric in SCORINGS
    }


def compute_thresholds(scores: NDArray[np.float64], method: str) -> list[float]:
    """The scores at the LADDER, by those of some products' neighbours `(b, ≤ most)`, best first; 0 for none."""
    if scores.shape[1] == 0:
        return [0.0] * len(QUANTILES)
    nearer = -1.0 if method == "likelihood" else 1.0
    return [
        nearer * float(np.percentile(nearer * scores[:, min(rank, scores.shape[1]) - 1], percentile))
        for rank, percentile in QUANTILES
    ]


def describe_score(score: float, thresholds: Sequence[float], *, higher_is_nearer: bool) -> str:
    """The word for a score, by the scores at the LADDER."""
    sign = -1.0 if higher_is_nearer else 1.0
    for word, rung in zip(WORDS, thresholds, strict=False):
        if sign * score <= sign * rung:
            return word
    return WORDS[-1]


def measure_neighbour_distances(
    index: LatentIndex,
    codes: NDArray[np.float32],
    std: NDArray[np.float32],
    *,
    sample: int = 4 * SAMPLE_PRODUCTS,
    seed: int = 0,
) -> list[float]:
    """How far products' fixed-epsilon codes are from their nearest other: the percentiles, 0 to 100.

    None is less lonely than its own posterior is wide, ‖std‖: within that, a code is the same product. So a shop of
    near-duplicates, or of one product, is not one where nothing else would be typical.
    """
    rows = sample_rows(len(codes), sample, seed)
    gaps = np.linalg.norm(std[rows].astype(np.float64), axis=1)
    if len(codes) > 1:
        gaps = np.maximum(gaps, _neighbour_scores(index, codes, rows, 1, "fixed-epsilon", "euclidean")[:, 0])
    return [float(value) for value in np.percentile(gaps, np.arange(101))]


def describe_typicality(distance: float, neighbour_distances: list[float]) -> tuple[float, str]:
    """The share of products that are lonelier than a code whose nearest product is at `distance`, and the word."""
    percentiles = np.asarray(neighbour_distances, np.float64)
    share = 1.0 - float(np.interp(distance, percentiles, np.linspace(0.0, 1.0, 101)))
    if distance <= percentiles[0]:
        share = 1.0  # where several percentiles are the same, interpolation would take the last
    return share, next(word for least, word in TYPICALITY_WORDS if share >= least)


def _neighbour_scores(
    index: LatentIndex,
    codes: NDArray[np.float32],
    rows: NDArray[np.intp],
    neighbours: int,
    method: str,
    metric: str,
) -> NDArray[np.float64]:
    """The scores of the nearest `most` products to those in `rows`, themselves left out: `(b, ≤ most)`."""
    k = min(neighbours + 1, len(codes))
    found, scores = index.nearest(codes[rows], k, method=method, metric=metric)
    own: NDArray[Any] = found == rows[:, None]
    own[~own.any(axis=1), -1] = True  # pushed off the end by others as near: the last goes instead
    return scores[~own].reshape(len(rows), k - 1)
