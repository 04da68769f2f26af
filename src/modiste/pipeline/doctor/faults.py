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
from modiste.progress import Progress, tell
from modiste.search.blocks import Blocks
from modiste.shop.fingerprints import made_from
from modiste.shop.shop import Shop
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopFiles
from modiste.storage.product_store import ProductStore
from modiste.storage.snapshot import COLUMNS, FILE, read_snapshot

NAMED = 3  # products that a fault names
AT_ONCE = 512  # products in memory
COPY = "Restore the shop from a backup: `modiste restore FILE --shop DIR`."


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


def faults_of_products(
    store: ProductStore, manifest: Manifest, on_progress: Progress | None
) -> Iterator[Fault]:
    """Reads every row of the products' table and decodes every photo. Raises SchemaError where that cannot be done."""
    total, done = store.count(), 0
    seen: set[str] = set()
    wrong: dict[str, list[str]] = {}
    categories: dict[str, int] = {}
    tell(on_progress, "examine", 0, total)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for batch in store.batches(["id", "category", "photo", "attributes"], AT_ONCE):
            rows: list[dict[str, Any]] = batch.to_pylist()
            fits = pool.map(lambda row: _fits(row["photo"], manifest.frame), rows)
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
            tell(on_progress, "examine", done, total)
    for kind, ids in wrong.items():
        few = ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
        yield Fault(
            "products", "store/products.lance", f"{len(ids)} products {kind}: {few}.", COPY, broken=True
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


def _fits(photo: bytes, frame: tuple[int, int]) -> bool:
    try:
        return decode_jpeg(photo).shape == (*frame, 3)
    except PhotoError:
        return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def faults_of_snapshot(store: ProductStore) -> Iterator[Fault]:
    """Whether the snapshot, from which most commands read, has the words of the table."""
    where, remedy = f"store/{FILE}", "Write it anew: `modiste doctor --shop DIR --repair`."
    held = read_snapshot(store.directory, "products")
    if held is None:
        says = "It is missing, damaged or older than the products: commands open the database instead."
        yield Fault("snapshot", where, says, remedy, broken=False)
    elif held.hash != store.hash() or _words(held.table.to_batches(AT_ONCE)) != _words(
        store.batches(COLUMNS, AT_ONCE)
    ):
        yield Fault("snapshot", where, "It has other words than the products' table.", remedy, broken=True)


def _words(batches: Iterable[pa.RecordBatch]) -> list[bytes]:
    """Digests of what is said of each product, sorted: the words themselves may be gigabytes."""
    rows = (row for batch in batches for row in cast("list[dict[str, str]]", batch.to_pylist()))
    said = (json.dumps([row[name] for name in COLUMNS]).encode() for row in rows)
    return sorted(hashlib.blake2b(text, digest_size=16).digest() for text in said)


def faults_of_index(shop: Shop) -> Iterator[Fault]:
    """Whether the search index has the encodings and clusters of the database, and what follows from them."""
    directory = shop.files.index(shop.model.model_id)
    where, remedy = _within(shop.files, directory), f"Lay it out anew: `modiste index --shop {shop.path}`."
    blocks = Blocks.open(directory, made_from(shop.files, shop.manifest, shop.store, shop.model.model_id))
    if blocks is None or not blocks.holds(len(shop.catalogue)):
        says = "It is missing, damaged or older than the clusters: each command lays it out for itself."
        yield Fault("index", where, says, remedy, broken=False)
        return
    held = blocks.products()
    order = np.argsort(held.rows)
    pairs = [(getattr(held, name)[order], getattr(shop.encodings, name)) for name in ("mean", "std", "code")]
    pairs.append((held.cluster[order], shop.assignments))
    if not all(np.array_equal(had, wanted) for had, wanted in pairs) or not blocks.agrees():
        yield Fault(
            "index", where, "It has other numbers than the encodings and clusters.", remedy, broken=True
        )


def _within(files: ShopFiles, path: Any) -> str:
    return path.relative_to(files.root).as_posix()
