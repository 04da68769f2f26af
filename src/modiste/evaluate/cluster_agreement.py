"""Agreement of clusters with the shop's categories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.evaluate.bootstrap import Bootstrap, Tree
from modiste.evaluate.metrics import class_scores, confusion_matrix, contingency_table, match_clusters
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture
from modiste.shop.shop import Shop

Ints = NDArray[np.intp]


def score_clusterings(
    shop: Shop, bootstrap: Bootstrap, seed: int, notes: list[str]
) -> tuple[dict[str, tuple[Tree, Tree]], Clusters]:
    """Score clusterings that are fitted without categories, and the shop's own clusters.

    Returns:
        Scores and intervals by name of the clustering; and the merged mixture.
    """
    count = len(shop.catalogue.counts())
    mixture = fit_mixture(shop.encodings.code, count, seed)
    if mixture.method != "mixture":
        notes.append("There are too few products for a mixture: clusters.mixture is K-means.")
    if shop.clusters.method == "category":
        notes.append(
            "The shop's clusters are its categories, so `clusters.shop` and the scope `cluster` use the categories. "
            "The scope `unsupervised` searches the clusters of the merged mixture, which does not use them."
        )
    assignments = {
        "code": fit_kmeans(shop.encodings.code, count, seed).assign(shop.encodings.code),
        "mean": fit_kmeans(shop.encodings.mean, count, seed).assign(shop.encodings.mean),
        "mixture": mixture.assign(shop.encodings.code),
        "shop": shop.assignments,
    }
    scores = {name: score_clusters(shop.catalogue.categories, each, bootstrap) for name, each in assignments.items()}
    return scores, mixture


def score_clusters(categories: list[str], assigned: Ints, bootstrap: Bootstrap) -> tuple[Tree, Tree]:
    """Return scores per class and macro-F1 of clusters `(N,)` against categories, and intervals in the same shape."""
    names = sorted(set(categories))
    number_by_name = {name: number for number, name in enumerate(names)}
    truth = np.array([number_by_name[each] for each in categories], np.intp)
    counts = contingency_table(truth, assigned, len(names), int(assigned.max()) + 1)
    table = confusion_matrix(counts, match_clusters(counts))
    scores = class_scores(table)
    per_class = {
        name: {score: float(values[row]) for score, values in scores.items()} for row, name in enumerate(names)
    }
    figures = {"per_class": per_class, "macro_f1": float(scores["f1"].mean())}
    return figures, bootstrap.class_intervals(table, names)
