"""What a reader should know of an evaluation's figures: where too few products, or wide deviations, bend them."""

from __future__ import annotations

import numpy as np

from modiste.evaluate.baselines import MAX_DEPTH
from modiste.evaluate.queries import QuerySet
from modiste.shop.shop import Shop

MIN_DISAGREEMENT = 0.01


def small_group_notes(shop: Shop) -> list[str]:
    """What is said where there are fewer products to rank than the deepest measure takes."""
    sizes = np.bincount(shop.assignments, minlength=len(shop.clusters))
    groups = {"The catalogue": len(shop.catalogue)} | {
        f"Cluster {number} ({label})": int(size)
        for number, (label, size) in enumerate(zip(shop.clusters.labels, sizes, strict=True))
    }
    return [
        f"{name} has {size} products: mAP at more than {size - 1} takes all of them."
        for name, size in groups.items()
        if size <= MAX_DEPTH
    ]


def cluster_disagreement_notes(shop: Shop, questions: QuerySet) -> list[str]:
    """What is said where means and codes of the same products do not fall into the same clusters."""
    codes, centres = (shop.clusters.assign(part) for part in (questions.posterior.code, questions.posterior.mean))
    share = float((codes != centres).mean())
    if share < MIN_DISAGREEMENT:
        return []
    return [
        f"{share:.0%} of the queries' means fall into another cluster than their fixed-epsilon codes: the deviations "
        "are wide beside the clusters."
    ]
