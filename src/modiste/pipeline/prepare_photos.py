"""From records to rows of the store: photos are downloaded, decoded, checked and fitted, here or on other machines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from modiste.errors import FetchError, PhotoError
from modiste.images.photo import Photo, fit_photo, is_white_background, photo_hash, read_photo, to_jpeg
from modiste.parallel import Executor, ordered_map
from modiste.sources.download import CONCURRENCY, PER_HOST_RATE, fetch_all
from modiste.sources.record import Record, Rejection, Url
from modiste.storage.product_store import StoredProduct
from modiste.storage.remote.cache import cache_directory

WINDOW_RECORDS = 256  # in memory at once, and downloaded in one round
MAX_FILE_BYTES = 64 * 2**20
READ_THREADS = 8
CHUNK_RECORDS, CHUNK_BYTES = 256, 8 * 2**20  # limits on what a worker gets at once


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A product whose photo is stored already; the category and attributes of `record` may be new."""

    record: Record


Outcome = StoredProduct | Unchanged | Rejection
PendingItem = Record | Unchanged | Rejection  # only a Record needs to be prepared
SourceHashes = dict[str, str]  # of stored products, by id
Chunk = tuple[list[PendingItem], SourceHashes]


@dataclass(frozen=True)
class PhotoPreparer:
    """Prepares the photos of records.

    Attributes:
        frame: (height, width) of the result.
        background: "white" rejects photos on another background; "any" accepts all.
        stored_hash: returns the stored source hash of a product id, or None.
        download_dir: where downloaded photos are kept.
        decode_photo: decodes the bytes of a photo; raises PhotoError.
        threads: the number of photos prepared at once.
        processes: on this machine that download at the same time; they share the request rate of one.
    """

    frame: tuple[int, int]
    background: str
    stored_hash: Callable[[str], str | None]
    download_dir: Path
    decode_photo: Callable[[bytes], Photo] = read_photo
    threads: int = os.cpu_count() or 1
    processes: int = 1

    def run(self, items: Iterator[PendingItem]) -> Iterator[Outcome]:
        """Yield the outcome of every record, in order; other items pass through."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="ingest") as pool:
            while window := list(islice(items, WINDOW_RECORDS)):
                downloads = self._download(window)
                yield from pool.map(lambda item, files=downloads: self._process(item, files), window)

    def _download(self, window: Sequence[PendingItem]) -> dict[str, Path | FetchError]:
        urls = [item.photo.url for item in window if isinstance(item, Record) and isinstance(item.photo, Url)]
        if not urls:
            return {}
        concurrency = max(1, CONCURRENCY // self.processes)
        return dict(
            fetch_all(urls, self.download_dir, concurrency=concurrency, per_host_rate=PER_HOST_RATE / self.processes)
        )

    def _process(self, item: PendingItem, downloads: dict[str, Path | FetchError]) -> Outcome:
        if not isinstance(item, Record):
            return item
        try:
            return self._prepare(item, downloads)
        except (PhotoError, FetchError) as error:
            return Rejection(item.id, error.reason, error.message)

    def _prepare(self, record: Record, downloads: dict[str, Path | FetchError]) -> Outcome:
        photo = record.photo
        if isinstance(photo, Url):
            download = downloads[photo.url]
            if isinstance(download, FetchError):
                raise download
            photo = download
        data = photo if isinstance(photo, bytes) else read_photo_file(photo)
        source_hash = hashlib.sha256(data).hexdigest()
        if self.stored_hash(record.id) == source_hash:
            return Unchanged(record)
        pixels = self.decode_photo(data)
        if self.background == "white" and not is_white_background(pixels):
            return Rejection(record.id, "off_background", "The photo's background is not white.")
        fitted = fit_photo(pixels, self.frame)
        return StoredProduct(
            id=record.id,
            category=record.category,
            photo=to_jpeg(fitted),
            photo_hash=photo_hash(fitted),
            source_hash=source_hash,
            attributes=dict(record.attributes),
        )


def read_photo_file(path: Path) -> bytes:
    """Read the file of a photo. Raises PhotoError if it is missing, too large or not readable."""
    try:
        if not path.is_file():
            raise PhotoError(f"There is no file {path}.", reason="missing_photo")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PhotoError(f"{path} has {size:,} bytes; {MAX_FILE_BYTES:,} are allowed.", reason="too_large")
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path} cannot be read: {error.strerror}.", reason="unreadable") from error


def prepare_distributed(
    executor: Executor, preparer: PhotoPreparer, items: Iterator[Record | Rejection]
) -> Iterator[Outcome]:
    """Yield what `preparer.run` yields, in the same order, prepared by the executor's workers.

    This process reads the files, so workers need no access to them. Each worker's machine keeps its downloads, and is a
    separate client of a photo's host. Raises RayClusterError.
    """
    for outcomes in executor.map(_make_worker, (preparer.frame, preparer.background), _chunks(preparer, items)):
        yield from outcomes


def _chunks(preparer: PhotoPreparer, items: Iterator[Record | Rejection]) -> Iterator[Chunk]:
    chunk: list[PendingItem] = []
    hashes: SourceHashes = {}
    size = 0
    with ThreadPoolExecutor(READ_THREADS, thread_name_prefix="read") as pool:
        loaded = ordered_map(
            items, lambda item: pool.submit(_read_photo_bytes, preparer, item), Future.result, lambda: 2 * READ_THREADS
        )
        for item in loaded:
            chunk.append(item)
            if isinstance(item, Record):
                size += len(item.photo) if isinstance(item.photo, bytes) else 0
                if (stored_hash := preparer.stored_hash(item.id)) is not None:
                    hashes[item.id] = stored_hash
            if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield chunk, hashes
                chunk, hashes, size = [], {}, 0
    if chunk:
        yield chunk, hashes


def _read_photo_bytes(preparer: PhotoPreparer, item: Record | Rejection) -> PendingItem:
    """Return the record with its photo's bytes, if these are on this machine and new."""
    if isinstance(item, Rejection) or isinstance(item.photo, Url):
        return item
    try:
        data = item.photo if isinstance(item.photo, bytes) else read_photo_file(item.photo)
    except PhotoError as error:
        return Rejection(item.id, error.reason, error.message)
    if preparer.stored_hash(item.id) == hashlib.sha256(data).hexdigest():
        return Unchanged(item)
    return replace(item, photo=data)


def _make_worker(settings: tuple[tuple[int, int], str]) -> Callable[[Chunk], list[Outcome]]:
    """Make the function that prepares a chunk in a worker."""
    frame, background = settings

    def prepare(chunk: Chunk) -> list[Outcome]:
        items, hashes = chunk
        workers = os.cpu_count() or 1  # Ray starts one for each processor
        preparer = PhotoPreparer(
            frame, background, hashes.get, cache_directory() / "fetched", threads=1, processes=workers
        )
        return list(preparer.run(iter(items)))

    return prepare
