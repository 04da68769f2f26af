"""The shop's search index: derived from encodings and clusters, kept as a file that opens at once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from modiste.search.index import LatentIndex, warm
from modiste.store.disk import disk_errors

if TYPE_CHECKING:
    from modiste.shop.shop import Shop


def made_from(shop: Shop) -> str:
    """Names what an index of the shop is made of: it is stale when this has changed."""
    said = [shop.model.model_id, shop.store.hash(), len(shop.catalogue), shop.clusters.to_dict()]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def open_index(shop: Shop, threads: int) -> LatentIndex:
    """The shop's index: mapped from its file, or, where that is missing or stale, built in memory."""
    directory = shop.files.index(shop.model.model_id)
    found = LatentIndex.open(directory, made_from(shop), shop.catalogue.ids, threads=threads)
    return build_index(shop, threads) if found is None else found


def build_index(shop: Shop, threads: int) -> LatentIndex:
    """The shop's index, from its encodings and clusters."""
    held = shop.encodings
    return LatentIndex(
        shop.catalogue.ids, held.mean, held.std, held.code, cluster=shop.assignments, threads=threads
    )


def write_index(shop: Shop) -> LatentIndex:
    """Build the shop's index and keep it in its file, inside `writing`. Raises StorageError."""
    warm()  # so that the first question does not wait for a compiler
    index = build_index(shop, 1)
    directory = shop.files.index(shop.model.model_id)
    with disk_errors(f"Writing {directory}"):
        index.save(directory, made_from(shop))
    return index
