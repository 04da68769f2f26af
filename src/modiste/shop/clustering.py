"""The clustering stage: centres over the codes, or the means, of the catalogue, stored with the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from modiste.errors import BadCount, BadOption
from modiste.latent.clusters import Basis, Clusters, fit_kmeans, fit_mixture, name_clusters
from modiste.shop.files import write_json
from modiste.shop.shop import opened_for_writing

CLUSTER_METHODS = {"kmeans": fit_kmeans, "mixture": fit_mixture}
BASES = ("code", "mean")


def cluster_shop(
    path: str | Path, *, k: int = 3, on: str = "code", method: str = "mixture", seed: int = 0
) -> Clusters:
    """Cluster the encoded shop at `path` into `k` clusters, named by the category that most of their products have.

    Args:
        on: "code" or "mean", what of each product is clustered.
        method: "kmeans", the paper's; or "mixture", Gaussians merged down to `k`, which finds categories of
            unequal size and shape.

    Raises:
        BadCount: k below 1 or over the number of products.
        BadOption: an unknown method or basis.
        ShopIncomplete, StaleError: there are no encodings, or they are not of the catalogue as it is.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the clusters before are kept.
    """
    for name, value, allowed in (("method", method, tuple(CLUSTER_METHODS)), ("on", on, BASES)):
        if value not in allowed:
            raise BadOption(
                f"No {name} {value!r} to cluster with.", remedy=f"Choose one of {', '.join(allowed)}."
            )
    with opened_for_writing(path, need="encodings") as shop:
        count = len(shop.catalogue)
        if not 1 <= k <= count:
            raise BadCount(f"k is {k}; the shop has {count} products.", remedy=f"Give a k from 1 to {count}.")
        points = shop.encodings.mean if on == "mean" else shop.encodings.code
        fitted = CLUSTER_METHODS[method](points, k, seed)
        labels = name_clusters(fitted.assign(points), shop.catalogue.categories)
        # A cluster at the end that no product falls into has no name yet.
        labels += ("empty",) * (k - len(labels))
        clusters = replace(fitted, labels=labels, on=cast("Basis", on))
        made_from = {"model": shop.model.model_id, "catalogue_hash": shop.store.hash()}
        write_json(shop.files.clusters(shop.model.model_id), made_from | {"clusters": clusters.to_dict()})
        asked = {"k": k, "on": on, "method": method, "seed": seed}
        shop.manifest.with_(clusters=made_from | asked | {"labels": list(labels)}).save(shop.path)
    return clusters
