"""Whether recommendations have taste, and are not the same for everyone: our ways beside what they must beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.queries import Questions
from modiste.evaluate.ranking import NONE, rank_moved
from modiste.evaluate.relevance import Judge, spread
from modiste.latent.arithmetic import shift
from modiste.search.index import METHODS
from modiste.shop.cluster_transfer import NEARNESS, WAYS
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]

RECOMMENDED = 3  # per other cluster
# What a way must beat, all by the same nearness: the paper's Eq. 3 as printed, the design where it is, and chance.
PRINTED, UNSHIFTED, RANDOM = "printed", "unshifted", "random"
BASES = (*WAYS, PRINTED, UNSHIFTED, RANDOM)


def recommendations(shop: Shop, questions: Questions, judge: Judge, seed: int) -> tuple[Tree, Tree]:
    """Per way and per nearness: how far colour, gender and usage travel, per query; and how one-sided answers are.

    A nearness alone is asked with the shop's default way, a way alone with the default nearness.
    """
    tree: Tree = {}
    spreads: Tree = {}
    for name in (*METHODS, *BASES):
        nearness = name if name in METHODS else NEARNESS
        codes = questions.designs(nearness)
        if name in METHODS or name in WAYS:
            rows = asked_of_shop(shop, codes, name, questions.own)
        else:
            rows = asked_simply(shop, codes, name, questions.own, seed)
        tree[name] = judge.travels(rows, shop.assignments)
        spreads[name] = spread(rows)
    return tree, spreads


def asked_of_shop(shop: Shop, codes: NDArray[np.float32], method: str, itself: Ints) -> Ints:
    """The rows of what the shop itself recommends for codes `(b, n)`: `(b, (clusters − 1)·3)`, −1 where nothing.

    `itself` is the row of each query, `(b,)`, −1 where it is no product: a product that is mistaken for one of another
    cluster must not be recommended for itself.
    """
    width = max(1, len(shop.clusters) - 1) * RECOMMENDED
    rows = np.full((len(codes), width), NONE, np.intp)
    k = min(RECOMMENDED, len(shop.catalogue))
    for query, code in enumerate(codes):
        left_out = (shop.catalogue.ids[itself[query]],) if itself[query] >= 0 else ()
        answer: Any = shop.recommend(code, k, method, exclude=left_out)
        found = [shop.catalogue.row(match.id) for each in answer for match in each.matches]
        rows[query, : len(found)] = found
    return rows


def asked_simply(shop: Shop, codes: NDArray[np.float32], name: str, itself: Ints, seed: int) -> Ints:
    """The same for what a way must beat."""
    clusters, cluster = shop.clusters, shop.assignments
    own = np.asarray(clusters.assign(codes), np.intp)
    if name == RANDOM:
        return _at_random(own, cluster, len(clusters), seed)

    def printed(batch: NDArray[np.float32], i: int, j: int) -> NDArray[np.float32]:
        return shift(
            batch, clusters.centres[j], clusters.centres[i]
        )  # towards i's side: as the paper prints it

    move: Callable[..., NDArray[np.float32]] = printed if name == PRINTED else lambda batch, _i, _j: batch
    return rank_moved(shop.index, codes, RECOMMENDED, NEARNESS, own, cluster, len(clusters), move, itself)


def _at_random(own: Ints, cluster: Ints, count: int, seed: int) -> Ints:
    random = np.random.default_rng([seed, 10])
    answers = np.full((len(own), count, RECOMMENDED), NONE, np.intp)
    members = [np.flatnonzero(cluster == j) for j in range(count)]
    for query, mine in enumerate(own):
        for other, rows in enumerate(members):
            if other != mine and len(rows):
                drawn = random.choice(rows, min(RECOMMENDED, len(rows)), replace=False)
                answers[query, other, : len(drawn)] = drawn
    return answers.reshape(len(own), -1)
