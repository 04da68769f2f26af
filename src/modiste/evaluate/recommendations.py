"""Whether recommendations have taste, and are not the same for everyone: our ways beside what they must beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import QuerySet
from modiste.evaluate.ranking import NO_PRODUCT, rank_other_clusters
from modiste.evaluate.relevance import RelevanceScorer, diversity
from modiste.latent.arithmetic import shift
from modiste.search.index import METHODS
from modiste.shop.cluster_transfer import DEFAULT_METHOD, TRANSFERS
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

PRODUCTS_PER_CLUSTER = 3  # per other cluster
# What a way must beat, all by the same nearness: the paper's Eq. 3 as printed, the design where it is, and chance.
PRINTED, UNSHIFTED, RANDOM = "printed", "unshifted", "random"
RECOMMENDERS = (*TRANSFERS, PRINTED, UNSHIFTED, RANDOM)


def evaluate_recommendations(shop: Shop, questions: QuerySet, judge: RelevanceScorer, seed: int) -> tuple[Tree, Tree]:
    """Per way and per nearness: how far colour, gender and usage travel, per query; and how one-sided answers are.

    A nearness alone is asked with the shop's default way, a way alone with the default nearness.
    """
    tree: Tree = {}
    spreads: Tree = {}
    for name in (*METHODS, *RECOMMENDERS):
        nearness = name if name in METHODS else DEFAULT_METHOD
        codes = questions.codes(nearness)
        if name in METHODS or name in TRANSFERS:
            rows = shop_recommendations(shop, codes, name, questions.product_rows)
        else:
            rows = baseline_recommendations(shop, codes, name, questions.product_rows, seed)
        tree[name] = judge.attribute_transfer(rows, shop.assignments)
        spreads[name] = diversity(rows)
    return tree, spreads


def shop_recommendations(shop: Shop, codes: NDArray[np.float32], method: str, itself: Ints) -> Ints:
    """The rows of what the shop itself recommends for codes `(b, n)`: `(b, (clusters − 1)·3)`, −1 where nothing.

    `itself` is the row of each query, `(b,)`, −1 where it is no product: a product that is mistaken for one of another
    cluster must not be recommended for itself.
    """
    width = max(1, len(shop.clusters) - 1) * PRODUCTS_PER_CLUSTER
    rows = np.full((len(codes), width), NO_PRODUCT, np.intp)
    k = min(PRODUCTS_PER_CLUSTER, len(shop.catalogue))
    for query, code in enumerate(codes):
        left_out = (shop.catalogue.ids[itself[query]],) if itself[query] >= 0 else ()
        answer: Any = shop.recommend(code, k, method, exclude=left_out)
        found = [shop.catalogue.row(match.id) for each in answer for match in each.matches]
        rows[query, : len(found)] = found
    return rows


def baseline_recommendations(shop: Shop, codes: NDArray[np.float32], name: str, itself: Ints, seed: int) -> Ints:
    """The same for what a way must beat."""
    clusters, cluster = shop.clusters, shop.assignments
    own = np.asarray(clusters.assign(codes), np.intp)
    if name == RANDOM:
        return _random_recommendations(own, cluster, len(clusters), seed)

    def printed(batch: NDArray[np.float32], i: int, j: int) -> NDArray[np.float32]:
        return shift(batch, clusters.centres[j], clusters.centres[i])  # towards i's side: as the paper prints it

    move: Callable[..., NDArray[np.float32]] = printed if name == PRINTED else lambda batch, _i, _j: batch
    return rank_other_clusters(
        shop.index, codes, PRODUCTS_PER_CLUSTER, DEFAULT_METHOD, own, cluster, len(clusters), move, itself
    )


def _random_recommendations(own: Ints, cluster: Ints, count: int, seed: int) -> Ints:
    random = np.random.default_rng([seed, 10])
    answers = np.full((len(own), count, PRODUCTS_PER_CLUSTER), NO_PRODUCT, np.intp)
    members = [np.flatnonzero(cluster == j) for j in range(count)]
    for query, mine in enumerate(own):
        for other, rows in enumerate(members):
            if other != mine and len(rows):
                drawn = random.choice(rows, min(PRODUCTS_PER_CLUSTER, len(rows)), replace=False)
                answers[query, other, : len(drawn)] = drawn
    return answers.reshape(len(own), -1)
