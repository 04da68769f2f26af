"""The shop's search index: derived from encodings and clusters, kept as a file that opens at once."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.pieces import Each, in_turn
from modiste.latent.posterior import check_tau
from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex, warm
from modiste.search.mapped import PARTIAL
from modiste.shop.files import ShopFiles
from modiste.shop.fleet import Fleet, Here
from modiste.shop.manifest import Manifest
from modiste.store.disk import barrier, disk_errors
from modiste.store.products import ProductStore

if TYPE_CHECKING:
    from modiste.shop.opened import Opened


@dataclass(frozen=True)
class Encodings:
    """The posteriors and fixed-epsilon codes of all products, float32 `(N, n)` each, in the order of Products."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]


def made_from(files: ShopFiles, manifest: Manifest, store: ProductStore, model_id: str) -> str:
    """Names what an index of the shop is made of, read from no table: it is stale when this has changed."""
    encoded = hash_of(model_id, store.hash(), store.encodings_stamp(model_id), manifest.tau)
    return hash_of(encoded, hash_of_file(files.clusters(model_id)))


def hash_of(*said: Any) -> str:
    """A hash of what can be said in JSON."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def hash_of_file(path: Path) -> str:
    """A hash of what a file holds; "" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def indexed_encodings(
    files: ShopFiles, manifest: Manifest, store: ProductStore, model_id: str, count: int
) -> Encodings | None:
    """The encodings of all products as the index has them, if it is there and of the shop as it is."""
    blocks = Blocks.open(files.index(model_id), made_from(files, manifest, store, model_id))
    if blocks is None or not blocks.holds(count):
        return None
    held = blocks.products()
    order = np.argsort(held.rows)
    return Encodings(held.mean[order], held.std[order], held.code[order])


def open_index(shop: Opened, threads: int) -> LatentIndex:
    """The shop's index: mapped from its file, or, where that is missing or stale, built in memory."""
    model_id = shop.model.model_id
    directory, wanted = shop.files.index(model_id), made_from(shop.files, shop.manifest, shop.store, model_id)
    found = LatentIndex.open(directory, wanted, shop.catalogue.ids, threads=threads)
    return build_index(shop, threads) if found is None else found


def build_index(shop: Opened, threads: int, each: Each = in_turn) -> LatentIndex:
    """The shop's index, from its encodings and clusters; which product is in which is found in pieces."""
    held = shop.encodings
    return LatentIndex(
        shop.catalogue.ids,
        held.mean,
        held.std,
        held.code,
        cluster=shop.assigned(each),
        tau=shop.tau,
        threads=threads,
    )


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
    from modiste.shop.opened import Opened
    from modiste.shop.writing import opened_for_writing

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
