"""Kernels: what is done for every product, compiled, on blocks of LANES products that lie dimension by dimension.

A block's products stand side by side, so a processor works on many of them with one instruction, and every number is
read once, in order. Scores are *nearness* here, higher is nearer: the log likelihood, minus the squared Euclidean, or
minus the Manhattan distance, in float32 (see `bound` for how right these are).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from modiste.search.constants import (
    ALWAYS_CANDIDATE,
    EUCLIDEAN,
    LANES,
    LIKELIHOOD,
)
from modiste.search.prefetch import CACHE_LINE_FLOATS, prefetch

SEED_BLOCKS = 12  # blocks scanned first: they set the mark that most others fail to reach
MAX_FLOAT32_WEIGHT = (
    1e28  # steepness, or a product of it with a squared mean, beyond which float32 might overflow
)
MAX_FLOAT32_MEAN = 1e15  # means beyond are not squared in float32 either

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """A function compiled when first called: without the interpreter's lock, sums in any order, kept on disk.

    Infinities and NaNs keep their meaning: empty lanes are minus infinity, and what is not below the mark is kept.
    """
    how: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz"},
    }
    try:
        made: Any = numba.njit(cache=True, **how)(function)
    except RuntimeError:  # there is no place that may be written to: it is compiled anew in each process
        made = numba.njit(**how)(function)
    return cast(F, made)


@compiled
def derive_likelihood_terms(
    mean: Any, std: Any, square: float, weight: Any, constant: Any, least: Any, most: Any
) -> float:
    """Fill in what Eq. 2 needs of each product: 1/(2v) and −½ Σ log(2πv), with v = σ² + `square`.

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


@compiled
def bounding_boxes(points: Any, rows: Any, low: Any, high: Any) -> None:
    """Fill in the box of each block, `low` and `high` `(n, B)`, of its products alone (rows of −1 are none)."""
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


@compiled
def upper_bounds(
    kind: int, low: Any, high: Any, least: Any, most: Any, code: Any, first: int, out: Any
) -> None:
    """No product of block `first` + i is nearer to a code `(n,)` than `out[i]`: that of its box's nearest corner."""
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


@compiled
def score_block(
    kind: int, points: Any, weight: Any, constant: Any, code: Any, b: Any, then: Any, out: Any
) -> None:
    """The nearness of a code `(n,)` to the products of block b, into `out` `(LANES,)`; `then` comes next."""
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


@compiled
def replace_smallest(value: Any, place: Any, values: Any, places: Any) -> None:
    """Put a value in the place of the heap's smallest, and the heap in order."""
    at, count = 0, len(values)
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[at], places[at] = values[child], places[child]
        at = child
    values[at], places[at] = value, place


@compiled
def keep_best(scores: Any, rows: Any, allowed: Any, b: Any, values: Any, places: Any) -> None:
    """Let a block's products into the heap: those that are above its smallest, are there, and may be."""
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
            replace_smallest(value, b * LANES + lane, values, places)


@compiled
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
    places: Any,
) -> int:
    """The nearest products of each code among blocks `first` to `last`; returns how many blocks were read.

    `boxes` are low, high, least `(n, B)` each and most `(B,)`; `allowed` is a mask `(B, LANES)`, or empty for all.
    Into `values` and `places` `(b, m)`, heaps, the smallest first, −inf and −1 where there are fewer: whatever is not
    there is at most the heap's smallest, or its block's ceiling was.
    """
    low, high, least, most = boxes
    scores = np.empty(LANES, np.float32)
    ceiling = np.empty(last - first, np.float32)
    ahead = np.empty(SEED_BLOCKS, np.float32)
    seeds = np.empty(SEED_BLOCKS, np.int64)
    chosen = np.empty(last - first, np.int64)
    read = 0
    for q in range(len(codes)):
        code, best, where = codes[q], values[q], places[q]
        best[:] = np.float32(-np.inf)
        where[:] = -1
        upper_bounds(kind, low, high, least, most, code, first, ceiling)
        ahead[:] = np.float32(-np.inf)
        seeds[:] = -1
        for i in range(last - first):
            if ceiling[i] > ahead[0]:
                replace_smallest(ceiling[i], i, ahead, seeds)
        for s in range(SEED_BLOCKS):
            i, then = seeds[s], seeds[min(s + 1, SEED_BLOCKS - 1)]
            if i >= 0:
                score_block(kind, points, weight, constant, code, first + i, first + max(then, 0), scores)
                keep_best(scores, rows, allowed, first + i, best, where)
                ceiling[i] = np.float32(-np.inf)
                read += 1
        count = 0
        for i in range(last - first):
            if ceiling[i] > best[0]:
                chosen[count] = i
                count += 1
        # In the order of their ceilings the mark rises fastest; where most blocks are read anyway, in that of memory.
        if 2 * count < last - first:
            chosen[:count] = chosen[:count][np.argsort(-ceiling[chosen[:count]])]
        for c in range(count):
            i, then = chosen[c], chosen[min(c + 1, count - 1)]
            if ceiling[i] > best[0]:
                score_block(kind, points, weight, constant, code, first + i, first + then, scores)
                keep_best(scores, rows, allowed, first + i, best, where)
                read += 1
    return read


@compiled
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
    """The places of all products of at least the nearness `mark` to one code, into `out`; returns how many."""
    low, high, least, most = boxes
    scores = np.empty(LANES, np.float32)
    ceiling = np.empty(last - first, np.float32)
    upper_bounds(kind, low, high, least, most, code, first, ceiling)
    count = 0
    for b in range(first, last):
        if ceiling[b - first] < mark:
            continue
        score_block(kind, points, weight, constant, code, b, min(b + 1, last - 1), scores)
        for lane in range(LANES):
            if not scores[lane] < mark and rows[b, lane] >= 0 and (len(allowed) == 0 or allowed[b, lane]):
                out[count] = b * LANES + lane
                count += 1
    return count


@compiled
def estimate_blocks(
    kind: int, points: Any, weight: Any, constant: Any, codes: Any, first: int, last: int, out: Any
) -> None:
    """The nearness of codes `(b, n)` to all products of blocks first to last, into `out` `(b, blocks · LANES)`."""
    scores = np.empty(LANES, np.float32)
    for b in range(first, last):
        for q in range(len(codes)):
            score_block(kind, points, weight, constant, codes[q], b, min(b + 1, last - 1), scores)
            start = (b - first) * LANES
            out[q, start : start + LANES] = scores


@compiled
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
            # Quickselect: what is smaller comes before `middle`.
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
