"""Walking: the kernel that follows a graph of products towards a code, scoring by the likelihood itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from modiste.search.kernels import compiled

SLOTS = 1 << 16  # of the table of products that a walk has seen; the walk ends once half are taken


@compiled
def seen_before(table: Any, row: Any) -> bool:
    """Whether a row is in the table, an open hash of rows, −1 for nothing; it is from now on."""
    mask = len(table) - 1
    at = (row * 0x9E3779B1) & mask
    while table[at] != -1:
        if table[at] == row:
            return True
        at = (at + 1) & mask
    table[at] = row
    return False


@compiled
def nearness_of(products: Any, row: Any, code: Any) -> Any:
    """The log likelihood of a code `(n,)` under a product, a row of `products` `(N, 2n + 1)`, in float32."""
    n = len(code)
    total = products[row, 2 * n]
    for d in range(n):
        gap = code[d] - products[row, d]
        total -= products[row, n + d] * gap * gap
    return total


@compiled
def meet(row: Any, value: Any, rows: Any, values: Any, fresh: Any, count: int) -> int:
    """Put a product in its place among the nearest `count`, best first; returns the place, or −1 where it has none."""
    size = len(rows)
    if count == size and value <= values[size - 1]:
        return -1
    at = min(count, size - 1)
    while at > 0 and values[at - 1] < value:
        rows[at], values[at], fresh[at] = rows[at - 1], values[at - 1], fresh[at - 1]
        at -= 1
    rows[at], values[at], fresh[at] = row, value, True
    return at


@compiled
def walk(products: Any, neighbours: Any, entries: Any, code: Any, rows: Any, values: Any) -> int:
    """Fill `rows` and `values` `(beam,)` with the nearest products that a walk meets, best first; how many it scored.

    It begins at `entries`, and looks again and again at the neighbours `(N, m)`, −1 for none, of the nearest product
    whose neighbours it has not seen, until there is none among the best `beam` (as in HNSW's lowest layer).
    """
    table = np.full(SLOTS, -1, np.int32)
    fresh = np.zeros(len(rows), np.bool_)
    rows[:] = -1
    values[:] = np.float32(-np.inf)
    count, scored = 0, 0
    for row in entries:
        if not seen_before(table, row):
            scored += 1
            if meet(row, nearness_of(products, row, code), rows, values, fresh, count) >= 0:
                count = min(count + 1, len(rows))
    at = 0
    while at < count and scored < SLOTS // 2:
        if not fresh[at]:
            at += 1
            continue
        fresh[at] = False
        near = neighbours[rows[at]]
        for row in near:
            if row >= 0 and not seen_before(table, row):
                scored += 1
                place = meet(row, nearness_of(products, row, code), rows, values, fresh, count)
                if place >= 0:
                    count = min(count + 1, len(rows))
                    at = min(at, place)
    return scored
