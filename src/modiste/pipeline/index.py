"""The index stage."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modiste.latent.posterior import check_tau
from modiste.parallel import Each, Fleet, Here, in_turn
from modiste.search.index import LatentIndex, warm
from modiste.shop.fingerprints import made_from
from modiste.shop.index_files import build_index
from modiste.storage.array_files import PARTIAL
from modiste.storage.atomic import barrier
from modiste.storage.refusals import disk_errors

if TYPE_CHECKING:
    from modiste.shop.shop import Opened


def write_index(shop: Opened, each: Each = in_turn) -> LatentIndex:
    """Build the shop's index and keep it, and the products' words, in files, inside `writing`. Raises StorageError."""
    warm()  # so that the first question does not wait for a compiler
    index = build_index(shop, 1, each)
    model_id = shop.model.model_id
    directory = shop.files.index(model_id)
    for left in directory.parent.glob(f".{directory.name}.*{PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)  # by a process that was killed
    with disk_errors(f"Writing {directory}"), barrier(directory.parent):
        index.save(directory, made_from(shop.files, shop.manifest, shop.store, model_id))
    shop.store.keep_snapshot()
    return index


def index_shop(
    path: str | Path,
    *,
    tau: float | None = None,
    fleet: Fleet | None = None,
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
    from modiste.pipeline.write_session import opened_for_writing
    from modiste.shop.shop import Opened

    with opened_for_writing(path, need="clusters") as shop:
        if tau is not None:
            shop.manifest.with_(search={"tau": check_tau(tau)}).save(shop.files.root)
        changed = Opened.open(shop.files.root, derived=False)
        _ = (changed.encodings, changed.clusters)
        warm()  # what is timed is laying out and writing, not the compiler
        began = time.perf_counter()
        index = write_index(changed, (fleet or Here()).each)
        seconds = time.perf_counter() - began
    return {
        "products": len(index),
        "tau": changed.tau,
        "bytes_per_product": {name: size / len(index) for name, size in index.nbytes.items()},
        "products_per_second": len(index) / seconds,
        "file": str(changed.files.index(changed.model.model_id)),
    }
