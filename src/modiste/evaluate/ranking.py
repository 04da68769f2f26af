"""Rankings of products for many queries at once: by an index, or at random, the query itself left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.search.index import LatentIndex

Ints = NDArray[np.intp]
CodeTransfer = Callable[[NDArray[np.float32], int, int], NDArray[np.float32]]
NO_PRODUCT = -1  # in place of a row: no answer


def rank(
    index: LatentIndex,
    codes: NDArray[np.float32],
    k: int,
    method: str,
    own: Ints,
    cluster: Ints | None = None,
    clusters: Ints | None = None,
) -> Ints:
    """The rows of the k nearest products of each query, best first, `(b, k)`; −1 where there are no more.

    Args:
        codes: `(b, n)`.
        own: the row of each query itself, which is left out, `(b,)`; −1 where it is no product.
        cluster: the cluster of each product, `(N,)`, where there are clusters to look in.
        clusters: the cluster to look in for each query, `(b,)`; None is everywhere.
    """
    if clusters is None:
        return _nearest_rows(index, codes, k, method, own, None)
    ranked = np.full((len(codes), k), NO_PRODUCT, np.intp)
    for each in np.unique(clusters):
        asked = np.flatnonzero(clusters == each)
        rows = np.flatnonzero(cluster == each)
        if len(rows):
            ranked[asked] = _nearest_rows(index, codes[asked], k, method, own[asked], rows)
    return ranked


def _nearest_rows(
    index: LatentIndex, codes: NDArray[np.float32], k: int, method: str, own: Ints, rows: Ints | None
) -> Ints:
    held = len(index) if rows is None else len(rows)
    found, _ = index.nearest(codes, min(k + 1, held), method=method, rows=rows)
    return drop_own_rows(np.atleast_2d(found), own, k)


def drop_own_rows(ranked: Ints, own: Ints, k: int) -> Ints:
    """The rankings `(b, m)` without each query's own row, cut or filled up with −1 to `(b, k)`."""
    itself = ranked == own[:, None]
    kept = np.where(itself, NO_PRODUCT, ranked)
    order = np.argsort(itself, axis=1, kind="stable")
    moved = np.take_along_axis(kept, order, axis=1)[:, :k]
    return np.pad(moved, ((0, 0), (0, k - moved.shape[1])), constant_values=NO_PRODUCT)


def random_ranking(
    count: int, k: int, own: Ints, seed: int, cluster: Ints | None = None, clusters: Ints | None = None
) -> Ints:
    """k of `count` products in random order for each query, `(b, k)`; −1 where there are no more.

    With `clusters` `(b,)`, only products whose `cluster` `(N,)` is the query's.
    """
    random = np.random.default_rng([seed, 2])
    everywhere = np.arange(count)
    groups = {} if clusters is None else {each: np.flatnonzero(cluster == each) for each in np.unique(clusters)}
    ranked = np.full((len(own), k + 1), NO_PRODUCT, np.intp)
    for query in range(len(own)):
        rows = everywhere if clusters is None else groups[clusters[query]]
        drawn = random.choice(rows, min(k + 1, len(rows)), replace=False)
        ranked[query, : len(drawn)] = drawn
    return drop_own_rows(ranked, own, k)


def rank_other_clusters(
    index: LatentIndex,
    codes: NDArray[np.float32],
    k: int,
    method: str,
    own: Ints,
    cluster: Ints,
    count: int,
    move: CodeTransfer,
    itself: Ints,
) -> Ints:
    """The rows of what each query is recommended, `(b, count·k)`: of each other cluster the k nearest to it, moved.

    Args:
        codes: `(b, n)`; `own` their clusters, `(b,)`.
        cluster: the cluster of each product, `(N,)`; there are `count` of them.
        move: codes of cluster i to where they would lie in cluster j.
        itself: the row of each query, which is left out, `(b,)`; −1 where it is no product.

    −1 stands in the query's own cluster's place, and where nothing is.
    """
    answers = np.full((len(codes), count, k), NO_PRODUCT, np.intp)
    for i in np.unique(own).tolist():
        asked = np.flatnonzero(own == i)
        for j in range(count):
            rows = np.flatnonzero(cluster == j)
            if i != j and len(rows):
                answers[asked, j] = _nearest_rows(index, move(codes[asked], i, j), k, method, itself[asked], rows)
    return answers.reshape(len(codes), -1)


def values_at(rows: Ints, values: ArrayLike) -> Ints:
    """The values `(N,)` of the products in `rows` `(b, m)`; −2 where there is no product."""
    held = np.append(np.asarray(values, np.intp), -2)
    return held[rows]
