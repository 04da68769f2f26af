"""The shop's index: opened from its file, or built in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modiste.parallel import MapFn, sequential
from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex
from modiste.shop.fingerprints import index_fingerprint
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore

if TYPE_CHECKING:
    from modiste.shop.shop import Opened


@dataclass(frozen=True)
class EncodingArrays:
    """The posteriors and fixed-epsilon codes of all products, float32 `(N, n)` each, in the order of Products."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]


def read_indexed_encodings(
    files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str, count: int
) -> EncodingArrays | None:
    """The encodings of all products as the index has them, if it is there and of the shop as it is."""
    blocks = Blocks.open(files.index(model_id), index_fingerprint(files, manifest, store, model_id))
    if blocks is None or not blocks.covers_rows(count):
        return None
    held = blocks.products()
    order = np.argsort(held.rows)
    return EncodingArrays(held.mean[order], held.std[order], held.code[order])


def open_index(shop: Opened, threads: int) -> LatentIndex:
    """The shop's index: mapped from its file, or, where that is missing or stale, built in memory."""
    model_id = shop.model.model_id
    directory, wanted = (
        shop.files.index(model_id),
        index_fingerprint(shop.files, shop.manifest, shop.store, model_id),
    )
    found = LatentIndex.open(directory, wanted, shop.catalogue.ids, threads=threads)
    return build_index(shop, threads) if found is None else found


def build_index(shop: Opened, threads: int, map_fn: MapFn = sequential) -> LatentIndex:
    """The shop's index, from its encodings and clusters; which product is in which is found in pieces."""
    held = shop.encodings
    return LatentIndex(
        shop.catalogue.ids,
        held.mean,
        held.std,
        held.code,
        cluster=shop.assign_clusters(map_fn),
        tau=shop.tau,
        threads=threads,
    )
