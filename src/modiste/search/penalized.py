"""How near all products of a cluster are, and the nearest once something is taken off: what recommending asks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modiste.search.constants import LANES
from modiste.search.exact import EXTRA_CANDIDATES, ExactSearch, Rows
from modiste.search.scan import (
    MAX_FLOAT32_CODE,
    BlockRange,
    BlockScanner,
    Scoring,
)

MAX_NEARNESS = 3e38  # what float32 can hold
BATCH_BLOCKS = 128  # at once


def cluster_nearness(
    parts: ExactSearch, codes: NDArray[np.float32], asked: Scoring, cluster: int
) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    """How near codes `(b, n)` are to a cluster's products, some at a time: rows `(m,)`, `(b, m)`; float32."""
    wide = is_out_of_range(codes)
    for part, scope in zip(parts.parts, parts.cluster_candidates(cluster).ranges, strict=True):
        for first in range(scope.first, scope.last, BATCH_BLOCKS):
            places = part.slots_in(BlockRange(first, min(first + BATCH_BLOCKS, scope.last)))
            yield part.rows_in_slots(places), _estimate_nearness(part, codes, asked, places, wide)


def nearest_penalized(
    parts: ExactSearch,
    code: NDArray[np.float32],
    k: int,
    penalty: NDArray[np.float32],
    asked: Scoring,
    rows: Rows,
) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
    """The `k` products in `rows` nearest to a code once `less` `(N,)` is taken off: rows, scores, what ranked them.

    That of a float64 scan, ties in the order of the rows: first those that seem the best in float32 are scored, then
    whatever float32 cannot prove to be worse than the last of them.
    """
    placed = parts.slots_of_rows(rows)
    wide = is_out_of_range(code)
    looked = [
        (part, places, _estimate_nearness(part, code[None], asked, places, wide)[0])
        for part, places in zip(parts.parts, placed, strict=True)
    ]
    best = [
        _greatest(estimate - penalty[part.rows_in_slots(places)], k + EXTRA_CANDIDATES)
        for part, places, estimate in looked
    ]
    found, scores = _score_chosen(looked, best, code, asked)
    ranked = asked.nearness(scores) - penalty[found].astype(np.float64)
    if len(found) < sum(map(len, placed)):
        mark = float(np.partition(ranked, len(ranked) - k)[len(ranked) - k])
        again = [
            np.flatnonzero(
                ~(
                    asked.upper_bound(estimate, len(code), part.max_constant(asked))
                    - penalty[part.rows_in_slots(places)]
                    < mark
                )
            )
            for part, places, estimate in looked
        ]
        found, scores = _score_chosen(looked, again, code, asked)
        ranked = asked.nearness(scores) - penalty[found].astype(np.float64)
    order = np.lexsort((found, -ranked))[:k]
    return found[order], scores[order], ranked[order]


def _greatest(worth: NDArray[np.float32], count: int) -> Rows:
    """Where the `count` greatest are; all where there are no more."""
    if len(worth) <= count:
        return np.arange(len(worth))
    return np.argpartition(worth, len(worth) - count)[len(worth) - count :]


def _score_chosen(
    looked: list[tuple[BlockScanner, Rows, NDArray[np.float32]]],
    chosen: list[Rows],
    code: NDArray[np.float32],
    asked: Scoring,
) -> tuple[Rows, NDArray[np.float64]]:
    """Rows and scores, in float64, of the chosen of each part's places."""
    pairs = [(part, places[some]) for (part, places, _), some in zip(looked, chosen, strict=True)]
    return (
        np.concatenate([part.rows_in_slots(places) for part, places in pairs]),
        np.concatenate([part.scores(asked, code, places) for part, places in pairs]),
    )


def _estimate_nearness(
    part: BlockScanner, codes: NDArray[np.float32], asked: Scoring, places: Rows, wide: bool
) -> NDArray[np.float32]:
    """The nearness of codes `(b, n)` to some places, in order, `(b, m)`: of each place whatever lies beside it.

    In float64 where the codes lie `wide` of everything, and for the places that float32 cannot score.
    """
    if len(places) == 0:
        return np.empty((len(codes), 0), np.float32)
    if wide:
        held = _exact_nearness(part, codes, asked, places)
    else:
        first, last = int(places[0]) // LANES, int(places[-1]) // LANES + 1
        held = part.estimate(asked, codes, first, last)[:, places - first * LANES]
        odd = part.unscorable(asked, places)
        if len(odd):
            held[:, odd] = _exact_nearness(part, codes, asked, places[odd])
    return np.clip(held, -MAX_NEARNESS, MAX_NEARNESS).astype(np.float32)


def _exact_nearness(
    part: BlockScanner, codes: NDArray[np.float32], asked: Scoring, places: Rows
) -> NDArray[np.float64]:
    """The nearness of codes `(b, n)` to some places, from float64, within what float32 can hold: `(b, m)`."""
    exact = np.array([asked.nearness(part.scores(asked, code, places)) for code in codes])
    return np.clip(exact, -MAX_NEARNESS, MAX_NEARNESS)


def is_out_of_range(codes: NDArray[np.float32]) -> bool:
    """Whether some code lies so far out that float32 does not score it."""
    return bool(np.abs(codes).max(initial=0.0) > MAX_FLOAT32_CODE)
