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
    search: ExactSearch, codes: NDArray[np.float32], scoring: Scoring, cluster: int
) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    """Yield how near codes `(b, n)` are to a cluster's products, some at a time: rows `(m,)`, `(b, m)`; float32."""
    wide, scanner = is_out_of_range(codes), search.scanner
    blocks = search.cluster_candidates(cluster).range
    for first in range(blocks.first, blocks.last, BATCH_BLOCKS):
        slots = scanner.slots_in(BlockRange(first, min(first + BATCH_BLOCKS, blocks.last)))
        yield scanner.rows_in_slots(slots), _estimate_nearness(scanner, codes, scoring, slots, wide)


def nearest_penalized(
    search: ExactSearch,
    code: NDArray[np.float32],
    k: int,
    penalty: NDArray[np.float32],
    scoring: Scoring,
    rows: Rows,
) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
    """Return the `k` products in `rows` nearest to a code once `penalty` `(N,)` is taken off.

    They are those of a float64 scan, ties in the order of the rows: first the products that seem the best in float32
    are scored, then all that float32 cannot prove to be worse than the last of these.

    Returns:
        Rows, scores, and the penalized nearness that ranks them.
    """
    scanner, slots = search.scanner, search.slots_of_rows(rows)
    penalties = penalty[scanner.rows_in_slots(slots)]
    estimate = _estimate_nearness(scanner, code[None], scoring, slots, is_out_of_range(code))[0]

    def score(chosen: Rows) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
        scores = scanner.scores(scoring, code, slots[chosen])
        ranked = scoring.nearness(scores) - penalties[chosen].astype(np.float64)
        return scanner.rows_in_slots(slots[chosen]), scores, ranked

    found, scores, ranked = score(_greatest(estimate - penalties, k + EXTRA_CANDIDATES))
    if len(found) < len(slots):
        threshold = float(np.partition(ranked, len(ranked) - k)[len(ranked) - k])
        bound = scoring.upper_bound(estimate, len(code), scanner.max_constant(scoring)) - penalties
        found, scores, ranked = score(np.flatnonzero(~(bound < threshold)))
    order = np.lexsort((found, -ranked))[:k]
    return found[order], scores[order], ranked[order]


def _greatest(worth: NDArray[np.float32], count: int) -> Rows:
    """Where the `count` greatest are; all where there are no more."""
    if len(worth) <= count:
        return np.arange(len(worth))
    return np.argpartition(worth, len(worth) - count)[len(worth) - count :]


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
