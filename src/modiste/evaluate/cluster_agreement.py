"""How well clusters that know no tags agree with the shop's categories."""

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
    """The scores of clusterings that know no tags, and of the shop's own; and the merged mixture itself."""
    count = len(shop.catalogue.counts())
    mixture = fit_mixture(shop.encodings.code, count, seed)
    if mixture.method != "mixture":
        notes.append("There are too few products for a mixture: clusters.mixture is K-means.")
    if shop.clusters.method == "category":
        notes.append(
            "The shop is clustered by its own categories: clusters.shop and the scope cluster were told them. "
            "The scope unsupervised looks inside the merged mixture's clusters, which were not."
        )
    found = {
        "code": fit_kmeans(shop.encodings.code, count, seed).assign(shop.encodings.code),
        "mean": fit_kmeans(shop.encodings.mean, count, seed).assign(shop.encodings.mean),
        "mixture": mixture.assign(shop.encodings.code),
        "shop": shop.assignments,
    }
    scored = {name: score_clusters(shop.catalogue.categories, each, bootstrap) for name, each in found.items()}
    return scored, mixture


def score_clusters(categories: list[str], assigned: Ints, bootstrap: Bootstrap) -> tuple[Tree, Tree]:
    """Scores per class and macro-F1 of clusters `(N,)` against categories, and the intervals in the same shape."""
    names = sorted(set(categories))
    place = {name: number for number, name in enumerate(names)}
    truth = np.array([place[each] for each in categories], np.intp)
    counts = contingency_table(truth, assigned, len(names), int(assigned.max()) + 1)
    table = confusion_matrix(counts, match_clusters(counts))
    scores = class_scores(table)
    per_class = {
        name: {score: float(values[row]) for score, values in scores.items()} for row, name in enumerate(names)
    }
    figures = {"per_class": per_class, "macro_f1": float(scores["f1"].mean())}
    return figures, bootstrap.class_intervals(table, names)
