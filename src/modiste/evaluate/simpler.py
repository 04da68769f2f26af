"""The simpler methods' answers to the same questions: distance of other numbers, and chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.baselines import Features
from modiste.evaluate.intervals import Tree
from modiste.evaluate.judge import DEPTHS, Judge, spread
from modiste.evaluate.questions import Questions
from modiste.evaluate.ranking import rank, rank_at_random, rank_moved
from modiste.evaluate.recommending import RECOMMENDED
from modiste.latent.arithmetic import shift
from modiste.latent.categories import fit_categories
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.search.index import LatentIndex
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]
DEEPEST = max(DEPTHS)


def by_distance(
    shop: Shop,
    questions: Questions,
    judge: Judge,
    features: NDArray[np.float32],
    asked: NDArray[np.float32],
    clusters: Clusters,
) -> tuple[Tree, Tree]:
    """A method that ranks by the Euclidean distance of its own numbers `(N, m)`, in its own clusters."""
    tagged = clusters.method == "category"
    cluster = shop.assignments if tagged else np.asarray(clusters.assign(features), np.intp)
    own = np.asarray(clusters.assign(asked), np.intp)
    index = LatentIndex(shop.catalogue.ids, features, np.ones_like(features), features)
    tree = answers(
        judge,
        "euclidean",
        rank(index, asked, DEEPEST, "mean", questions.own),
        rank(index, asked, DEEPEST, "mean", questions.own, cluster, own),
    )
    recommended = rank_moved(
        index,
        asked,
        RECOMMENDED,
        "mean",
        own,
        cluster,
        len(clusters),
        lambda codes, i, j: shift(codes, clusters.centres[i], clusters.centres[j]),
        questions.own,
    )
    tree["recommendations"] = {"euclidean": judge.travels(recommended, cluster)}
    return tree, {"recommendations": {"euclidean": spread(recommended)}}


def at_random(shop: Shop, questions: Questions, judge: Judge, seed: int) -> tuple[Tree, Tree]:
    """Chance: any products; and in the scope "cluster", any of the shop's cluster that the query falls into."""
    count = len(shop.catalogue)
    everywhere = rank_at_random(count, DEEPEST, questions.own, seed)
    near = rank_at_random(
        count, DEEPEST, questions.own, seed, shop.assignments, questions.cluster(shop.clusters)
    )
    return answers(judge, "random", everywhere, near), {}


def answers(judge: Judge, method: str, everywhere: Ints, near: Ints) -> Tree:
    """What rankings everywhere and inside the cluster are worth, as an evaluation files it."""
    return {
        "retrieval": {
            "catalogue": {method: judge.retrieval(everywhere)},
            "cluster": {method: judge.retrieval(near)},
        },
        "attributes": {column: {method: value} for column, value in judge.attributes(everywhere).items()},
    }


def clusters_like(shop: Shop, features: Features, seed: int) -> dict[str, Clusters]:
    """Each simpler method's own clusters, made as the shop's were: of its tags, by mixture or by K-means."""
    k, made = len(shop.clusters), shop.clusters.method
    pca, histogram = features.scores, features.histograms
    if made != "category":
        fit = fit_mixture if made == "mixture" else fit_kmeans
        return {"pca": fit(pca, k, seed), "histogram": fit_kmeans(histogram, k, seed)}
    tags = shop.catalogue.categories
    centres = np.stack([histogram[shop.assignments == j].mean(axis=0) for j in range(k)])
    nearest = Clusters(centres.astype(np.float32), shop.clusters.labels, "code", "category")
    return {"pca": fit_categories(pca, tags, seed), "histogram": nearest}
