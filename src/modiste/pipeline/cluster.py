"""The clustering stage: clusters of the products' codes or means, stored with the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from modiste.choices import ClusterFeatures, ClusterMethod
from modiste.errors import BadCount, BadOption
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture, name_clusters
from modiste.parallel import Executor, ThreadExecutor
from modiste.pipeline.index import write_index
from modiste.pipeline.write_session import open_for_writing
from modiste.shop.shop import Shop
from modiste.storage.json_files import with_checksum, write_json

UNSUPERVISED = {"kmeans": fit_kmeans, "mixture": fit_mixture}
DEFAULT_K = 3  # the paper's


def cluster_shop(
    path: str | Path,
    *,
    k: int | None = None,
    features: ClusterFeatures = "code",
    method: ClusterMethod | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Clusters:
    """Cluster the encoded shop at `path`, into its own categories if it has any.

    Args:
        path: the shop's directory or URL.
        k: the number of clusters; None is 3, or the number of categories for the method "category", which takes no
            other.
        features: what is clustered, "code" or "mean"; the method "category" uses both.
        method: "category", the shop's own categories; "mixture", Gaussians merged down to `k`, which finds groups of
            unequal size and shape; or "kmeans", the paper's. Clusters of the last two are named by their most frequent
            category. None is "category" if the shop has at least two and `k` does not differ, else "mixture".
        seed: of the fit.
        executor: workers for the restarts of the fit and the assignment; the result is the same.

    Raises:
        BadCount: k below 1, over the number of products, or not the number of categories.
        BadOption: unknown features or method.
        ShopIncomplete, StaleError: there are no encodings, or they are not of the current catalogue.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed; the previous clusters are kept.
    """
    for name, value, choices in (("method", method, ClusterMethod), ("features", features, ClusterFeatures)):
        if value not in get_args(choices) and not (name == "method" and value is None):
            names = ", ".join(get_args(choices))
            raise BadOption(f"Unknown clustering {name} {value!r}.", remedy=f"Choose one of {names}.")
    with open_for_writing(path, need="encodings") as shop:
        k, method = resolve_clustering(shop, k, method)
        map_fn = (executor or ThreadExecutor()).map
        points = shop.encodings.mean if features == "mean" else shop.encodings.code
        if method == "category":
            # A design may start from a code or from a mean: both must be assigned to their category.
            both = np.concatenate([shop.encodings.code, shop.encodings.mean])
            fitted = fit_categories(both, 2 * shop.catalogue.categories, seed, map_fn)
            labels = fitted.labels
        else:
            fitted = UNSUPERVISED[method](points, k, seed, map_fn)
            labels = name_clusters(fitted.assign(points, map_fn), shop.catalogue.categories)
            # Empty clusters come last and have no name yet.
            labels += ("empty",) * (k - len(labels))
        clusters = replace(fitted, labels=labels, features=features)
        built_from = {"model": shop.model.model_id, "catalogue_hash": shop.store.hash()}
        write_clusters(shop.files.clusters(shop.model.model_id), built_from, clusters)
        options = {"k": k, "on": features, "method": method, "seed": seed}
        shop.manifest.with_changes(clusters=built_from | options | {"labels": list(labels)}).save(shop.files.root)
        write_index(Shop.open(shop.files.root, use_index=False), map_fn)
    return clusters


def write_clusters(path: Path, built_from: dict[str, Any], clusters: Clusters) -> None:
    """Write clusters and what they were built from, atomically. Raises StorageError."""
    write_json(path, with_checksum(built_from | {"clusters": clusters.to_dict()}))


def resolve_clustering(shop: Shop, k: int | None, method: ClusterMethod | None) -> tuple[int, ClusterMethod]:
    """Return the number of clusters and the method, with the defaults of `cluster_shop` filled in.

    Raises:
        BadCount: k below 1, over the number of products, or not the number of categories.
    """
    category_count = len(shop.catalogue.counts())
    if method is None:
        method = "category" if category_count >= 2 and k in (None, category_count) else "mixture"
    if method == "category" and k not in (None, category_count):
        raise BadCount(
            f"k is {k}, but the shop has {category_count} categories.",
            remedy="Leave k out, or cluster by mixture or kmeans.",
        )
    count = category_count if method == "category" else DEFAULT_K if k is None else k
    if not 1 <= count <= len(shop.catalogue):
        raise BadCount(
            f"k is {count}, but the shop has {len(shop.catalogue)} products.",
            remedy=f"Give a k from 1 to {len(shop.catalogue)}.",
        )
    return count, method
