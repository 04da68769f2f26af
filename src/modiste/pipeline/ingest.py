"""Ingest: from a source to the shop's catalogue. What is new is added, what changed is changed, all is counted."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
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
from modiste.parallel import Executor
from modiste.pipeline.prepare_photos import PhotoPreparer, Unchanged, prepare_distributed
from modiste.progress import Progress, report
from modiste.sources.record import Record, Rejection, Source
from modiste.sources.registry import open_source
from modiste.sources.sanitize import count_chars, csv_safe, record_problem
from modiste.storage.atomic import write_file
from modiste.storage.location import read_manifest, write_path
from modiste.storage.manifest import BACKGROUNDS, Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import (
    SNAPSHOT_BATCH_ROWS,
    ProductStore,
    StoredProduct,
    attributes_to_json,
    count_categories,
)

DEFAULT_FRAME = (240, 180)
# Rows are held back and committed at once, so that an interrupted ingest leaves the shop as it was. A catalogue
# beyond this (some 80,000 products) is committed in parts; interrupted, it goes on where it stopped.
COMMIT_BYTES = 512 * 2**20


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


@dataclass(frozen=True)
class InMemorySource:
    """Products in memory, as a source."""

    products: Sequence[Record]
    name: str = "given"

    @property
    def ids(self) -> list[str]:
        """The ids of the products: an ingest of few reads only these from the store."""
        return [each.id for each in self.products]

    def count(self) -> int:
        """How many."""
        return len(self.products)

    def records(self) -> Iterator[Record | Rejection]:
        """The products."""
        yield from self.products


def ingest(
    source: str | Source,
    path: str | Path,
    *,
    categories: Collection[str] | None = None,
    category_column: str | None = None,
    frame: tuple[int, int] | None = None,
    background: str | None = None,
    decode_photo: Callable[[bytes], Photo] = read_photo,
    executor: Executor | None = None,
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
    _resolve_manifest(_existing_manifest(path), frame, background)  # before anything is made
    with write_path(path, create=True) as root, _remove_empty_store_on_error(files := ShopPaths(root)):
        manifest = _resolve_manifest(_existing_manifest(root), frame, background)
        store = ProductStore.open(files.store) if files.store.is_dir() else ProductStore.create(files.store)
        wanted = None if categories is None else set(categories)
        ids = opened.ids if isinstance(opened, InMemorySource) else None
        work = _Ingest(files, manifest, store, opened.name, wanted, ids)
        work.run(opened, on_progress, decode_photo, executor)
        summary = work.finish()
        described = {
            "hash": summary.catalogue_hash,
            "count": summary.products,
            "categories": summary.categories,
            "source": opened.name,
        }
        manifest.with_changes(catalogue=described).save(root)
    return summary


@contextmanager
def _remove_empty_store_on_error(files: ShopPaths) -> Generator[None, None, None]:
    """Where there was no store before, an ingest that fails before its first commit leaves none."""
    fresh = not files.store.is_dir()
    try:
        yield
    except BaseException:
        if fresh and files.store.is_dir() and ProductStore.open(files.store).count() == 0:
            shutil.rmtree(files.store, ignore_errors=True)
        raise


def _existing_manifest(path: str | Path) -> Manifest | None:
    try:
        return read_manifest(path)
    except (ShopNotFound, ShopIncomplete):
        return None


def _resolve_manifest(
    existing: Manifest | None, frame: tuple[int, int] | None, background: str | None
) -> Manifest:
    """The manifest to go on with, options checked against the shop's own."""
    if frame is not None and (min(frame) < 16 or max(frame) > 2048):
        raise BadOption(
            f"The size {frame[1]}x{frame[0]} cannot be used.", remedy="Each side must be 16 to 2048."
        )
    if background is not None and background not in BACKGROUNDS:
        raise BadOption(f"No background {background!r}.", remedy=f"Choose one of {', '.join(BACKGROUNDS)}.")
    if existing is None:
        return Manifest(frame or DEFAULT_FRAME, background or "any")
    remedy = "Leave the option out, or ingest into another --shop."
    if frame is not None and frame != existing.frame:
        raise BadOption(
            f"The shop's photos are {existing.frame[1]}x{existing.frame[0]}, not {frame[1]}x{frame[0]}.",
            remedy=remedy,
        )
    if background is not None and background != existing.background:
        raise BadOption(
            f"The shop's background is {existing.background!r}, not {background!r}.", remedy=remedy
        )
    return existing


@dataclass(frozen=True, slots=True)
class _StoredRow:
    """What an ingest must know of a product that the store has; of its attributes a digest, for they may be long."""

    category: str
    photo_hash: str
    source_hash: str
    attributes: bytes


def _stored_rows(store: ProductStore, ids: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """The columns of `_StoredRow` of the products with some ids, or of all: for a few products not all are read."""
    columns = ["id", "category", "photo_hash", "source_hash", "attributes"]
    if ids is not None:
        yield from store.find(columns, ids).values()
        return
    for batch in store.batches(columns, SNAPSHOT_BATCH_ROWS):
        yield from cast("list[dict[str, Any]]", batch.to_pylist())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class _Ingest:
    """One ingest in flight."""

    def __init__(
        self,
        files: ShopPaths,
        manifest: Manifest,
        store: ProductStore,
        source: str,
        categories: set[str] | None,
        ids: Sequence[str] | None,
    ) -> None:
        self.files, self.manifest, self.store, self.categories = files, manifest, store, categories
        self.summary = IngestSummary(source)
        self.rejections: list[Rejection] = []
        self.seen_ids: set[str] = set()
        self.seen_categories: set[str] = set()
        self.pending: list[StoredProduct] = []
        self.pending_bytes = 0
        self.stored: dict[str, _StoredRow] = {}
        for row in _stored_rows(store, ids):
            self.stored[row["id"]] = _StoredRow(
                row["category"], row["photo_hash"], row["source_hash"], _digest(row["attributes"])
            )
        # Of each set of pixels.
        self.id_by_photo_hash = {photo_hash: id_ for id_, photo_hash in store.photo_hashes().items()}

    def run(
        self,
        source: Source,
        on_progress: Progress | None,
        decode_photo: Callable[[bytes], Photo],
        executor: Executor | None,
    ) -> None:
        """Go through the source; commit what it brings."""
        total = source.count()
        preparer = PhotoPreparer(
            self.manifest.frame,
            self.manifest.background,
            self._source_hash,
            self.files.downloads,
            decode_photo,
        )
        report(on_progress, "ingest", 0, total)
        items = self._select_records(source.records())
        outcomes = preparer.run(items) if executor is None else prepare_distributed(executor, preparer, items)
        for done, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Rejection):
                self._reject(outcome)
            elif isinstance(outcome, Unchanged):
                self._update_record(outcome.record)
            else:
                self._accept(outcome)
            report(on_progress, "ingest", done + self.summary.outside.total(), total)
        if self.categories is not None and (missing := self.categories - self.seen_categories):
            there = sorted(self.seen_categories | set(self.summary.outside))
            raise UnknownCategory(
                f"{source.name} has no product of category {', '.join(sorted(missing))}.",
                remedy=f"Choose from {', '.join(there)}; or `all`.",
            )
        self._commit()

    def _source_hash(self, product_id: str) -> str | None:
        row = self.stored.get(product_id)
        return None if row is None else row.source_hash

    def _select_records(self, items: Iterator[Record | Rejection]) -> Iterator[Record | Rejection]:
        """The records of the categories that were asked for that may be products, each id once."""
        for item in items:
            if isinstance(item, Rejection):
                yield item
            elif self.categories is not None and item.category not in self.categories:
                self.summary.outside[item.category] += 1
            elif (why := record_problem(item)) is not None:
                yield Rejection(item.id, *why)
            elif item.id in self.seen_ids:
                yield Rejection(item.id, "duplicate_id", "An earlier row has the same id.")
            else:
                self.seen_ids.add(item.id)
                self.seen_categories.add(item.category)
                yield item

    def _reject(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        self.summary.rejected[rejection.reason] += 1

    def _update_record(self, record: Record) -> None:
        """The photo is as stored; the category and the attributes may be new."""
        row = self.stored[record.id]
        if row.category == record.category and row.attributes == _digest(
            attributes_to_json(record.attributes)
        ):
            self.summary.unchanged += 1
            return
        photo = self.store.photos([record.id])[0]
        self._add_pending(
            StoredProduct(
                record.id,
                record.category,
                photo,
                row.photo_hash,
                row.source_hash,
                dict(record.attributes),
            )
        )

    def _accept(self, product: StoredProduct) -> None:
        owner = self.id_by_photo_hash.get(product.photo_hash, product.id)
        if owner != product.id:
            self._reject(Rejection(product.id, "duplicate_photo", f"The same pixels as product {owner}."))
            return
        if product.id in self.stored:
            before = self.stored[product.id].photo_hash
            if self.id_by_photo_hash.get(before) == product.id:
                del self.id_by_photo_hash[before]
        self.id_by_photo_hash[product.photo_hash] = product.id
        self._add_pending(product)

    def _add_pending(self, product: StoredProduct) -> None:
        if product.id in self.stored:
            self.summary.changed += 1
        else:
            self.summary.added += 1
        self.pending.append(product)
        self.pending_bytes += len(product.photo) + count_chars(product.attributes)
        complete = self.categories is None or self.categories <= self.seen_categories
        if self.pending_bytes >= COMMIT_BYTES and complete:
            self._commit()

    def _commit(self) -> None:
        if self.pending:
            if self.manifest.model is not None:
                self.store.remember_photos(self.manifest.model)
            self.store.upsert(self.pending)
            self.pending, self.pending_bytes = [], 0

    def finish(self) -> IngestSummary:
        """Write `rejected.csv` and complete the summary. Raises SourceError when the shop is still empty."""
        summary = self.summary
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("id", "row", "reason", "detail"))
        writer.writerows(
            (csv_safe(r.id), "" if r.row is None else r.row, csv_safe(r.reason), csv_safe(r.detail))
            for r in self.rejections
        )
        write_file(self.files.rejected, text.getvalue().encode())
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
