"""From a record to a row of the store: its photo fetched, read, fitted and judged, in threads, in order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from modiste.catalogue.fetch import CONCURRENCY, PER_HOST_RATE, fetch_all
from modiste.catalogue.photo import Photo, fit_photo, is_white_background, photo_hash, read_photo, to_jpeg
from modiste.catalogue.record import Record, Rejection, Url
from modiste.errors import FetchError, PhotoError
from modiste.store.products import StoredProduct

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
