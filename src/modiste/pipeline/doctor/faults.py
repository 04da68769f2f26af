"""What can be wrong with the products of a shop, and with what is derived from them: each fault with its remedy."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa

from modiste.errors import PhotoError
from modiste.images.photo import decode_jpeg
from modiste.progress import Progress, report
from modiste.search.blocks import Blocks
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.shop import Shop
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.snapshot import SNAPSHOT_COLUMNS, SNAPSHOT_FILE, read_snapshot

MAX_NAMED_IDS = 3  # products that a fault names
BATCH_ROWS = 512  # products in memory
RESTORE_REMEDY = "Restore the shop from a backup: `modiste restore FILE --shop DIR`."


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a part of a shop, `where` in its directory.

    `broken` says whether the shop cannot answer because of it, or may answer wrongly; else it is slower, or larger, or
    not yet finished.
    """

    part: str
    where: str
    says: str
    remedy: str
    broken: bool


def check_products(store: ProductStore, manifest: Manifest, on_progress: Progress | None) -> Iterator[Fault]:
    """Reads every row of the products' table and decodes every photo. Raises SchemaError where that cannot be done."""
    total, done = store.count(), 0
    seen: set[str] = set()
    wrong: dict[str, list[str]] = {}
    categories: dict[str, int] = {}
    report(on_progress, "examine", 0, total)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for batch in store.batches(["id", "category", "photo", "attributes"], BATCH_ROWS):
            rows: list[dict[str, Any]] = batch.to_pylist()
            fits = pool.map(lambda row: _is_photo(row["photo"], manifest.frame), rows)
            for row, fit in zip(rows, fits, strict=True):
                sound = {
                    "have an id that another has too": row["id"] not in seen,
                    "have no id or no category": bool(row["id"] and row["category"]),
                    f"have a photo that is no JPEG of {manifest.frame[1]}x{manifest.frame[0]}": fit,
                    "have attributes that cannot be read": _is_object(row["attributes"]),
                }
                for kind in (kind for kind, fine in sound.items() if not fine):
                    wrong.setdefault(kind, []).append(str(row["id"]))
                seen.add(row["id"])
                categories[row["category"]] = categories.get(row["category"], 0) + 1
            done += len(rows)
            report(on_progress, "examine", done, total)
    for kind, ids in wrong.items():
        few = ", ".join(ids[:MAX_NAMED_IDS]) + (", …" if len(ids) > MAX_NAMED_IDS else "")
        yield Fault(
            "products",
            "store/products.lance",
            f"{len(ids)} products {kind}: {few}.",
            RESTORE_REMEDY,
            broken=True,
        )
    told = manifest.catalogue
    found = {"hash": store.hash(), "count": total, "categories": categories}
    if differing := [name for name in found if told.get(name) != found[name]]:
        yield Fault(
            "catalogue",
            "shop.json",
            f"It was written for other products: {', '.join(differing)} differ from the store's.",
            "Run the last `modiste ingest` again; it goes on where it stopped.",
            broken=True,
        )


def _is_photo(photo: bytes, frame: tuple[int, int]) -> bool:
    try:
        return decode_jpeg(photo).shape == (*frame, 3)
    except PhotoError:
        return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def check_snapshot(store: ProductStore) -> Iterator[Fault]:
    """Whether the snapshot, from which most commands read, has the words of the table."""
    where, remedy = f"store/{SNAPSHOT_FILE}", "Write it anew: `modiste doctor --shop DIR --repair`."
    held = read_snapshot(store.directory, "products")
    if held is None:
        says = "It is missing, damaged or older than the products: commands open the database instead."
        yield Fault("snapshot", where, says, remedy, broken=False)
    elif held.hash != store.hash() or _row_digests(held.table.to_batches(BATCH_ROWS)) != _row_digests(
        store.batches(SNAPSHOT_COLUMNS, BATCH_ROWS)
    ):
        yield Fault("snapshot", where, "It has other words than the products' table.", remedy, broken=True)


def _row_digests(batches: Iterable[pa.RecordBatch]) -> list[bytes]:
    """Digests of what is said of each product, sorted: the words themselves may be gigabytes."""
    rows = (row for batch in batches for row in cast("list[dict[str, str]]", batch.to_pylist()))
    said = (json.dumps([row[name] for name in SNAPSHOT_COLUMNS]).encode() for row in rows)
    return sorted(hashlib.blake2b(text, digest_size=16).digest() for text in said)


def check_index(shop: Shop) -> Iterator[Fault]:
    """Whether the search index has the encodings and clusters of the database, and what follows from them."""
    directory = shop.files.index(shop.model.model_id)
    where, remedy = _relative(shop.files, directory), f"Lay it out anew: `modiste index --shop {shop.path}`."
    blocks = Blocks.open(
        directory, index_fingerprint(shop.files, shop.manifest, shop.store, shop.model.model_id)
    )
    if blocks is None or not blocks.covers_rows(len(shop.catalogue)):
        says = "It is missing, damaged or older than the clusters: each command lays it out for itself."
        yield Fault("index", where, says, remedy, broken=False)
        return
    held = blocks.products()
    order = np.argsort(held.rows)
    pairs = [(getattr(held, name)[order], getattr(shop.encodings, name)) for name in ("mean", "std", "code")]
    pairs.append((held.cluster[order], shop.assignments))
    if not all(np.array_equal(had, wanted) for had, wanted in pairs) or not blocks.derived_arrays_match():
        yield Fault(
            "index", where, "It has other numbers than the encodings and clusters.", remedy, broken=True
        )


def _relative(files: ShopPaths, path: Any) -> str:
    return path.relative_to(files.root).as_posix()
