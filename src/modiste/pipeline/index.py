"""The index stage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from modiste.latent.posterior import check_tau
from modiste.parallel import Executor, MapFn, ThreadExecutor, sequential
from modiste.pipeline.write_session import open_for_writing
from modiste.search.index import LatentIndex, warm_up_kernels
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.index_files import build_index
from modiste.shop.loading import assign_clusters
from modiste.shop.shop import Shop
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.refusals import storage_errors


def write_index(shop: Shop, map_fn: MapFn = sequential) -> LatentIndex:
    """Build the shop's index and keep it, and the products' words, in files, inside `writing`. Raises StorageError."""
    warm_up_kernels()  # so that the first question does not wait for a compiler
    assignments = assign_clusters(shop.clusters, shop.catalogue.categories, shop.encodings, map_fn)
    index = build_index(shop.catalogue.ids, shop.encodings, assignments, shop.tau)
    save_index(index, shop.files, shop.manifest, shop.store, shop.model.model_id)
    return index


def save_index(
    index: LatentIndex, files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str
) -> None:
    """Write an index and the products' snapshot to their files, inside `open_for_writing`. Raises StorageError."""
    directory = files.index(model_id)
    with storage_errors(f"Writing {directory}"):
        index.save(directory, index_fingerprint(files, manifest, store, model_id))
    store.save_snapshot()


def index_shop(
    path: str | Path,
    *,
    tau: float | None = None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Lay out the search index of the shop at `path` anew, and set the τ of its likelihood, where one is given.

    Args:
        fleet: workers that find which cluster each product is in; laying out is bound by this machine's memory.

    Returns:
        {"products", "tau", "bytes_per_product" by method, "products_per_second", "file"}

    Raises:
        BadOption: tau is negative or not finite.
        ShopIncomplete, StaleError: the shop is not clustered, or not as it is now.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="clusters") as shop:
        if tau is not None:
            shop.manifest.with_changes(search={"tau": check_tau(tau)}).save(shop.files.root)
        changed = Shop.open(shop.files.root, use_index=False)
        _ = (changed.encodings, changed.clusters)
        warm_up_kernels()  # what is timed is laying out and writing, not the compiler
        began = time.perf_counter()
        index = write_index(changed, (executor or ThreadExecutor()).map)
        seconds = time.perf_counter() - began
    return {
        "products": len(index),
        "tau": changed.tau,
        "bytes_per_product": {name: size / len(index) for name, size in index.nbytes.items()},
        "products_per_second": len(index) / seconds,
        "file": str(changed.files.index(changed.model.model_id)),
    }
