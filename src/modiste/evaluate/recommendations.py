"""Evaluation of recommendations: do they share the query's attributes, and are they diverse?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import QuerySet
from modiste.evaluate.ranking import NO_PRODUCT, CodeTransfer, rank_other_clusters
from modiste.evaluate.relevance import RelevanceScorer, diversity
from modiste.latent.arithmetic import shift
from modiste.search.index import METHODS
from modiste.shop.cluster_transfer import DEFAULT_METHOD, TRANSFERS
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

PRODUCTS_PER_CLUSTER = 3  # per other cluster
# Baselines, with the default search method: the paper's Eq. 3 as printed, the unchanged code, and random products.
PRINTED, UNSHIFTED, RANDOM = "printed", "unshifted", "random"
RECOMMENDERS = (*TRANSFERS, PRINTED, UNSHIFTED, RANDOM)


def evaluate_recommendations(shop: Shop, queries: QuerySet, scorer: RelevanceScorer, seed: int) -> tuple[Tree, Tree]:
    """Evaluate each search method with the default transfer, and each transfer with the default search method.

    Returns:
        By method or transfer: what recommendations share with the query, per query; and how diverse they are.
    """
    transfer_scores: Tree = {}
    diversities: Tree = {}
    for name in (*METHODS, *RECOMMENDERS):
        codes = queries.codes(name if name in METHODS else DEFAULT_METHOD)
        if name in METHODS or name in TRANSFERS:
            rows = shop_recommendations(shop, codes, name, queries.product_rows)
        else:
            rows = baseline_recommendations(shop, codes, name, queries.product_rows, seed)
        transfer_scores[name] = scorer.attribute_transfer(rows, shop.assignments)
        diversities[name] = diversity(rows)
    return transfer_scores, diversities


def shop_recommendations(shop: Shop, codes: NDArray[np.float32], method: str, query_rows: Ints) -> Ints:
    """Return the rows of the products that the shop recommends for codes `(b, n)`.

    Args:
        shop: the open shop.
        codes: codes of the queries, `(b, n)`.
        method: search method, or transfer.
        query_rows: row of each query, `(b,)`; NO_PRODUCT if the query is not a product. A product whose predicted
            cluster is not its own must not be recommended for itself.

    Returns:
        `(b, (clusters − 1)·3)`, filled up with NO_PRODUCT.
    """
    width = max(1, len(shop.clusters) - 1) * PRODUCTS_PER_CLUSTER
    rows = np.full((len(codes), width), NO_PRODUCT, np.intp)
    k = min(PRODUCTS_PER_CLUSTER, len(shop.catalogue))
    for query, code in enumerate(codes):
        excluded = (shop.catalogue.ids[query_rows[query]],) if query_rows[query] >= 0 else ()
        recommendations: Any = shop.recommend(code, k, method, exclude=excluded)
        recommended = [shop.catalogue.row(match.id) for each in recommendations for match in each.matches]
        rows[query, : len(recommended)] = recommended
    return rows


def baseline_recommendations(shop: Shop, codes: NDArray[np.float32], name: str, query_rows: Ints, seed: int) -> Ints:
    """Return the rows of the products that a baseline recommends, `(b, clusters·3)`; see `shop_recommendations`."""
    clusters, product_clusters = shop.clusters, shop.assignments
    query_clusters = np.asarray(clusters.assign(codes), np.intp)
    if name == RANDOM:
        return _random_recommendations(query_clusters, product_clusters, len(clusters), seed)

    def shift_as_printed(batch: NDArray[np.float32], i: int, j: int) -> NDArray[np.float32]:
        # The paper prints the opposite direction: away from cluster j.
        return shift(batch, clusters.centres[j], clusters.centres[i])

    transfer: CodeTransfer = shift_as_printed if name == PRINTED else lambda batch, _i, _j: batch
    return rank_other_clusters(
        shop.index,
        codes,
        PRODUCTS_PER_CLUSTER,
        DEFAULT_METHOD,
        query_clusters,
        product_clusters,
        len(clusters),
        transfer,
        query_rows,
    )


def _random_recommendations(query_clusters: Ints, product_clusters: Ints, cluster_count: int, seed: int) -> Ints:
    random = np.random.default_rng([seed, 10])
    results = np.full((len(query_clusters), cluster_count, PRODUCTS_PER_CLUSTER), NO_PRODUCT, np.intp)
    members = [np.flatnonzero(product_clusters == j) for j in range(cluster_count)]
    for query, query_cluster in enumerate(query_clusters):
        for cluster, rows in enumerate(members):
            if cluster != query_cluster and len(rows):
                drawn = random.choice(rows, min(PRODUCTS_PER_CLUSTER, len(rows)), replace=False)
                results[query, cluster, : len(drawn)] = drawn
    return results.reshape(len(query_clusters), -1)
