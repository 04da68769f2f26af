"""The clustering stage: centres over the codes, or the means, of the catalogue, stored with the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from modiste.errors import BadCount, BadOption
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import (
    ClusterFeatures,
    Clusters,
    fit_kmeans,
    fit_mixture,
    name_clusters,
)
from modiste.parallel import Executor, ThreadExecutor
from modiste.pipeline.index import write_index
from modiste.pipeline.write_session import open_for_writing
from modiste.shop.shop import Shop
from modiste.storage.json_files import with_checksum, write_json

UNSUPERVISED = {"kmeans": fit_kmeans, "mixture": fit_mixture}
CLUSTER_METHODS = (*UNSUPERVISED, "category")
FEATURES = ("code", "mean")
DEFAULT_K = 3  # the paper's


def cluster_shop(
    path: str | Path,
    *,
    k: int | None = None,
    features: str = "code",
    method: str | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Clusters:
    """Cluster the encoded shop at `path`, into its own categories where it has them.

    Args:
        k: how many clusters; None is 3. By category there are as many as categories, and k may only say so.
        on: "code" or "mean", what of each product is clustered; by category, both are.
        method: "category", the shop's own tags; "mixture", Gaussians merged down to `k`, which finds categories of
            unequal size and shape without being told; or "kmeans", the paper's. Clusters of the last two are named by
            the category that most of their products have. None is "category" where the shop has two or more and `k`
            does not ask for another number, else "mixture".
        fleet: workers that the starts of a fit, and the codes to assign, are spread over; with the same answer.

    Raises:
        BadCount: k below 1, over the number of products, or not the number of categories.
        BadOption: an unknown method or basis.
        ShopIncomplete, StaleError: there are no encodings, or they are not of the catalogue as it is.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the clusters before are kept.
    """
    for name, value, allowed in (("method", method, (*CLUSTER_METHODS, None)), ("on", features, FEATURES)):
        if value not in allowed:
            known = ", ".join(each for each in allowed if each is not None)
            raise BadOption(f"No {name} {value!r} to cluster with.", remedy=f"Choose one of {known}.")
    with open_for_writing(path, need="encodings") as shop:
        k, method = resolve_clustering(shop, k, method)
        each = (executor or ThreadExecutor()).map
        points = shop.encodings.mean if features == "mean" else shop.encodings.code
        if method == "category":
            # A design may come from a code or from a mean: both are to find their category.
            both = np.concatenate([shop.encodings.code, shop.encodings.mean])
            fitted = fit_categories(both, 2 * shop.catalogue.categories, seed, each)
            labels = fitted.labels
        else:
            fitted = UNSUPERVISED[method](points, k, seed, each)
            labels = name_clusters(fitted.assign(points, each), shop.catalogue.categories)
            # A cluster at the end that no product falls into has no name yet.
            labels += ("empty",) * (k - len(labels))
        clusters = replace(fitted, labels=labels, features=cast("ClusterFeatures", features))
        made_from = {"model": shop.model.model_id, "catalogue_hash": shop.store.hash()}
        write_clusters(shop.files.clusters(shop.model.model_id), made_from, clusters)
        asked = {"k": k, "on": features, "method": method, "seed": seed}
        shop.manifest.with_changes(clusters=made_from | asked | {"labels": list(labels)}).save(
            shop.files.root
        )
        write_index(Shop.open(shop.files.root, use_index=False), each)
    return clusters


def write_clusters(path: Path, made_from: dict[str, Any], clusters: Clusters) -> None:
    """Write clusters with what they were made from, whole or not at all. Raises StorageError."""
    write_json(path, with_checksum(made_from | {"clusters": clusters.to_dict()}))


def resolve_clustering(shop: Shop, k: int | None, method: str | None) -> tuple[int, str]:
    """How many clusters and by what, where either is left open: by the shop's tags, if it has them and `k` fits them.

    Raises:
        BadCount: k below 1, over the number of products, or not the number of categories.
    """
    tags = len(shop.catalogue.counts())
    if method is None:
        method = "category" if tags >= 2 and k in (None, tags) else "mixture"
    if method == "category" and k not in (None, tags):
        raise BadCount(
            f"k is {k}; the shop has {tags} categories.",
            remedy="Leave k out, or cluster by mixture or kmeans.",
        )
    count = tags if method == "category" else DEFAULT_K if k is None else k
    if not 1 <= count <= len(shop.catalogue):
        raise BadCount(
            f"k is {count}; the shop has {len(shop.catalogue)} products.",
            remedy=f"Give a k from 1 to {len(shop.catalogue)}.",
        )
    return count, method
