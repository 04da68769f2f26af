"""Nearness of all products of a cluster, and nearest products with a penalty per product (hub correction)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modiste.search.constants import LANES
from modiste.search.exact import EXTRA_CANDIDATES, ExactSearch, Rows
from modiste.search.scan import MAX_FLOAT32_CODE, BlockRange, BlockScanner, Scoring

MAX_NEARNESS = 3e38  # about the largest float32
BATCH_BLOCKS = 128


def cluster_nearness(
    search: ExactSearch, codes: NDArray[np.float32], scoring: Scoring, cluster: int
) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    """Yield the nearness of codes `(b, n)` to a cluster's products, in parts: rows `(m,)`, float32 `(b, m)`."""
    exact, scanner = is_out_of_range(codes), search.scanner
    blocks = search.cluster_candidates(cluster).range
    for first in range(blocks.first, blocks.last, BATCH_BLOCKS):
        slots = scanner.slots_in(BlockRange(first, min(first + BATCH_BLOCKS, blocks.last)))
        yield scanner.rows_in_slots(slots), _estimate_nearness(scanner, codes, scoring, slots, exact)


def nearest_penalized(
    search: ExactSearch, code: NDArray[np.float32], k: int, penalty: NDArray[np.float32], scoring: Scoring, rows: Rows
) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
    """Return the `k` products in `rows` with the greatest nearness minus `penalty` `(N,)`.

    They are those of a float64 scan, ties in the order of the rows: first the products that are best in float32 are
    scored, then all that float32 cannot prove to be worse than the last of these.

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

    nearest, scores, ranked = score(_greatest(estimate - penalties, k + EXTRA_CANDIDATES))
    if len(nearest) < len(slots):
        threshold = float(np.partition(ranked, len(ranked) - k)[len(ranked) - k])
        bound = scoring.upper_bound(estimate, len(code), scanner.max_constant(scoring)) - penalties
        nearest, scores, ranked = score(np.flatnonzero(~(bound < threshold)))
    order = np.lexsort((nearest, -ranked))[:k]
    return nearest[order], scores[order], ranked[order]


def _greatest(values: NDArray[np.float32], count: int) -> Rows:
    """Return the positions of the `count` greatest values, or of all if there are fewer."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[len(values) - count :]


def _estimate_nearness(
    scanner: BlockScanner, codes: NDArray[np.float32], scoring: Scoring, slots: Rows, exact: bool
) -> NDArray[np.float32]:
    """Return the nearness of codes `(b, n)` to some slots, in order, `(b, m)`.

    It is computed in float64 if `exact`, and for the slots that float32 cannot score.
    """
    if len(slots) == 0:
        return np.empty((len(codes), 0), np.float32)
    if exact:
        nearness = _exact_nearness(scanner, codes, scoring, slots)
    else:
        first, last = int(slots[0]) // LANES, int(slots[-1]) // LANES + 1
        nearness = scanner.estimate(scoring, codes, first, last)[:, slots - first * LANES]
        unscorable = scanner.unscorable(scoring, slots)
        if len(unscorable):
            nearness[:, unscorable] = _exact_nearness(scanner, codes, scoring, slots[unscorable])
    return np.clip(nearness, -MAX_NEARNESS, MAX_NEARNESS).astype(np.float32)


def _exact_nearness(
    scanner: BlockScanner, codes: NDArray[np.float32], scoring: Scoring, slots: Rows
) -> NDArray[np.float64]:
    """Return the float64 nearness of codes `(b, n)` to some slots, clipped to the range of float32: `(b, m)`."""
    nearness = np.array([scoring.nearness(scanner.scores(scoring, code, slots)) for code in codes])
    return np.clip(nearness, -MAX_NEARNESS, MAX_NEARNESS)


def is_out_of_range(codes: NDArray[np.float32]) -> bool:
    """Return whether a code has entries too large for float32 scoring."""
    return bool(np.abs(codes).max(initial=0.0) > MAX_FLOAT32_CODE)
