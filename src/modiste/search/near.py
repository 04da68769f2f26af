"""How near all products of a cluster are, and the nearest once something is taken off: what recommending asks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modiste.search.blocks import LANES
from modiste.search.parts import SPARE, Parts, Rows
from modiste.search.scan import QUERY_LIMIT, Asked, Part, Scope

FARTHEST = 3e38  # what float32 can hold
NEAR_ENOUGH = 1e6  # beyond, float32 tells neighbours apart too coarsely: all are scored in float64
BLOCKS = 128  # at once


def nearness(
    parts: Parts, codes: NDArray[np.float32], asked: Asked, cluster: int
) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    """How near codes `(b, n)` are to a cluster's products, some at a time: rows `(m,)`, `(b, m)`; float32."""
    for part, scope in zip(parts.parts, parts.inside(cluster).scopes, strict=True):
        for first in range(scope.first, scope.last, BLOCKS):
            places = part.everything(Scope(first, min(first + BLOCKS, scope.last)))
            yield part.rows_at(places), _nearness(part, codes, asked, places)


def nearest_less(
    parts: Parts, code: NDArray[np.float32], k: int, less: NDArray[np.float32], asked: Asked, rows: Rows
) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
    """The `k` products in `rows` nearest to a code once `less` `(N,)` is taken off: rows, scores, what ranked them."""
    found, scores = np.empty(0, np.intp), np.empty(0)
    for part, places in zip(parts.parts, parts.places(rows), strict=True):
        estimate = _nearness(part, code[None], asked, places)[0]
        best = places
        if len(places) > k + SPARE and np.abs(estimate).max(initial=0.0) < NEAR_ENOUGH:
            worth, count = estimate - less[part.rows_at(places)], len(places) - (k + SPARE)
            best = places[np.argpartition(worth, count)[count:]]
        found = np.concatenate([found, part.rows_at(best)])
        scores = np.concatenate([scores, part.scores(asked, code, best)])
    ranked = asked.nearness(scores) - less[found].astype(np.float64)
    order = np.lexsort((found, -ranked))[:k]
    return found[order], scores[order], ranked[order]


def _nearness(part: Part, codes: NDArray[np.float32], asked: Asked, places: Rows) -> NDArray[np.float32]:
    """The nearness of codes `(b, n)` to some places, in order, `(b, m)`."""
    if len(places) == 0:
        return np.empty((len(codes), 0), np.float32)
    if np.abs(codes).max(initial=0.0) <= QUERY_LIMIT and part.trusted(asked):
        first, last = int(places[0]) // LANES, int(places[-1]) // LANES + 1
        held = part.estimate(asked, codes, first, last)[:, places - first * LANES]
    else:
        held = np.array([asked.nearness(part.scores(asked, code, places)) for code in codes])
    return np.clip(held, -FARTHEST, FARTHEST).astype(np.float32)
