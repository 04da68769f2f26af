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
from modiste.parallel import Fleet, in_order
from modiste.sources.download import CONCURRENCY, PER_HOST_RATE, fetch_all
from modiste.sources.record import Record, Rejection, Url
from modiste.storage.product_store import StoredProduct
from modiste.storage.remote.cache import cache

WINDOW = 256  # records in flight: bounds the memory, and is what one polite round of fetching covers
MAX_FILE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A product whose photo the store already has; `record` may still bring new words."""

    record: Record


Outcome = StoredProduct | Unchanged | Rejection
Item = Record | Unchanged | Rejection  # what is still to be prepared, or is as it will be


@dataclass(frozen=True)
class Preparer:
    """How photos become rows: for which frame (height, width) and background, and what the store already knows.

    `known` gives the stored source hash of an id; `fetched` is where photos from addresses are kept; `read` makes
    pixels of a file's bytes, and raises PhotoError. `processes` of this machine fetch at once: together they ask a host
    as often as one would.
    """

    frame: tuple[int, int]
    background: str
    known: Callable[[str], str | None]
    fetched: Path
    read: Callable[[bytes], Photo] = read_photo
    threads: int = os.cpu_count() or 1
    processes: int = 1

    def run(self, items: Iterator[Item]) -> Iterator[Outcome]:
        """The outcome of every record, in order; all else passes through."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="ingest") as pool:
            while window := list(islice(items, WINDOW)):
                addresses = self._fetch(window)
                yield from pool.map(lambda item, found=addresses: self._outcome(item, found), window)

    def _fetch(self, window: Sequence[Item]) -> dict[str, Path | FetchError]:
        urls = [item.photo.url for item in window if isinstance(item, Record) and isinstance(item.photo, Url)]
        if not urls:
            return {}
        at_once = max(1, CONCURRENCY // self.processes)
        return dict(
            fetch_all(urls, self.fetched, concurrency=at_once, per_host_rate=PER_HOST_RATE / self.processes)
        )

    def _outcome(self, item: Item, addresses: dict[str, Path | FetchError]) -> Outcome:
        if not isinstance(item, Record):
            return item
        try:
            return self._prepare(item, addresses)
        except (PhotoError, FetchError) as error:
            return Rejection(item.id, error.reason, error.message)

    def _prepare(self, record: Record, addresses: dict[str, Path | FetchError]) -> Outcome:
        photo = record.photo
        if isinstance(photo, Url):
            found = addresses[photo.url]
            if isinstance(found, FetchError):
                raise found
            photo = found
        data = photo if isinstance(photo, bytes) else read_file(photo)
        source_hash = hashlib.sha256(data).hexdigest()
        if self.known(record.id) == source_hash:
            return Unchanged(record)
        pixels = self.read(data)
        if self.background == "white" and not is_white_background(pixels):
            return Rejection(record.id, "off-background", "The photo's background is not white.")
        fitted = fit_photo(pixels, self.frame)
        return StoredProduct(
            id=record.id,
            category=record.category,
            photo=to_jpeg(fitted),
            photo_hash=photo_hash(fitted),
            source_hash=source_hash,
            attributes=dict(record.attributes),
        )


def read_file(path: Path) -> bytes:
    """What is in a photo's file. Raises PhotoError where it is missing, too large or may not be read."""
    try:
        if not path.is_file():
            raise PhotoError(f"There is no file {path}.", reason="missing-photo")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PhotoError(
                f"{path} has {size:,} bytes; {MAX_FILE_BYTES:,} are allowed.", reason="too-large"
            )
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path} cannot be read: {error.strerror}.", reason="unreadable") from error


READERS = 8  # files read at once
PIECE, PIECE_BYTES = 256, 8 * 2**20  # records, and bytes of photos, that a worker gets at once

Known = dict[str, str]  # the source hash of products that the store has, by id
Work = tuple[list[Item], Known]


def prepare_afar(fleet: Fleet, preparer: Preparer, items: Iterator[Record | Rejection]) -> Iterator[Outcome]:
    """What `preparer.run` yields, in the same order, prepared by the fleet's workers.

    This process reads what is in files, and workers need not see them. Each worker's machine keeps what it has fetched,
    and is to a photo's host a client of its own. Raises ClusterError.
    """
    for outcomes in fleet.each(_preparer, (preparer.frame, preparer.background), _pieces(preparer, items)):
        yield from outcomes


def _pieces(preparer: Preparer, items: Iterator[Record | Rejection]) -> Iterator[Work]:
    held: list[Item] = []
    known: Known = {}
    size = 0
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        read = in_order(
            items, lambda item: pool.submit(_read, preparer, item), Future.result, lambda: 2 * READERS
        )
        for item in read:
            held.append(item)
            if isinstance(item, Record):
                size += len(item.photo) if isinstance(item.photo, bytes) else 0
                if (hashed := preparer.known(item.id)) is not None:
                    known[item.id] = hashed
            if len(held) >= PIECE or size >= PIECE_BYTES:
                yield held, known
                held, known, size = [], {}, 0
    if held:
        yield held, known


def _read(preparer: Preparer, item: Record | Rejection) -> Item:
    """The record with its photo's bytes, if they are on this machine and not as the store knows them."""
    if isinstance(item, Rejection) or isinstance(item.photo, Url):
        return item
    try:
        data = item.photo if isinstance(item.photo, bytes) else read_file(item.photo)
    except PhotoError as error:
        return Rejection(item.id, error.reason, error.message)
    if preparer.known(item.id) == hashlib.sha256(data).hexdigest():
        return Unchanged(item)
    return replace(item, photo=data)


def _preparer(given: tuple[tuple[int, int], str]) -> Callable[[Work], list[Outcome]]:
    """What prepares a piece, in a worker."""
    frame, background = given

    def prepare(piece: Work) -> list[Outcome]:
        items, known = piece
        workers = os.cpu_count() or 1  # on this machine, as Ray starts them
        made = Preparer(frame, background, known.get, cache() / "fetched", threads=1, processes=workers)
        return list(made.run(iter(items)))

    return prepare
