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

from modiste.choices import Background
from modiste.errors import BadOption, ShopIncomplete, ShopNotFound, SourceError, UnknownCategory
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
# Rows are committed together, so that an interrupted ingest leaves the shop as it was. A larger catalogue (some 80,000
# products) is committed in parts; if it is interrupted, the next ingest continues where it stopped.
COMMIT_BYTES = 512 * 2**20


@dataclass
class IngestSummary:
    """Counts of an ingest. Every record counts once, in added, changed, unchanged, rejected or outside.

    `outside` counts the records of categories that were not selected.
    """

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
        """Return the summary as JSON, counts by reason and by category as objects."""
        return asdict(self) | {"rejected": dict(self.rejected), "outside": dict(self.outside)}


@dataclass(frozen=True)
class InMemorySource:
    """Products in memory, as a source."""

    products: Sequence[Record]
    name: str = "given"

    @property
    def ids(self) -> list[str]:
        """The ids of the products. An ingest of few products reads only these from the store."""
        return [each.id for each in self.products]

    def count(self) -> int:
        """Return the number of products."""
        return len(self.products)

    def records(self) -> Iterator[Record | Rejection]:
        """Yield the products."""
        yield from self.products


def ingest(
    source: str | Source,
    path: str | Path,
    *,
    categories: Collection[str] | None = None,
    category_column: str | None = None,
    frame: tuple[int, int] | None = None,
    background: Background | None = None,
    decode_photo: Callable[[bytes], Photo] = read_photo,
    executor: Executor | None = None,
    on_progress: Progress | None = None,
) -> IngestSummary:
    """Add the products of `source` to the shop at `path`, or update them. A new shop is created.

    Args:
        source: what `open_source` takes, or a Source.
        path: the shop's directory or URL.
        categories: only these; None for all.
        category_column: the source's column with the category.
        frame: (height, width) in pixels, 240 x 180 if None; a shop that has photos keeps its own.
        background: "any", or "white" to reject photos on another background; a shop keeps its own.
        decode_photo: decodes the bytes of a photo; a server decodes uploads in a separate process.
        executor: workers that download and prepare the photos instead of this process; they ignore `decode_photo`.
        on_progress: called with the progress.

    Raises:
        SourceError: there is no such source, or no product in it is usable.
        UnknownCategory: the source has no product of a selected category; nothing was written.
        BadOption: another frame or background than the shop's.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed; the shop is as it was.
        RayClusterError: the executor's workers are lost.
    """
    opened = open_source(source, category_column=category_column) if isinstance(source, str) else source
    _resolve_manifest(_existing_manifest(path), frame, background)  # before anything is created
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
    """Remove a new store if the ingest fails before its first commit."""
    is_new = not files.store.is_dir()
    try:
        yield
    except BaseException:
        if is_new and files.store.is_dir() and ProductStore.open(files.store).count() == 0:
            shutil.rmtree(files.store, ignore_errors=True)
        raise


def _existing_manifest(path: str | Path) -> Manifest | None:
    try:
        return read_manifest(path)
    except (ShopNotFound, ShopIncomplete):
        return None


def _resolve_manifest(
    existing: Manifest | None, frame: tuple[int, int] | None, background: Background | None
) -> Manifest:
    """Return the existing manifest or a new one, with the options checked against it."""
    if frame is not None and (min(frame) < 16 or max(frame) > 2048):
        raise BadOption(
            f"The size {frame[1]}x{frame[0]} is out of range.", remedy="Give 16 to 2048 pixels for each side."
        )
    if background is not None and background not in BACKGROUNDS:
        raise BadOption(f"Unknown background {background!r}.", remedy=f"Choose one of {', '.join(BACKGROUNDS)}.")
    if existing is None:
        return Manifest(frame or DEFAULT_FRAME, background or "any")
    remedy = "Leave the option out, or ingest into another --shop."
    if frame is not None and frame != existing.frame:
        raise BadOption(
            f"The shop's photos are {existing.frame[1]}x{existing.frame[0]}, not {frame[1]}x{frame[0]}.", remedy=remedy
        )
    if background is not None and background != existing.background:
        raise BadOption(f"The shop's background is {existing.background!r}, not {background!r}.", remedy=remedy)
    return existing


@dataclass(frozen=True, slots=True)
class _StoredRow:
    """Fields of a stored product that an ingest compares. `attributes` is a digest, since attributes may be long."""

    category: str
    photo_hash: str
    source_hash: str
    attributes: bytes


def _stored_rows(store: ProductStore, ids: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of the products with the given ids, or of all products if that is None."""
    columns = ["id", "category", "photo_hash", "source_hash", "attributes"]
    if ids is not None:
        yield from store.find(columns, ids).values()
        return
    for batch in store.batches(columns, SNAPSHOT_BATCH_ROWS):
        yield from cast("list[dict[str, Any]]", batch.to_pylist())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class _Ingest:
    """One ingest in progress."""

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
        self.id_by_photo_hash = {photo_hash: id_ for id_, photo_hash in store.photo_hashes().items()}

    def run(
        self,
        source: Source,
        on_progress: Progress | None,
        decode_photo: Callable[[bytes], Photo],
        executor: Executor | None,
    ) -> None:
        """Read the source, and commit its products."""
        total = source.count()
        preparer = PhotoPreparer(
            self.manifest.frame, self.manifest.background, self._source_hash, self.files.downloads, decode_photo
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
            available = sorted(self.seen_categories | set(self.summary.outside))
            raise UnknownCategory(
                f"{source.name} has no product of category {', '.join(sorted(missing))}.",
                remedy=f"Choose from {', '.join(available)}; or `all`.",
            )
        self._commit()

    def _source_hash(self, product_id: str) -> str | None:
        row = self.stored.get(product_id)
        return None if row is None else row.source_hash

    def _select_records(self, items: Iterator[Record | Rejection]) -> Iterator[Record | Rejection]:
        """Yield rejections, and the valid records of the selected categories, each id once."""
        for item in items:
            if isinstance(item, Rejection):
                yield item
            elif self.categories is not None and item.category not in self.categories:
                self.summary.outside[item.category] += 1
            elif (problem := record_problem(item)) is not None:
                yield Rejection(item.id, *problem)
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
        """Store a new category or new attributes of a product whose photo is unchanged."""
        row = self.stored[record.id]
        if row.category == record.category and row.attributes == _digest(attributes_to_json(record.attributes)):
            self.summary.unchanged += 1
            return
        photo = self.store.photos([record.id])[0]
        self._add_pending(
            StoredProduct(record.id, record.category, photo, row.photo_hash, row.source_hash, dict(record.attributes))
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
