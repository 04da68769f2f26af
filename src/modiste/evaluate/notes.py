"""Notes on the figures of an evaluation: too few products, or wide standard deviations."""

from __future__ import annotations

import numpy as np

from modiste.evaluate.baselines import MAX_DEPTH
from modiste.evaluate.queries import QuerySet
from modiste.shop.shop import Shop

MIN_DISAGREEMENT = 0.01


def small_group_notes(shop: Shop) -> list[str]:
    """Return a note for each group with fewer products than the largest depth of mAP."""
    sizes = np.bincount(shop.assignments, minlength=len(shop.clusters))
    groups = {"The catalogue": len(shop.catalogue)} | {
        f"Cluster {number} ({label})": int(size)
        for number, (label, size) in enumerate(zip(shop.clusters.labels, sizes, strict=True))
    }
    return [
        f"{name} has {size} products: mAP at more than {size - 1} covers all of them."
        for name, size in groups.items()
        if size <= MAX_DEPTH
    ]


def cluster_disagreement_notes(shop: Shop, queries: QuerySet) -> list[str]:
    """Return a note if means and codes of the same queries fall into different clusters."""
    by_code, by_mean = (shop.clusters.assign(part) for part in (queries.posterior.code, queries.posterior.mean))
    share = float((by_code != by_mean).mean())
    if share < MIN_DISAGREEMENT:
        return []
    return [
        f"For {share:.0%} of the queries, the mean and the fixed-epsilon code fall into different clusters: the "
        "standard deviations are large in comparison with the clusters."
    ]
