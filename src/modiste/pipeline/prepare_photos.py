"""From a record to a row of the store: its photo fetched, read, fitted and judged, in threads, in order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from modiste.errors import FetchError, PhotoError
from modiste.images.photo import (
    Photo,
    fit_photo,
    is_white_background,
    photo_hash,
    read_photo,
    to_jpeg,
)
from modiste.parallel import Executor, ordered_map
from modiste.sources.download import CONCURRENCY, PER_HOST_RATE, fetch_all
from modiste.sources.record import Record, Rejection, Url
from modiste.storage.product_store import StoredProduct
from modiste.storage.remote.cache import cache_directory

WINDOW_RECORDS = 256  # records in flight: bounds the memory, and is what one polite round of fetching covers
MAX_FILE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A product whose photo the store already has; `record` may still bring new words."""

    record: Record


Outcome = StoredProduct | Unchanged | Rejection
PendingItem = Record | Unchanged | Rejection  # what is still to be prepared, or is as it will be


@dataclass(frozen=True)
class PhotoPreparer:
    """How photos become rows: for which frame (height, width) and background, and what the store already knows.

    `known` gives the stored source hash of an id; `fetched` is where photos from addresses are kept; `read` makes
    pixels of a file's bytes, and raises PhotoError. `processes` of this machine fetch at once: together they ask a host
    as often as one would.
    """

    frame: tuple[int, int]
    background: str
    stored_hash: Callable[[str], str | None]
    download_dir: Path
    decode_photo: Callable[[bytes], Photo] = read_photo
    threads: int = os.cpu_count() or 1
    processes: int = 1

    def run(self, items: Iterator[PendingItem]) -> Iterator[Outcome]:
        """The outcome of every record, in order; all else passes through."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="ingest") as pool:
            while window := list(islice(items, WINDOW_RECORDS)):
                addresses = self._download(window)
                yield from pool.map(lambda item, found=addresses: self._process(item, found), window)

    def _download(self, window: Sequence[PendingItem]) -> dict[str, Path | FetchError]:
        urls = [item.photo.url for item in window if isinstance(item, Record) and isinstance(item.photo, Url)]
        if not urls:
            return {}
        at_once = max(1, CONCURRENCY // self.processes)
        return dict(
            fetch_all(
                urls, self.download_dir, concurrency=at_once, per_host_rate=PER_HOST_RATE / self.processes
            )
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
            found = downloads[photo.url]
            if isinstance(found, FetchError):
                raise found
            photo = found
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
    """What is in a photo's file. Raises PhotoError where it is missing, too large or may not be read."""
    try:
        if not path.is_file():
            raise PhotoError(f"There is no file {path}.", reason="missing_photo")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PhotoError(
                f"{path} has {size:,} bytes; {MAX_FILE_BYTES:,} are allowed.", reason="too_large"
            )
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path} cannot be read: {error.strerror}.", reason="unreadable") from error


READ_THREADS = 8  # files read at once
CHUNK_RECORDS, CHUNK_BYTES = 256, 8 * 2**20  # records, and bytes of photos, that a worker gets at once

SourceHashes = dict[str, str]  # the source hash of products that the store has, by id
Chunk = tuple[list[PendingItem], SourceHashes]


def prepare_distributed(
    executor: Executor, preparer: PhotoPreparer, items: Iterator[Record | Rejection]
) -> Iterator[Outcome]:
    """What `preparer.run` yields, in the same order, prepared by the fleet's workers.

    This process reads what is in files, and workers need not see them. Each worker's machine keeps what it has fetched,
    and is to a photo's host a client of its own. Raises ClusterError.
    """
    for outcomes in executor.map(
        _make_worker, (preparer.frame, preparer.background), _chunks(preparer, items)
    ):
        yield from outcomes


def _chunks(preparer: PhotoPreparer, items: Iterator[Record | Rejection]) -> Iterator[Chunk]:
    held: list[PendingItem] = []
    known: SourceHashes = {}
    size = 0
    with ThreadPoolExecutor(READ_THREADS, thread_name_prefix="read") as pool:
        read = ordered_map(
            items,
            lambda item: pool.submit(_read_photo_bytes, preparer, item),
            Future.result,
            lambda: 2 * READ_THREADS,
        )
        for item in read:
            held.append(item)
            if isinstance(item, Record):
                size += len(item.photo) if isinstance(item.photo, bytes) else 0
                if (hashed := preparer.stored_hash(item.id)) is not None:
                    known[item.id] = hashed
            if len(held) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield held, known
                held, known, size = [], {}, 0
    if held:
        yield held, known


def _read_photo_bytes(preparer: PhotoPreparer, item: Record | Rejection) -> PendingItem:
    """The record with its photo's bytes, if they are on this machine and not as the store knows them."""
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
    """What prepares a piece, in a worker."""
    frame, background = settings

    def prepare(piece: Chunk) -> list[Outcome]:
        items, known = piece
        workers = os.cpu_count() or 1  # on this machine, as Ray starts them
        made = PhotoPreparer(
            frame, background, known.get, cache_directory() / "fetched", threads=1, processes=workers
        )
        return list(made.run(iter(items)))

    return prepare
