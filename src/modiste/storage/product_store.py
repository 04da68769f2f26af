"""ProductStore: the products of a shop and what its models made of them, as durable truth."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modiste.errors import (
    SchemaError,
    ShopIncomplete,
    StaleError,
    UnknownProduct,
)
from modiste.storage import encodings as coding
from modiste.storage.database import (
    Database,
    damaged_table_error,
    has_version,
    id_filters,
    read_batches,
    read_columns,
)
from modiste.storage.encodings import Encodings
from modiste.storage.refusals import storage_errors
from modiste.storage.schema_version import check_schema_version
from modiste.storage.snapshot import (
    SNAPSHOT_COLUMNS,
    SNAPSHOT_FILE,
    Snapshot,
    has_columns,
    read_snapshot,
    table_stamp,
    write_snapshot,
)

compute: Any = pc  # its functions are made at run time, without types
PRODUCTS_TABLE = "products"
BATCH_ROWS = 4096
SNAPSHOT_BATCH_ROWS = 512  # of attributes: of a product they have up to a quarter of a million characters
COMPACT_AFTER_ROWS = 2000
COMPACT_EVERY_VERSIONS = 128  # versions; each compaction rewrites the photos of the products in small files
BRIEF = ("id", "category", "photo_hash")
_ESCAPED = r"[^ !#-\[\]-~]"  # what JSON writes otherwise than it is
SCHEMA_KEY, SCHEMA_VALUE = b"modiste:schema", b"1"
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("photo", pa.binary(), nullable=False),
        pa.field("photo_hash", pa.string(), nullable=False),
        pa.field("source_hash", pa.string(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),
    ],
    metadata={SCHEMA_KEY: SCHEMA_VALUE},
)


def products_stamp(directory: Path) -> str:
    """Names what was last written of the products in a store's directory, words and all, without reading them."""
    return table_stamp(directory, PRODUCTS_TABLE)


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A product as stored: `photo` is a JPEG at the shop's frame; the hashes are of its pixels and of its source."""

    id: str
    category: str
    photo: bytes
    photo_hash: str
    source_hash: str
    attributes: dict[str, Any]


class ProductStore:
    """The store in one directory.

    One process writes at a time, and every write is one commit: whoever reads, and whenever a writer is killed, finds
    the store before it or after it. A store that is open sees its own writes; for another process's, open it again.
    """

    def __init__(self, directory: Path, snapshot: Snapshot | None = None) -> None:
        """See `open`. What a snapshot holds is answered from it, and the database is opened for the rest."""
        self.directory = directory
        self._snapshot = snapshot
        self._earlier: int | None = None  # the version of the table to read; None for the newest
        self._cached_hash: tuple[int, str] | None = None  # version, hash
        self._brief: tuple[int, pa.Table] | None = None  # version, BRIEF of all products

    @cached_property
    def _database(self) -> Database:
        return Database(self.directory)

    @cached_property
    def _table(self) -> Any:
        table = _open_products_table(self._database)
        if self._earlier is not None:
            with storage_errors(f"Reading {self._database.location}"):
                table.checkout(self._earlier)
        return table

    @classmethod
    def create(cls, directory: str | Path) -> ProductStore:
        """Make an empty store in `directory`; one that is there already is opened.

        Raises:
            ShopBusy: another process is writing there.
            StorageError: the disk refused.
        """
        database = Database(Path(directory))
        if database.origin is not None:  # what is elsewhere makes no directory here
            Path(directory).mkdir(parents=True, exist_ok=True)
        with database.exclusive_write(f"Creating a store in {database.location}"):
            if database.open_table(PRODUCTS_TABLE) is None:
                # Without the key, two writers of the same product would both insert it, and silently.
                database.create_table(PRODUCTS_TABLE, SCHEMA).set_unenforced_primary_key("id")
        return cls.open(directory)

    @classmethod
    def open(cls, directory: str | Path, *, earlier: bool = False) -> ProductStore:
        """Open the store in `directory`; with `earlier`, as it was when its snapshot was written.

        Raises:
            ShopIncomplete: there is none.
            StaleError: that earlier version is no longer there.
            SchemaError: it is damaged, or of another version of Modiste.
            StorageError: the disk refused.
        """
        directory = Path(directory)
        if not directory.is_dir():
            raise _missing_store_error(directory)
        snapshot = read_snapshot(directory, PRODUCTS_TABLE, earlier=earlier)
        store = cls(directory, snapshot)
        if earlier:
            store._earlier = None if snapshot is None else snapshot.version
            if store._earlier is None or not has_version(
                _open_products_table(store._database), store._earlier
            ):
                raise StaleError(
                    f"The products in {directory} cannot be read as they were before the last change.",
                    remedy="Open the shop as it is now.",
                )
        if snapshot is None:
            _ = store._table
        return store

    def save_snapshot(self) -> None:
        """Write what most commands ask for into a file beside the tables, so that they need not open them.

        Raises StorageError when the disk refuses; there is then no snapshot, and nothing is lost.
        """
        stamped = table_stamp(self.directory, PRODUCTS_TABLE)
        self.refresh()
        path = self.directory / SNAPSHOT_FILE
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        with storage_errors(f"Writing {path}"):
            try:
                with partial.open("wb") as file:
                    rows = self.batches(SNAPSHOT_COLUMNS, SNAPSHOT_BATCH_ROWS)
                    write_snapshot(file, rows, self.hash(), stamped, self.version)
                if (
                    table_stamp(self.directory, PRODUCTS_TABLE) == stamped
                ):  # else another process has written meanwhile
                    partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def encodings_stamp(self, model_id: str) -> str:
        """Names what was last written of a model's encodings, without reading them; "" where nothing was."""
        return table_stamp(self.directory, coding.TABLE_PREFIX + model_id)

    def refresh(self) -> None:
        """See what other processes have written since the store was opened; a reader's copy stays as it was."""
        self._snapshot = None
        origin = self._database.origin
        if origin is None or not origin.pinned:
            self._table.checkout_latest()

    @property
    def snapshot_stamp(self) -> str:
        """Names the version of the products' table that the snapshot is of; "" without a snapshot."""
        return "" if self._snapshot is None else self._snapshot.stamp

    @property
    def is_earlier(self) -> bool:
        """Whether the store is read as it was before a change: see `open`."""
        return self._earlier is not None

    @property
    def has_snapshot(self) -> bool:
        """Whether a snapshot answers, whose columns are mapped from a file and take no memory until they are read."""
        return self._snapshot is not None

    @property
    def version(self) -> int:
        """The version of the products' table that is open."""
        return int(self._table.version)

    def count(self) -> int:
        """The number of products."""
        return int(self._table.count_rows() if self._snapshot is None else self._snapshot.table.num_rows)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Columns of all products, by default all but the photo, in no certain order.

        `attributes` is JSON text. Raises SchemaError when the store is damaged, StorageError when the disk refuses.
        """
        if self._snapshot is not None and columns is not None and has_columns(columns):
            return self._snapshot.table.select(list(columns))
        if columns is not None and set(columns) <= set(BRIEF):
            version = self.version
            if self._brief is None or self._brief[0] != version:
                self._brief = (version, self._read(BRIEF))
            return self._brief[1].select(list(columns))
        return self._read(columns or [name for name in SCHEMA.names if name != "photo"])

    def photos(self, ids: Sequence[str] | None = None) -> list[bytes]:
        """The JPEGs of products in the order of `ids`; of all, in the order of their ids, for None.

        Raises:
            UnknownProduct: the store has no product of one of the ids.
        """
        if ids is None:
            return self._read(["id", "photo"]).sort_by("id").column("photo").to_pylist()
        rows = self._rows_by_id(["id", "photo"], ids)
        return [rows[id_]["photo"] for id_ in ids]

    def photo_hashes(self) -> dict[str, str]:
        """The hash of each product's photo, by id."""
        table = self.table(["id", "photo_hash"])
        ids, hashes = (table.column(name).to_pylist() for name in ("id", "photo_hash"))
        return dict(zip(ids, hashes, strict=True))

    def batches(self, columns: Sequence[str], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Columns of all products, read from the table some `rows` at a time. Raises SchemaError, StorageError."""
        try:
            yield from read_batches(self._table, columns, rows)
        except (OSError, RuntimeError, ValueError) as error:
            raise damaged_table_error(self._database.location, PRODUCTS_TABLE, error) from error

    def find(self, columns: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return columns, of which one is the id, of those of `ids` that the store has, by id."""
        rows: dict[str, dict[str, Any]] = {}
        for where in id_filters(list(dict.fromkeys(ids))):
            found = cast("list[dict[str, Any]]", self._read(columns, where).to_pylist())
            rows.update((row["id"], row) for row in found)
        return rows

    def get(self, product_id: str) -> StoredProduct:
        """One product, whole. Raises UnknownProduct."""
        row = self._rows_by_id(SCHEMA.names, [product_id])[product_id]
        return StoredProduct(**(row | {"attributes": json.loads(row["attributes"])}))

    def hash(self) -> str:
        """A hash over the id, pixels and category of every product, whatever the order they were written in."""
        if self._snapshot is not None:
            return self._snapshot.hash
        version = int(self._table.version)
        if self._cached_hash is None or self._cached_hash[0] != version:
            rows = self.table(["id", "photo_hash", "category"]).sort_by("id")
            self._cached_hash = (version, hashlib.sha256(_json_rows(rows).encode()).hexdigest())
        return self._cached_hash[1]

    def upsert(self, rows: Sequence[StoredProduct]) -> None:
        """Add products, or replace those whose id is known; all at once or, on any error, not at all.

        Of several rows with one id the last counts.

        Raises:
            ShopBusy: another process is writing.
            StorageError: the disk refused; the store is as it was.
        """
        if not rows:
            return
        data = _products_to_table(list({row.id: row for row in rows}.values()))
        with self._database.exclusive_write(f"Storing {len(data)} products in {self._database.location}"):
            self.refresh()
            before = self.version
            merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            done = merge.execute(data)
            if (stored := done.num_inserted_rows + done.num_updated_rows) != len(data):
                raise SchemaError(
                    f"{self._database.location} took {stored} of {len(data)} products.",
                    remedy="Run the same command again; `modiste doctor --shop DIR` looks the shop over.",
                )
            self._compact_if_due(len(data), before)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove products.

        Raises:
            UnknownProduct: the store has no product of one of the ids; nothing is removed.
            ShopBusy: another process is writing.
            StorageError: the disk refused; the store is as it was.
        """
        if not ids:
            return
        with self._database.exclusive_write(f"Removing {len(ids)} products from {self._database.location}"):
            self.refresh()
            before = self.version
            self._rows_by_id(["id"], ids)
            self._table.delete(" OR ".join(id_filters(list(dict.fromkeys(ids)))))
            self._compact_if_due(len(ids), before)

    def write_encodings(
        self,
        model_id: str,
        ids: Sequence[str],
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        code: NDArray[np.float32],
    ) -> None:
        """Replace what a model made of the catalogue, float32 `(N, n)` each, in one commit.

        Raises:
            StaleError: the ids are not those of the products, each once.
            BadCode: the arrays do not go together, or are not finite.
            ShopBusy: another process is writing.
            StorageError: the disk refused; the encodings are as they were.
        """
        with self._database.exclusive_write(
            f"Storing the encodings of {len(ids)} products in {self._database.location}"
        ):
            self.refresh()
            photo_hashes = self.photo_hashes()
            if len(ids) != len(photo_hashes) or set(ids) != photo_hashes.keys():
                raise StaleError(
                    f"The {len(ids)} encodings are not of the {self.count()} products in the store.",
                    remedy="Encode the shop again with `modiste encode`.",
                )
            parts, hashes = (mean, std, code), [photo_hashes[id_] for id_ in ids]
            self._database.replace_table(
                coding.TABLE_PREFIX + model_id, coding.to_arrow(ids, parts, self.hash(), hashes)
            )

    def read_encodings(self, model_id: str) -> Encodings:
        """What a model made of the catalogue, as last written.

        Raises:
            ShopIncomplete: nothing was written for this model.
            SchemaError: they are damaged.
        """
        name = coding.TABLE_PREFIX + model_id
        table = self._database.open_table(name)
        if table is None:
            raise ShopIncomplete(
                f"There are no encodings by model {model_id} in {self._database.location}.",
                remedy="Make them with `modiste encode --shop DIR`.",
            )
        columns = ["id", *coding.ENCODING_COLUMNS]
        columns += [coding.PHOTO_HASH] if coding.PHOTO_HASH in table.schema.names else []
        try:
            return coding.from_arrow(read_columns(table, columns), table.schema.metadata)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise damaged_table_error(self._database.location, name, error) from error

    def remember_photos(self, model_id: str) -> None:
        """Write which photos a model has encoded, while that is known: Modiste 0.1.0 did not write it.

        To be called before products change. Encodings of other products than those in the store stay as they are.

        Raises:
            ShopBusy: another process is writing.
            StorageError: the disk refused; the encodings are as they were.
        """
        table = self._database.open_table(coding.TABLE_PREFIX + model_id)
        if table is None or coding.PHOTO_HASH in table.schema.names:
            return
        found = self.read_encodings(model_id)
        if found.catalogue_hash == self.hash():
            self.write_encodings(model_id, found.ids, found.mean, found.std, found.code)

    def encoded_models(self) -> list[str]:
        """The models that have encodings here."""
        names = self._database.table_names()
        return [
            name.removeprefix(coding.TABLE_PREFIX) for name in names if name.startswith(coding.TABLE_PREFIX)
        ]

    def drop_encodings(self, model_id: str) -> None:
        """Remove what a model made of the catalogue, if there is any. Raises ShopBusy, StorageError."""
        if model_id in self.encoded_models():
            with self._database.exclusive_write(f"Removing the encodings of model {model_id}"):
                self._database.drop_table(coding.TABLE_PREFIX + model_id)

    def compact(self) -> None:
        """Merge the products' small files, and remove what no reader of the last hour needs. Raises ShopBusy."""
        with self._database.exclusive_write(f"Compacting {self._database.location}"):
            self.refresh()
            self._database.compact(self._table)

    def _read(self, columns: Sequence[str], where: str | None = None) -> pa.Table:
        try:
            return read_columns(self._table, columns, where)
        except (OSError, RuntimeError, ValueError) as error:
            raise damaged_table_error(self._database.location, PRODUCTS_TABLE, error) from error

    def _rows_by_id(self, columns: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The rows of `ids`, by id. Raises UnknownProduct."""
        rows = self.find(columns, ids)
        if (missing := next((id_ for id_ in ids if id_ not in rows), None)) is not None:
            raise UnknownProduct(
                f"The store has no product {missing!r}.",
                remedy="`modiste info --shop DIR` says what it holds.",
            )
        return rows

    def _compact_if_due(self, written: int, before: int) -> None:
        """Compact after a large write, and once in COMPACT_EVERY_VERSIONS versions."""
        if (
            written >= COMPACT_AFTER_ROWS
            or before // COMPACT_EVERY_VERSIONS != self.version // COMPACT_EVERY_VERSIONS
        ):
            self._database.compact(self._table)


def attributes_to_json(attributes: dict[str, Any]) -> str:
    """Attributes as the store keeps them: JSON, the same for the same."""
    return json.dumps(attributes, ensure_ascii=False, sort_keys=True)


def _json_rows(table: Any) -> str:
    """The rows of columns of text as JSON in ASCII without spaces, as `json.dumps` writes lists of lists."""
    columns: list[Any] = [_escaped(column) for column in table.columns]
    rows = compute.binary_join_element_wise(*columns, '","').to_pylist()
    return '[["' + '"],["'.join(rows) + '"]]' if rows else "[]"


def _escaped(column: Any) -> Any:
    """Texts as JSON writes them between its quotes; most columns are that already."""
    if not compute.any(compute.match_substring_regex(column, _ESCAPED)).as_py():
        return column
    return pa.array([json.dumps(text)[1:-1] for text in column.to_pylist()], pa.string())


def _missing_store_error(place: Path | str) -> ShopIncomplete:
    return ShopIncomplete(
        f"There is no product database in {place}.",
        remedy="Make it with `modiste ingest SOURCE --shop DIR`.",
    )


def _open_products_table(database: Database) -> Any:
    """The table of products. Raises ShopIncomplete, SchemaError, StorageError."""
    table = database.open_table(PRODUCTS_TABLE)
    if table is None:
        raise _missing_store_error(database.location)
    found: pa.Schema = table.schema
    said = (found.metadata or {}).get(SCHEMA_KEY)
    where = f"The product database in {database.location}"
    check_schema_version(int(said) if said is not None and said.isdigit() else said, int(SCHEMA_VALUE), where)
    if not found.remove_metadata().equals(SCHEMA.remove_metadata()):
        raise SchemaError(
            f"{where} has the columns {found.names}, not {SCHEMA.names}.",
            remedy="Restore the shop's store from a copy, or build the shop again in another directory.",
        )
    return table


def _products_to_table(rows: Sequence[StoredProduct]) -> pa.Table:
    """Products as a table, in batches: one Arrow binary array cannot hold more than 2 GiB."""
    batches: list[Any] = []
    for start in range(0, len(rows), BATCH_ROWS):
        part = rows[start : start + BATCH_ROWS]
        texts = [attributes_to_json(row.attributes) for row in part]
        columns: list[list[Any]] = [
            [getattr(row, name) for row in part] if name != "attributes" else texts for name in SCHEMA.names
        ]
        arrays = [pa.array(held, field.type) for held, field in zip(columns, SCHEMA, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    return pa.Table.from_batches(batches, SCHEMA)


def count_categories(store: ProductStore) -> dict[str, int]:
    """How many products of each category a store has, largest first; none where it is empty."""
    table: Any = store.table(["category"])
    return largest_first(table.column("category").to_pylist())


def catalogue_summary(store: ProductStore) -> dict[str, Any]:
    """What a manifest says of the products in a store."""
    counts = count_categories(store)
    return {"hash": store.hash(), "count": sum(counts.values()), "categories": counts}


def largest_first(categories: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(categories).items(), key=lambda pair: (-pair[1], pair[0])))
