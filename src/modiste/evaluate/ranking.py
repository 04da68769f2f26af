"""Rankings of products for many queries at once, without the query itself: by an index, or at random."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.search.index import LatentIndex

Ints = NDArray[np.intp]
CodeTransfer = Callable[[NDArray[np.float32], int, int], NDArray[np.float32]]
NO_PRODUCT = -1  # fills rankings that are shorter than the array


def rank(
    index: LatentIndex,
    codes: NDArray[np.float32],
    k: int,
    method: str,
    query_rows: Ints,
    product_clusters: Ints | None = None,
    query_clusters: Ints | None = None,
) -> Ints:
    """Return the rows of the k nearest products of each query, best first, `(b, k)`; NO_PRODUCT if there are fewer.

    Args:
        index: the index of all products.
        codes: codes of the queries, `(b, n)`.
        k: number of results per query.
        method: search method.
        query_rows: row of each query, which its results leave out, `(b,)`; NO_PRODUCT if the query is not a product.
        product_clusters: cluster of each product, `(N,)`; needed with `query_clusters`.
        query_clusters: cluster that each query searches, `(b,)`; None searches all products.
    """
    if query_clusters is None:
        return _nearest_rows(index, codes, k, method, query_rows, None)
    ranked = np.full((len(codes), k), NO_PRODUCT, np.intp)
    for cluster in np.unique(query_clusters):
        queries = np.flatnonzero(query_clusters == cluster)
        members = np.flatnonzero(product_clusters == cluster)
        if len(members):
            ranked[queries] = _nearest_rows(index, codes[queries], k, method, query_rows[queries], members)
    return ranked


def _nearest_rows(
    index: LatentIndex, codes: NDArray[np.float32], k: int, method: str, query_rows: Ints, members: Ints | None
) -> Ints:
    product_count = len(index) if members is None else len(members)
    rows, _ = index.nearest(codes, min(k + 1, product_count), method=method, rows=members)
    return drop_query_rows(np.atleast_2d(rows), query_rows, k)


def drop_query_rows(ranked: Ints, query_rows: Ints, k: int) -> Ints:
    """Remove each query's own row from its ranking `(b, m)`; cut or fill up with NO_PRODUCT to `(b, k)`."""
    is_query = ranked == query_rows[:, None]
    others = np.where(is_query, NO_PRODUCT, ranked)
    order = np.argsort(is_query, axis=1, kind="stable")
    shifted = np.take_along_axis(others, order, axis=1)[:, :k]
    return np.pad(shifted, ((0, 0), (0, k - shifted.shape[1])), constant_values=NO_PRODUCT)


def random_ranking(
    count: int,
    k: int,
    query_rows: Ints,
    seed: int,
    product_clusters: Ints | None = None,
    query_clusters: Ints | None = None,
) -> Ints:
    """Return k of `count` products in random order for each query, `(b, k)`; NO_PRODUCT if there are fewer.

    Args:
        count: number of products.
        k: number of results per query.
        query_rows: row of each query, which its results leave out, `(b,)`; NO_PRODUCT if the query is not a product.
        seed: seed of the random order.
        product_clusters: cluster of each product, `(N,)`; needed with `query_clusters`.
        query_clusters: cluster that each query's results are drawn from, `(b,)`; None draws from all products.
    """
    random = np.random.default_rng([seed, 2])
    all_rows = np.arange(count)
    members = (
        {}
        if query_clusters is None
        else {cluster: np.flatnonzero(product_clusters == cluster) for cluster in np.unique(query_clusters)}
    )
    ranked = np.full((len(query_rows), k + 1), NO_PRODUCT, np.intp)
    for query in range(len(query_rows)):
        rows = all_rows if query_clusters is None else members[query_clusters[query]]
        drawn = random.choice(rows, min(k + 1, len(rows)), replace=False)
        ranked[query, : len(drawn)] = drawn
    return drop_query_rows(ranked, query_rows, k)


def rank_other_clusters(
    index: LatentIndex,
    codes: NDArray[np.float32],
    k: int,
    method: str,
    query_clusters: Ints,
    product_clusters: Ints,
    cluster_count: int,
    transfer: CodeTransfer,
    query_rows: Ints,
) -> Ints:
    """Return the rows of each query's recommendations: the k nearest products in each other cluster.

    The query's code is first transferred to the other cluster.

    Args:
        index: the index of all products.
        codes: codes of the queries, `(b, n)`.
        k: number of products per cluster.
        method: search method.
        query_clusters: cluster of each query, `(b,)`.
        product_clusters: cluster of each product, `(N,)`.
        cluster_count: number of clusters.
        transfer: moves codes `(m, n)` from cluster i to cluster j.
        query_rows: row of each query, which is never recommended, `(b,)`; NO_PRODUCT if the query is not a product.

    Returns:
        `(b, cluster_count·k)`, by cluster; NO_PRODUCT for the query's own cluster, and if a cluster has fewer than k.
    """
    results = np.full((len(codes), cluster_count, k), NO_PRODUCT, np.intp)
    for i in np.unique(query_clusters).tolist():
        queries = np.flatnonzero(query_clusters == i)
        for j in range(cluster_count):
            members = np.flatnonzero(product_clusters == j)
            if i != j and len(members):
                moved = transfer(codes[queries], i, j)
                results[queries, j] = _nearest_rows(index, moved, k, method, query_rows[queries], members)
    return results.reshape(len(codes), -1)


def values_at(rows: Ints, values: ArrayLike) -> Ints:
    """Return the values of the products in `rows` `(b, m)`, from the values of all products `(N,)`.

    NO_PRODUCT becomes −2.
    """
    return np.append(np.asarray(values, np.intp), -2)[rows]
