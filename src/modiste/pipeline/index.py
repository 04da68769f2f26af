"""The index stage: builds the search index and writes it to its file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from modiste.latent.likelihood import check_tau
from modiste.parallel import Executor, MapFn, ThreadExecutor, sequential
from modiste.pipeline.write_session import open_for_writing
from modiste.search.index import LatentIndex, warm_up_kernels
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.loading import assign_clusters, build_index
from modiste.shop.shop import Shop
from modiste.storage.error_translation import storage_errors
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore


def write_index(shop: Shop, map_fn: MapFn = sequential) -> LatentIndex:
    """Build the index and write it and the products' snapshot, inside `open_for_writing`. Raises StorageError."""
    warm_up_kernels()  # so that the first search does not wait for the compiler
    assignments = assign_clusters(shop.clusters, shop.catalogue.categories, shop.encodings, map_fn)
    index = build_index(shop.catalogue.ids, shop.encodings, assignments, shop.tau)
    save_index(index, shop.files, shop.manifest, shop.store, shop.model.model_id)
    return index


def save_index(index: LatentIndex, files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str) -> None:
    """Write an index and the products' snapshot to their files, inside `open_for_writing`. Raises StorageError."""
    directory = files.index(model_id)
    with storage_errors(f"Writing {directory}"):
        index.save(directory, index_fingerprint(files, manifest, store, model_id))
    store.save_snapshot()


def index_shop(path: str | Path, *, tau: float | None = None, executor: Executor | None = None) -> dict[str, Any]:
    """Build the search index of the shop at `path` again.

    Args:
        path: the shop's directory or URL.
        tau: the new τ of the shop's likelihood; None keeps the current one.
        executor: workers that assign products to clusters; the rest is limited by this machine's memory bandwidth.

    Returns:
        {"products", "tau", "bytes_per_product" by method, "products_per_second", "file"}

    Raises:
        BadOption: tau is negative or not finite.
        ShopIncomplete, StaleError: the shop has no current clusters.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="clusters") as shop:
        if tau is not None:
            shop.manifest.with_changes(search={"tau": check_tau(tau)}).save(shop.files.root)
        reopened = Shop.open(shop.files.root, use_index=False)
        _ = (reopened.encodings, reopened.clusters)
        warm_up_kernels()  # the measured time excludes the compiler
        start = time.perf_counter()
        index = write_index(reopened, (executor or ThreadExecutor()).map)
        seconds = time.perf_counter() - start
    return {
        "products": len(index),
        "tau": reopened.tau,
        "bytes_per_product": {name: size / len(index) for name, size in index.nbytes.items()},
        "products_per_second": len(index) / seconds,
        "file": str(reopened.files.index(reopened.model.model_id)),
    }
