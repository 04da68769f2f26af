"""How near is near: scores and distances in words, by how near the catalogue's own products lie to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.search.index import LatentIndex

WORDS = ("almost the same", "very close", "close", "related", "distant")
RANKS = (
    1,
    4,
    25,
    250,
)  # of a product's neighbours: its nearest are "almost the same", those past the last distant
QUESTIONS = (
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
)
SAMPLE = 500
TYPICAL, UNUSUAL = "typical of the shop", "unusual"
UNLIKE = "unlike anything in the shop"


@dataclass(frozen=True, slots=True)
class Typicality:
    """How typical a code is: `share` of the shop's products lie lonelier than it, `word` says it, `nearest` is the id
    of the product nearest to it."""

    share: float
    word: str
    nearest: str


def key(method: str, metric: str) -> str:
    """The name under which the thresholds of a question are kept."""
    return method if method == "likelihood" else f"{method}/{metric}"


def measure_closeness(
    index: LatentIndex, codes: NDArray[np.float32], *, sample: int = SAMPLE, seed: int = 0
) -> dict[str, list[float]]:
    """For each question, the typical score of a product's neighbours of the RANKS, itself left out.

    Args:
        codes: of all products, `(N, n)`, rows as in the index.
    """
    rows = _sample(len(codes), sample, seed)
    found: dict[str, list[float]] = {}
    for method, metric in QUESTIONS:
        scores = _others(index, codes, rows, max(RANKS), method, metric)
        if scores.shape[1] == 0:  # a shop of one product has no neighbours
            found[key(method, metric)] = [0.0] * len(RANKS)
            continue
        ranks = [min(rank, scores.shape[1]) - 1 for rank in RANKS]
        found[key(method, metric)] = [float(value) for value in np.median(scores[:, ranks], axis=0)]
    return found


def word_of(score: float, thresholds: list[float], *, higher_is_nearer: bool) -> str:
    """The word for a score, by the thresholds that `measure_closeness` found."""
    sign = -1.0 if higher_is_nearer else 1.0
    for word, threshold in zip(WORDS, thresholds, strict=False):
        if sign * score <= sign * threshold:
            return word
    return WORDS[-1]


def measure_loneliness(
    index: LatentIndex, codes: NDArray[np.float32], *, sample: int = 4 * SAMPLE, seed: int = 0
) -> list[float]:
    """The distance of products' fixed-epsilon codes to their nearest other: its percentiles, 0 to 100."""
    rows = _sample(len(codes), sample, seed)
    gaps = _others(index, codes, rows, 1, "fixed-epsilon", "euclidean")
    if gaps.size == 0:
        return [0.0] * 101
    return [float(value) for value in np.percentile(gaps[:, 0], np.arange(101))]


def typicality_of(distance: float, loneliness: list[float]) -> tuple[float, str]:
    """The share of products that are lonelier than a code whose nearest product is at `distance`, and the word."""
    percentiles = np.asarray(loneliness, np.float64)
    share = 1.0 - float(np.searchsorted(percentiles, distance, side="left")) / 100.0
    share = min(max(share, 0.0), 1.0)
    if distance <= percentiles[95]:
        return share, TYPICAL
    return share, UNUSUAL if distance <= 1.5 * percentiles[100] else UNLIKE


def _sample(count: int, sample: int, seed: int) -> NDArray[np.intp]:
    if count <= sample:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))


def _others(
    index: LatentIndex,
    codes: NDArray[np.float32],
    rows: NDArray[np.intp],
    most: int,
    method: str,
    metric: str,
) -> NDArray[np.float64]:
    """The scores of the nearest `most` products to those in `rows`, themselves left out: `(b, ≤ most)`."""
    k = min(most + 1, len(codes))
    found, scores = index.nearest(codes[rows], k, method=method, metric=metric)
    own: NDArray[Any] = found == rows[:, None]
    own[~own.any(axis=1), -1] = True  # pushed off the end by others as near: the last goes instead
    return scores[~own].reshape(len(rows), k - 1)
