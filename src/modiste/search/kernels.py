"""Compiled kernels on blocks of LANES products, stored dimension by dimension.

A block's products are side by side in memory, so one instruction works on many of them, and every number is read once,
in order. Scores are *nearness* here, higher is nearer: the log likelihood, minus the squared Euclidean distance, or
minus the Manhattan distance, in float32 (see `scan` for their error).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modiste.jit import compiled
from modiste.search.constants import ALWAYS_CANDIDATE, EUCLIDEAN, LANES, LIKELIHOOD
from modiste.search.prefetch import CACHE_LINE_FLOATS, prefetch

SEED_BLOCKS = 12  # blocks scanned first; they set a threshold that most others do not reach
# Larger weights, weights times squared means, or means might overflow float32.
MAX_FLOAT32_WEIGHT = 1e28
MAX_FLOAT32_MEAN = 1e15

# Sums in any order: the scores' error bound allows it. Infinities and NaNs keep their meaning: empty lanes are minus
# infinity, and NaN counts as above every threshold.
fast = compiled(fastmath={"reassoc", "contract", "nsz"})


@fast
def derive_likelihood_terms(
    mean: Any, std: Any, square: float, weight: Any, constant: Any, least: Any, most: Any
) -> float:
    """Fill in the terms of Eq. 2 for each product: 1/(2v) and −½ Σ log(2πv), with v = σ² + `square`.

    mean, std, weight: `(B, n, LANES)`, constant: `(B, LANES)`; `least` `(n, B)` is each block's smallest weight,
    `most` `(B,)` its largest constant; a std of 0 marks an empty lane. Returns the largest |constant|.
    """
    blocks, n = mean.shape[0], mean.shape[1]
    largest = 0.0
    total, wild = np.empty(LANES, np.float64), np.empty(LANES, np.bool_)
    for b in range(blocks):
        total[:] = 0.0
        wild[:] = False
        for d in range(n):
            lowest = np.float32(np.inf)
            for lane in range(LANES):
                s = np.float64(std[b, d, lane])
                v = s * s + square
                w, m = 0.5 / v, np.float64(mean[b, d, lane])
                total[lane] -= 0.5 * np.log(2.0 * np.pi * v)
                wild[lane] |= not (
                    1.0 / MAX_FLOAT32_WEIGHT < w < MAX_FLOAT32_WEIGHT
                    and w * m * m < MAX_FLOAT32_WEIGHT
                    and abs(m) < MAX_FLOAT32_MEAN
                )
                weight[b, d, lane] = np.float32(min(w, MAX_FLOAT32_WEIGHT))
                if s > 0.0:
                    lowest = min(lowest, weight[b, d, lane])
            least[d, b] = lowest
        highest = np.float32(-np.inf)
        for lane in range(LANES):
            if std[b, 0, lane] > 0.0 and not wild[lane]:
                constant[b, lane] = np.float32(total[lane])
                largest = max(largest, abs(total[lane]))
            else:
                constant[b, lane] = ALWAYS_CANDIDATE if std[b, 0, lane] > 0.0 else np.float32(-np.inf)
                for d in range(n):
                    weight[b, d, lane] = np.float32(0.0)
                    if wild[lane] and std[b, 0, lane] > 0.0:
                        least[d, b] = np.float32(0.0)
            highest = max(highest, constant[b, lane])
        most[b] = highest
    return largest


@fast
def bounding_boxes(points: Any, rows: Any, low: Any, high: Any) -> None:
    """Fill in the bounding box of each block's products, `low` and `high` `(n, B)`; rows of −1 are empty."""
    blocks, n = points.shape[0], points.shape[1]
    for b in range(blocks):
        for d in range(n):
            least, most = np.float32(np.inf), np.float32(-np.inf)
            for lane in range(LANES):
                if rows[b, lane] >= 0:
                    least = min(least, points[b, d, lane])
                    most = max(most, points[b, d, lane])
            low[d, b] = least
            high[d, b] = most


@fast
def upper_bounds(kind: int, low: Any, high: Any, least: Any, most: Any, code: Any, first: int, out: Any) -> None:
    """Fill in `out[i]`, an upper bound on the nearness of the products of block `first` + i to a code `(n,)`.

    It is the nearness of the nearest point of the block's box.
    """
    for i in range(len(out)):
        out[i] = np.float32(0.0)
    for d in range(len(code)):
        z = code[d]
        for i in range(len(out)):
            below, above = low[d, first + i] - z, z - high[d, first + i]
            gap = max(below, above, np.float32(0.0))
            if kind == LIKELIHOOD:
                out[i] -= least[d, first + i] * gap * gap
            elif kind == EUCLIDEAN:
                out[i] -= gap * gap
            else:
                out[i] -= gap
    if kind == LIKELIHOOD:
        for i in range(len(out)):
            out[i] += most[first + i]


@fast
def score_block(kind: int, points: Any, weight: Any, constant: Any, code: Any, b: Any, then: Any, out: Any) -> None:
    """Fill in the nearness of a code `(n,)` to the products of block b, `out` `(LANES,)`; prefetch block `then`."""
    for lane in range(LANES):
        out[lane] = np.float32(0.0)
    for d in range(len(code)):
        z = code[d]
        for lane in range(0, LANES, CACHE_LINE_FLOATS):
            prefetch(points, then, d, lane)
        if kind == LIKELIHOOD:
            for lane in range(0, LANES, CACHE_LINE_FLOATS):
                prefetch(weight, then, d, lane)
            for lane in range(LANES):
                gap = z - points[b, d, lane]
                out[lane] -= weight[b, d, lane] * gap * gap
        elif kind == EUCLIDEAN:
            for lane in range(LANES):
                gap = z - points[b, d, lane]
                out[lane] -= gap * gap
        else:
            for lane in range(LANES):
                out[lane] -= abs(z - points[b, d, lane])
    if kind == LIKELIHOOD:
        for lane in range(LANES):
            out[lane] += constant[b, lane]


@fast
def replace_smallest(value: Any, slot: Any, values: Any, slots: Any) -> None:
    """Replace the smallest value of a heap and restore its order."""
    at, count = 0, len(values)
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[at], slots[at] = values[child], slots[child]
        at = child
    values[at], slots[at] = value, slot


@fast
def keep_best(scores: Any, rows: Any, allowed: Any, b: Any, values: Any, slots: Any) -> None:
    """Put a block's products into the heap: those that exist, are allowed, and are above its smallest value."""
    mark, hits = values[0], 0
    for lane in range(LANES):
        hits += not scores[lane] <= mark
    if hits == 0:
        return
    for lane in range(LANES):
        value = scores[lane]
        if not value <= values[0] and rows[b, lane] >= 0 and (len(allowed) == 0 or allowed[b, lane]):
            if not value <= ALWAYS_CANDIDATE:
                value = ALWAYS_CANDIDATE
            replace_smallest(value, b * LANES + lane, values, slots)


@fast
def scan_blocks(
    kind: int,
    points: Any,
    weight: Any,
    constant: Any,
    boxes: Any,
    rows: Any,
    allowed: Any,
    codes: Any,
    first: int,
    last: int,
    values: Any,
    slots: Any,
) -> int:
    """Find the nearest products of each code in blocks `first` to `last`; return the number of blocks read.

    `boxes` are low, high, least `(n, B)` each and most `(B,)`; `allowed` is a mask `(B, LANES)`, or empty for all.
    `values` and `slots` `(b, m)` become heaps, the smallest value first, filled up with −inf and −1. A product that is
    not in the heap is not above its smallest value, or its block's upper bound was not.
    """
    low, high, least, most = boxes
    scores = np.empty(LANES, np.float32)
    bound = np.empty(last - first, np.float32)
    ahead = np.empty(SEED_BLOCKS, np.float32)
    seeds = np.empty(SEED_BLOCKS, np.int64)
    chosen = np.empty(last - first, np.int64)
    read = 0
    for q in range(len(codes)):
        code, best, where = codes[q], values[q], slots[q]
        best[:] = np.float32(-np.inf)
        where[:] = -1
        upper_bounds(kind, low, high, least, most, code, first, bound)
        ahead[:] = np.float32(-np.inf)
        seeds[:] = -1
        for i in range(last - first):
            if bound[i] > ahead[0]:
                replace_smallest(bound[i], i, ahead, seeds)
        for s in range(SEED_BLOCKS):
            i, then = seeds[s], seeds[min(s + 1, SEED_BLOCKS - 1)]
            if i >= 0:
                score_block(kind, points, weight, constant, code, first + i, first + max(then, 0), scores)
                keep_best(scores, rows, allowed, first + i, best, where)
                bound[i] = np.float32(-np.inf)
                read += 1
        count = 0
        for i in range(last - first):
            if bound[i] > best[0]:
                chosen[count] = i
                count += 1
        # In the order of their upper bounds, the threshold rises fastest; if most blocks are read anyway, use memory
        # order.
        if 2 * count < last - first:
            chosen[:count] = chosen[:count][np.argsort(-bound[chosen[:count]])]
        for c in range(count):
            i, then = chosen[c], chosen[min(c + 1, count - 1)]
            if bound[i] > best[0]:
                score_block(kind, points, weight, constant, code, first + i, first + then, scores)
                keep_best(scores, rows, allowed, first + i, best, where)
                read += 1
    return read


@fast
def gather_above(
    kind: int,
    points: Any,
    weight: Any,
    constant: Any,
    boxes: Any,
    rows: Any,
    allowed: Any,
    code: Any,
    first: int,
    last: int,
    mark: Any,
    out: Any,
) -> int:
    """Fill `out` with the slots of all products with at least the nearness `mark` to a code; return their number."""
    low, high, least, most = boxes
    scores = np.empty(LANES, np.float32)
    bound = np.empty(last - first, np.float32)
    upper_bounds(kind, low, high, least, most, code, first, bound)
    count = 0
    for b in range(first, last):
        if bound[b - first] < mark:
            continue
        score_block(kind, points, weight, constant, code, b, min(b + 1, last - 1), scores)
        for lane in range(LANES):
            if not scores[lane] < mark and rows[b, lane] >= 0 and (len(allowed) == 0 or allowed[b, lane]):
                out[count] = b * LANES + lane
                count += 1
    return count


@fast
def estimate_blocks(
    kind: int, points: Any, weight: Any, constant: Any, codes: Any, first: int, last: int, out: Any
) -> None:
    """Fill in the nearness of codes `(b, n)` to all products of blocks first to last, `(b, blocks · LANES)`."""
    scores = np.empty(LANES, np.float32)
    for b in range(first, last):
        for q in range(len(codes)):
            score_block(kind, points, weight, constant, codes[q], b, min(b + 1, last - 1), scores)
            start = (b - first) * LANES
            out[q, start : start + LANES] = scores


@fast
def arrange_as_kd_tree(points: Any, order: Any, starts: Any) -> None:
    """Sort `order` (rows, grouped: group g from starts[g] to starts[g + 1]) so that LANES neighbours lie close.

    Each group is halved where its points `(N, n)` spread most, again and again: a k-d tree (Bentley 1975) whose leaves
    are blocks.
    """
    n = points.shape[1]
    keys = np.empty(len(order), np.float32)
    stack = np.empty((128, 2), np.int64)
    for group in range(len(starts) - 1):
        depth = 1
        stack[0] = starts[group], starts[group + 1]
        while depth > 0:
            depth -= 1
            low, high = stack[depth]
            count = high - low
            if count <= LANES:
                continue
            stride = max(1, count // 512)
            widest, axis = -1.0, 0
            for d in range(n):
                total, squares, seen = 0.0, 0.0, 0
                for i in range(low, high, stride):
                    value = np.float64(points[order[i], d])
                    total += value
                    squares += value * value
                    seen += 1
                spread = squares / seen - (total / seen) ** 2
                if spread > widest:
                    widest, axis = spread, d
            for i in range(low, high):
                keys[i] = points[order[i], axis]
            blocks = (count + LANES - 1) // LANES
            middle = low + (blocks // 2) * LANES
            # Quickselect: smaller keys go before `middle`.
            left, right = low, high - 1
            while left < right:
                pivot = keys[(left + right) // 2]
                i, j = left, right
                while i <= j:
                    while keys[i] < pivot:
                        i += 1
                    while keys[j] > pivot:
                        j -= 1
                    if i <= j:
                        keys[i], keys[j] = keys[j], keys[i]
                        order[i], order[j] = order[j], order[i]
                        i += 1
                        j -= 1
                if middle <= j:
                    right = j
                elif middle >= i:
                    left = i
                else:
                    break
            stack[depth] = low, middle
            stack[depth + 1] = middle, high
            depth += 2
