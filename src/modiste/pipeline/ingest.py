"""Ingest: from a source to the shop's catalogue. What is new is added, what changed is changed, all is counted."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from modiste.errors import (
    BadOption,
    ShopIncomplete,
    ShopNotFound,
    SourceError,
    UnknownCategory,
)
from modiste.images.photo import Photo, read_photo
from modiste.parallel import Fleet
from modiste.pipeline.prepare_photos import Preparer, Unchanged, prepare_afar
from modiste.progress import Progress, tell
from modiste.sources.record import Record, Rejection, Source
from modiste.sources.registry import open_source
from modiste.sources.sanitize import cell, size_of, unfit
from modiste.storage.atomic import write_whole
from modiste.storage.location import manifest_of, to_write
from modiste.storage.manifest import BACKGROUNDS, Manifest
from modiste.storage.paths import ShopFiles
from modiste.storage.product_store import (
    WORDY_ROWS,
    ProductStore,
    StoredProduct,
    count_categories,
    to_text,
)

DEFAULT_FRAME = (240, 180)
# Rows are held back and committed at once, so that an interrupted ingest leaves the shop as it was. A catalogue
# beyond this (some 80,000 products) is committed in parts; interrupted, it goes on where it stopped.
HELD_BYTES = 512 * 2**20


@dataclass
class IngestSummary:
    """What an ingest did. Every record counts once, in added, changed, unchanged, rejected or outside."""

    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    outside: Counter[str] = field(default_factory=Counter[str])
    categories: dict[str, int] = field(default_factory=dict[str, int])
    products: int = 0
    catalogue_hash: str = ""
    rejected_file: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON: counts per reason and per category as objects."""
        return asdict(self) | {"rejected": dict(self.rejected), "outside": dict(self.outside)}


def ingest(
    source: str | Source,
    path: str | Path,
    *,
    categories: Collection[str] | None = None,
    category_column: str | None = None,
    frame: tuple[int, int] | None = None,
    background: str | None = None,
    read: Callable[[bytes], Photo] = read_photo,
    fleet: Fleet | None = None,
    on_progress: Progress | None = None,
) -> IngestSummary:
    """Bring the products of `source` into the shop at `path`, which is made if there is none.

    Args:
        source: what `open_source` understands, or a Source.
        categories: only these; None for all.
        category_column: the source's column that holds the category.
        frame: (height, width) in pixels; a shop that has photos keeps its own. 240 x 180 for a new one.
        read: how bytes become a photo; a server has strangers' photos read in a process of their own.
        background: "any" or "white", which rejects photos on another background; a shop keeps its own.
        fleet: workers that fetch and prepare the photos, in the place of threads of this process and of `read`.

    Raises:
        SourceError: no such source, or nothing in it can be used.
        UnknownCategory: the source has no product of a category that was asked for; nothing was written.
        BadOption: another frame or background than the shop's.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the shop is as it was.
        ClusterError: the fleet's workers are lost.
    """
    opened = open_source(source, category_column=category_column) if isinstance(source, str) else source
    _settle(_old_manifest(path), frame, background)  # before anything is made
    with to_write(path, anew=True) as root, _nothing_left_behind(files := ShopFiles(root)):
        manifest = _settle(_old_manifest(root), frame, background)
        store = ProductStore.open(files.store) if files.store.is_dir() else ProductStore.create(files.store)
        work = _Ingest(files, manifest, store, opened.name, None if categories is None else set(categories))
        work.run(opened, on_progress, read, fleet)
        summary = work.finish()
        described = {
            "hash": summary.catalogue_hash,
            "count": summary.products,
            "categories": summary.categories,
            "source": opened.name,
        }
        manifest.with_(catalogue=described).save(root)
    return summary


@contextmanager
def _nothing_left_behind(files: ShopFiles) -> Generator[None, None, None]:
    """Where there was no store before, an ingest that fails before its first commit leaves none."""
    fresh = not files.store.is_dir()
    try:
        yield
    except BaseException:
        if fresh and files.store.is_dir() and ProductStore.open(files.store).count() == 0:
            shutil.rmtree(files.store, ignore_errors=True)
        raise


def _old_manifest(path: str | Path) -> Manifest | None:
    try:
        return manifest_of(path)
    except (ShopNotFound, ShopIncomplete):
        return None


def _settle(old: Manifest | None, frame: tuple[int, int] | None, background: str | None) -> Manifest:
    """The manifest to go on with, options checked against the shop's own."""
    if frame is not None and (min(frame) < 16 or max(frame) > 2048):
        raise BadOption(
            f"The size {frame[1]}x{frame[0]} cannot be used.", remedy="Each side must be 16 to 2048."
        )
    if background is not None and background not in BACKGROUNDS:
        raise BadOption(f"No background {background!r}.", remedy=f"Choose one of {', '.join(BACKGROUNDS)}.")
    if old is None:
        return Manifest(frame or DEFAULT_FRAME, background or "any")
    remedy = "Leave the option out, or ingest into another --shop."
    if frame is not None and frame != old.frame:
        raise BadOption(
            f"The shop's photos are {old.frame[1]}x{old.frame[0]}, not {frame[1]}x{frame[0]}.", remedy=remedy
        )
    if background is not None and background != old.background:
        raise BadOption(f"The shop's background is {old.background!r}, not {background!r}.", remedy=remedy)
    return old


@dataclass(frozen=True, slots=True)
class _Known:
    """What an ingest must know of a product that the store has; of its attributes a digest, for they may be long."""

    category: str
    photo_hash: str
    source_hash: str
    attributes: bytes


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class _Ingest:
    """One ingest in flight."""

    def __init__(
        self, files: ShopFiles, manifest: Manifest, store: ProductStore, source: str, wanted: set[str] | None
    ) -> None:
        self.files, self.manifest, self.store, self.wanted = files, manifest, store, wanted
        self.summary = IngestSummary(source)
        self.rejections: list[Rejection] = []
        self.seen_ids: set[str] = set()
        self.seen_categories: set[str] = set()
        self.held: list[StoredProduct] = []
        self.held_bytes = 0
        self.known: dict[str, _Known] = {}
        for batch in store.batches(["id", "category", "photo_hash", "source_hash", "attributes"], WORDY_ROWS):
            for row in cast("list[dict[str, Any]]", batch.to_pylist()):
                self.known[row["id"]] = _Known(
                    row["category"], row["photo_hash"], row["source_hash"], _digest(row["attributes"])
                )
        self.owner = {row.photo_hash: id_ for id_, row in self.known.items()}  # of each set of pixels

    def run(
        self,
        source: Source,
        on_progress: Progress | None,
        read: Callable[[bytes], Photo],
        fleet: Fleet | None,
    ) -> None:
        """Go through the source; commit what it brings."""
        total = source.count()
        preparer = Preparer(
            self.manifest.frame, self.manifest.background, self._source_hash, self.files.fetched, read
        )
        tell(on_progress, "ingest", 0, total)
        items = self._wanted(source.records())
        outcomes = preparer.run(items) if fleet is None else prepare_afar(fleet, preparer, items)
        for done, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Rejection):
                self._reject(outcome)
            elif isinstance(outcome, Unchanged):
                self._keep(outcome.record)
            else:
                self._take(outcome)
            tell(on_progress, "ingest", done + self.summary.outside.total(), total)
        if self.wanted is not None and (missing := self.wanted - self.seen_categories):
            there = sorted(self.seen_categories | set(self.summary.outside))
            raise UnknownCategory(
                f"{source.name} has no product of category {', '.join(sorted(missing))}.",
                remedy=f"Choose from {', '.join(there)}; or `all`.",
            )
        self._commit()

    def _source_hash(self, product_id: str) -> str | None:
        row = self.known.get(product_id)
        return None if row is None else row.source_hash

    def _wanted(self, items: Iterator[Record | Rejection]) -> Iterator[Record | Rejection]:
        """The records of the categories that were asked for that may be products, each id once."""
        for item in items:
            if isinstance(item, Rejection):
                yield item
            elif self.wanted is not None and item.category not in self.wanted:
                self.summary.outside[item.category] += 1
            elif (why := unfit(item)) is not None:
                yield Rejection(item.id, *why)
            elif item.id in self.seen_ids:
                yield Rejection(item.id, "duplicate-id", "An earlier row has the same id.")
            else:
                self.seen_ids.add(item.id)
                self.seen_categories.add(item.category)
                yield item

    def _reject(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        self.summary.rejected[rejection.reason] += 1

    def _keep(self, record: Record) -> None:
        """The photo is as stored; the category and the attributes may be new."""
        row = self.known[record.id]
        if row.category == record.category and row.attributes == _digest(to_text(record.attributes)):
            self.summary.unchanged += 1
            return
        photo = self.store.photos([record.id])[0]
        self._hold(
            StoredProduct(
                record.id,
                record.category,
                photo,
                row.photo_hash,
                row.source_hash,
                dict(record.attributes),
            )
        )

    def _take(self, product: StoredProduct) -> None:
        owner = self.owner.get(product.photo_hash, product.id)
        if owner != product.id:
            self._reject(Rejection(product.id, "duplicate-photo", f"The same pixels as product {owner}."))
            return
        if product.id in self.known:
            before = self.known[product.id].photo_hash
            if self.owner.get(before) == product.id:
                del self.owner[before]
        self.owner[product.photo_hash] = product.id
        self._hold(product)

    def _hold(self, product: StoredProduct) -> None:
        if product.id in self.known:
            self.summary.changed += 1
        else:
            self.summary.added += 1
        self.held.append(product)
        self.held_bytes += len(product.photo) + size_of(product.attributes)
        complete = self.wanted is None or self.wanted <= self.seen_categories
        if self.held_bytes >= HELD_BYTES and complete:
            self._commit()

    def _commit(self) -> None:
        if self.held:
            self.store.upsert(self.held)
            self.held, self.held_bytes = [], 0

    def finish(self) -> IngestSummary:
        """Write `rejected.csv` and complete the summary. Raises SourceError when the shop is still empty."""
        summary = self.summary
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("id", "row", "reason", "detail"))
        writer.writerows(
            (cell(r.id), "" if r.row is None else r.row, cell(r.reason), cell(r.detail))
            for r in self.rejections
        )
        write_whole(self.files.rejected, text.getvalue().encode())
        counts = count_categories(self.store)
        if not counts:
            reasons = ", ".join(f"{count} {reason}" for reason, count in summary.rejected.most_common())
            raise SourceError(
                f"{summary.source} has no usable product ({reasons or 'it is empty'}).",
                remedy=f"See {self.files.rejected} for the reason of each.",
            )
        summary.products = sum(counts.values())
        summary.categories = counts
        summary.catalogue_hash = self.store.hash()
        summary.rejected_file = str(self.files.rejected)
        return summary
