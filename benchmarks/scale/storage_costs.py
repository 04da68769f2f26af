"""Cost of ingesting and storing a product: its photo, its row, its encoding, the commits of the one writer."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from measurements import Results, bytes_in, core_seconds

from modiste.images.photo import decode_jpeg, fit_photo, photo_hash, read_photo, to_jpeg
from modiste.shop.shop import Shop
from modiste.sources.record import Record, Rejection, Source
from modiste.storage.database import Database
from modiste.storage.encodings import TABLE_PREFIX, to_arrow
from modiste.storage.product_store import ProductStore, StoredProduct
from modiste.vae.onnx import OnnxModel

FRAME, LATENT = (240, 180), 16
LANCE = "products.lance"
MEMORY = """
import sys
from modiste.pipeline.ingest import ingest
class Nothing:
    name = "nothing"
    def count(self): return 0
    def records(self): return iter(())
ingest(Nothing(), sys.argv[1])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


class Some:
    """The first products of a source."""

    def __init__(self, source: Source, count: int) -> None:
        self.source, self._count, self.name = source, count, source.name

    def count(self) -> int | None:
        return self._count

    def records(self) -> Iterator[Record | Rejection]:
        return islice(self.source.records(), self._count)


def photos(results: Results, source: Source, repeats: int) -> None:
    """Measure reading, fitting, writing as JPEG and hashing photos as an ingest does it, in one thread."""
    encoded = [
        record.photo if isinstance(record.photo, bytes) else Path(str(record.photo)).read_bytes()
        for record in islice(source.records(), repeats * 200)
        if isinstance(record, Record)
    ]
    sizes: list[int] = []

    def prepare(data: bytes) -> None:
        hashlib.sha256(data).hexdigest()
        fitted = fit_photo(read_photo(data), FRAME)
        sizes.append(len(to_jpeg(fitted)))
        photo_hash(fitted)

    parts = [encoded[i::repeats] for i in range(repeats)]
    for data in parts[0][:20]:
        prepare(data)
    times = [1e3 * core_seconds(lambda part=part: [prepare(data) for data in part]) / len(part) for part in parts]
    results.repeated(
        "prepare_ms", times, "ms/photo, one core", "a photo is decoded, scaled, compressed as JPEG and hashed"
    )
    means = [float(np.mean(part)) for part in np.array_split(sizes, repeats)]
    results.repeated("photo_bytes", means, "bytes/photo", "the size of the stored JPEG")


Words = list[tuple[str, dict[str, Any]]]


def words_of(source: Source, count: int = 2000) -> Words:
    """Return categories and attributes of the first products of a source."""
    some = islice(source.records(), count)
    return [(each.category, dict(each.attributes)) for each in some if isinstance(each, Record)]


def rows(words: Words, count: int, photo: int, first: int = 0) -> list[StoredProduct]:
    """Return synthetic products with attributes of real ones. Their photos are noise, as incompressible as JPEGs."""
    numbers = np.random.default_rng(first)
    return [
        StoredProduct(
            f"product-{number:09d}",
            words[number % len(words)][0],
            numbers.bytes(photo),
            numbers.bytes(32).hex(),
            numbers.bytes(32).hex(),
            words[number % len(words)][1],
        )
        for number in range(first, first + count)
    ]


def store(results: Results, words: Words, scratch: Path, *, quick: bool) -> None:
    """Measure a table that grows by commits of one size: its bytes, and each commit's seconds by the existing rows."""
    photo, step, commits = int(results.constants["photo_bytes"].value), 4000, 4 if quick else 8
    product_store = ProductStore.create(scratch / "store")
    there: list[float] = []
    seconds: list[float] = []
    sizes: list[float] = []
    for number in range(commits):
        batch = rows(words, step, photo, number * step)
        there.append(number * step)
        began = time.perf_counter()
        product_store.upsert(batch)
        seconds.append(time.perf_counter() - began)
        sizes.append(float(bytes_in(scratch / "store" / LANCE)))
    results.repeated("commit_row_us", [1e6 * each / step for each in seconds[:2]], "µs/new product",
                   f"commits of {step:,} products to an empty store and to a store of {step:,}")  # fmt: skip
    results.sloped("commit_rewrite_us", there, [1e6 * each for each in seconds], "µs/stored product",
                 f"a commit of {step:,} products with compaction")  # fmt: skip
    results.about["bytes on disk a product, after each commit"] = [
        size / (step * (i + 1)) for i, size in enumerate(sizes)
    ]
    times = [1e6 * core_seconds(ProductStore.open(scratch / "store").hash) / (commits * step) for _ in range(3)]
    results.repeated("hash_us", times, "µs/product, one core", "the hash of the whole catalogue")


def row_bytes(results: Results, words: Words, scratch: Path, *, quick: bool) -> None:
    """Measure the bytes of a product's row without its photo, and the memory that an ingest needs for it.

    The stores have several sizes; one commit writes each.
    """
    sizes = (10_000, 20_000, 40_000) if quick else (25_000, 50_000, 100_000)
    disk_bytes: list[float] = []
    memory: list[float] = []
    matching: list[float] = []
    for count in sizes:
        shop = scratch / f"rows-{count}"
        (shop / "store").mkdir(parents=True)
        table = ProductStore.create(shop / "store")
        table.upsert(rows(words, count, 0))
        disk_bytes.append(float(bytes_in(shop / "store" / LANCE)))
        times: list[float] = []
        for turn in range(9):
            few = rows(words, 100, 0, count + 100 * turn)  # too few to be tidied after
            began = time.perf_counter()
            table.upsert(few)
            times.append(1e6 * (time.perf_counter() - began))
        matching.append(min(times))  # others' work only adds
        _manifest(shop)
        process = subprocess.run([sys.executable, "-c", MEMORY, str(shop)], capture_output=True, text=True, check=True)
        memory.append(1024.0 * float(process.stdout))
    results.sloped("row_bytes", sizes, disk_bytes, "bytes/product", "the stored id, category, hashes and attributes")
    results.sloped(
        "commit_match_us", sizes, matching, "µs/stored product", "a commit of 100 products without compaction"
    )
    results.sloped("driver_bytes", sizes, memory, "bytes/product", "the peak memory of an ingest")


def _manifest(shop: Path) -> None:
    from modiste.storage.manifest import Manifest

    Manifest(FRAME, "any").save(shop)


def encodings(results: Results, scratch: Path, *, quick: bool) -> None:
    """Measure the bytes of stored encodings of 16 latents, and the seconds of the one commit that writes them."""
    sizes = (20_000, 40_000, 80_000) if quick else (50_000, 100_000, 200_000)
    disk_bytes: list[float] = []
    times: list[float] = []
    for count in sizes:
        random = np.random.default_rng(count)
        mean, std = (random.standard_normal((count, LATENT), np.float32), random.random((count, LATENT), np.float32))
        ids = [f"product-{i:09d}" for i in range(count)]
        table = to_arrow(ids, (mean, std + 0.01, mean), "hash", [f"{i:064x}" for i in range(count)])
        database = Database(scratch / f"encodings-{count}")
        began = time.perf_counter()
        with database.exclusive_write("Storing encodings"):
            database.replace_table(f"{TABLE_PREFIX}model", table)
        times.append(1e6 * (time.perf_counter() - began))
        disk_bytes.append(float(bytes_in(database.directory)))
    results.sloped("encoding_bytes", sizes, disk_bytes, "bytes/product", "the stored encoding with 16 latents")
    results.sloped("encoding_write_us", sizes, times, "µs/product", "the commit of all encodings")


def encoding(results: Results, shop: Path, repeats: int) -> None:
    """Measure encoding stored JPEGs to posteriors, in one thread, in batches of 32."""
    opened = Shop.open(shop, need="model")
    engine = OnnxModel.load(opened.files.model(opened.model.model_id), threads=1)
    jpegs = opened.store.photos(opened.catalogue.ids[: 32 * 10])

    def work() -> None:
        for start in range(0, len(jpegs), 32):
            engine.encode(np.stack([decode_jpeg(each) for each in jpegs[start : start + 32]]))

    work()
    times = [1e3 * core_seconds(work) / len(jpegs) for _ in range(repeats)]
    results.repeated(
        "encode_ms", times, "ms/product, one core", "a stored JPEG is decoded and encoded, in batches of 32"
    )


def measure(results: Results, source: Source, shop: Path, *, quick: bool) -> None:
    """Add all measurements of this module to `found`."""
    repeats = 3 if quick else 5
    photos(results, source, repeats)
    encoding(results, shop, repeats)
    with tempfile.TemporaryDirectory() as scratch:
        words = words_of(source)
        store(results, words, Path(scratch), quick=quick)
        row_bytes(results, words, Path(scratch), quick=quick)
        encodings(results, Path(scratch), quick=quick)
