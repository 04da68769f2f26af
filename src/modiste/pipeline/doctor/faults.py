"""Checks of a shop's products, snapshot and index; each fault has a remedy."""

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

MAX_NAMED_IDS = 3  # in one fault
BATCH_ROWS = 512  # in memory at once
RESTORE_REMEDY = "Restore the shop from a backup: `modiste restore FILE --shop DIR`."


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one part of a shop; `where` is a path in its directory.

    With `broken`, the shop does not answer, or may answer wrongly; otherwise it is slower, larger or not yet finished.
    """

    part: str
    where: str
    message: str
    remedy: str
    broken: bool


def check_products(store: ProductStore, manifest: Manifest, on_progress: Progress | None) -> Iterator[Fault]:
    """Read every row of the products' table and decode every photo. Raises SchemaError if the table is unreadable."""
    total, done = store.count(), 0
    seen_ids: set[str] = set()
    ids_by_fault: dict[str, list[str]] = {}
    categories: dict[str, int] = {}
    report(on_progress, "examine", 0, total)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for batch in store.batches(["id", "category", "photo", "attributes"], BATCH_ROWS):
            rows: list[dict[str, Any]] = batch.to_pylist()
            photo_checks = pool.map(lambda row: _is_photo(row["photo"], manifest.frame), rows)
            for row, has_photo in zip(rows, photo_checks, strict=True):
                checks = {
                    "have the id of another product": row["id"] not in seen_ids,
                    "have no id or no category": bool(row["id"] and row["category"]),
                    f"have a photo that is not a JPEG of {manifest.frame[1]}x{manifest.frame[0]}": has_photo,
                    "have attributes that cannot be read": _is_object(row["attributes"]),
                }
                for fault in (fault for fault, passed in checks.items() if not passed):
                    ids_by_fault.setdefault(fault, []).append(str(row["id"]))
                seen_ids.add(row["id"])
                categories[row["category"]] = categories.get(row["category"], 0) + 1
            done += len(rows)
            report(on_progress, "examine", done, total)
    for fault, ids in ids_by_fault.items():
        examples = ", ".join(ids[:MAX_NAMED_IDS]) + (", …" if len(ids) > MAX_NAMED_IDS else "")
        yield Fault(
            "products", "store/products.lance", f"{len(ids)} products {fault}: {examples}.", RESTORE_REMEDY, broken=True
        )
    recorded = manifest.catalogue
    actual = {"hash": store.hash(), "count": total, "categories": categories}
    if differing := [name for name in actual if recorded.get(name) != actual[name]]:
        yield Fault(
            "catalogue",
            "shop.json",
            f"It describes other products: {', '.join(differing)} differ from the store.",
            "Run the last `modiste ingest` again; it continues where it stopped.",
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
    """Check that the snapshot, which most commands read, agrees with the table."""
    where, remedy = f"store/{SNAPSHOT_FILE}", "Write it again: `modiste doctor --shop DIR --repair`."
    snapshot = read_snapshot(store.directory, "products")
    if snapshot is None:
        message = "It is missing, damaged or older than the products; commands open the database instead."
        yield Fault("snapshot", where, message, remedy, broken=False)
    elif snapshot.hash != store.hash() or _row_digests(snapshot.table.to_batches(BATCH_ROWS)) != _row_digests(
        store.batches(SNAPSHOT_COLUMNS, BATCH_ROWS)
    ):
        yield Fault("snapshot", where, "It differs from the products' table.", remedy, broken=True)


def _row_digests(batches: Iterable[pa.RecordBatch]) -> list[bytes]:
    """Return a digest of each row, sorted; the rows themselves may take gigabytes."""
    rows = (row for batch in batches for row in cast("list[dict[str, str]]", batch.to_pylist()))
    texts = (json.dumps([row[name] for name in SNAPSHOT_COLUMNS]).encode() for row in rows)
    return sorted(hashlib.blake2b(text, digest_size=16).digest() for text in texts)


def check_index(shop: Shop) -> Iterator[Fault]:
    """Check that the search index agrees with the encodings and clusters in the database."""
    directory = shop.files.index(shop.model.model_id)
    where, remedy = _relative(shop.files, directory), f"Build it again: `modiste index --shop {shop.path}`."
    blocks = Blocks.open(directory, index_fingerprint(shop.files, shop.manifest, shop.store, shop.model.model_id))
    if blocks is None or not blocks.covers_rows(len(shop.catalogue)):
        message = "It is missing, damaged or older than the clusters; each command builds its own in memory."
        yield Fault("index", where, message, remedy, broken=False)
        return
    vectors = blocks.products()
    order = np.argsort(vectors.rows)
    pairs = [(getattr(vectors, name)[order], getattr(shop.encodings, name)) for name in ("mean", "std", "code")]
    pairs.append((vectors.cluster[order], shop.assignments))
    if not all(np.array_equal(*pair) for pair in pairs) or not blocks.derived_arrays_match():
        yield Fault("index", where, "It differs from the encodings and clusters.", remedy, broken=True)


def _relative(files: ShopPaths, path: Any) -> str:
    return path.relative_to(files.root).as_posix()
