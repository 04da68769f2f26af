"""The products table and the encodings tables of a shop."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modiste.errors import SchemaError, ShopIncomplete, StaleError, UnknownProduct
from modiste.storage.atomic import atomic_file
from modiste.storage.database import Database, has_version, id_filters, read_batches, read_columns
from modiste.storage.encodings import ENCODING_COLUMNS, PHOTO_HASH, TABLE_PREFIX, Encodings, from_arrow, to_arrow
from modiste.storage.error_translation import storage_errors
from modiste.storage.schema_version import check_schema_version
from modiste.storage.snapshot import (
    SNAPSHOT_COLUMNS,
    SNAPSHOT_FILE,
    Snapshot,
    read_snapshot,
    table_stamp,
    write_snapshot,
)

compute: Any = pc  # its functions are generated at run time, without types
PRODUCTS_TABLE = "products"
BATCH_ROWS = 4096
SNAPSHOT_BATCH_ROWS = 512  # a product's attributes have up to 250,000 characters
COMPACT_AFTER_ROWS = 2000
COMPACT_EVERY_VERSIONS = 128  # each compaction rewrites the photos in small files
CACHED_COLUMNS = ("id", "category", "photo_hash")
_NEEDS_ESCAPE = r"[^ !#-\[\]-~]"  # characters that JSON in ASCII escapes
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
    """Return a stamp that changes with every write to the products in a store's directory."""
    return table_stamp(directory, PRODUCTS_TABLE)


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A stored product: `photo` is a JPEG of the frame's size; the hashes are of its pixels and of its source."""

    id: str
    category: str
    photo: bytes
    photo_hash: str
    source_hash: str
    attributes: dict[str, Any]


class ProductStore:
    """The database of one shop.

    One process writes at a time, and every write is one commit: a reader finds the store before it or after it, even if
    the writer is killed. An open store sees its own writes; call `refresh` to see another process's.
    """

    def __init__(self, directory: Path, snapshot: Snapshot | None = None) -> None:
        """Use `open` instead. A snapshot answers what it can; the database is opened for the rest."""
        self.directory = directory
        self._snapshot = snapshot
        self._earlier: int | None = None  # the version of the table to read; None for the newest
        self._cached_hash: tuple[int, str] | None = None  # (version, hash)
        self._cached_columns: tuple[int, pa.Table] | None = None  # (version, CACHED_COLUMNS of all products)

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
        """Create an empty store in `directory`, or open the one that is there.

        Raises ShopBusy if another process is writing there, and StorageError if the disk refuses.
        """
        database = Database(Path(directory))
        if database.origin is not None:  # LanceDB makes no directory for tables on object storage
            Path(directory).mkdir(parents=True, exist_ok=True)
        with database.exclusive_write(f"Creating a store in {database.location}"):
            if database.open_table(PRODUCTS_TABLE) is None:
                # Without the key, two writers of the same product would both insert it, silently.
                database.create_table(PRODUCTS_TABLE, SCHEMA).set_unenforced_primary_key("id")
        return cls.open(directory)

    @classmethod
    def open(cls, directory: str | Path, *, earlier: bool = False) -> ProductStore:
        """Open the store in `directory`; with `earlier`, the version that its snapshot was made from.

        Raises:
            ShopIncomplete: there is no store.
            StaleError: the earlier version no longer exists.
            SchemaError: the store is damaged, or written by a newer version of Modiste.
            StorageError: the disk refuses.
        """
        directory = Path(directory)
        if not directory.is_dir():
            raise _missing_store_error(directory)
        snapshot = read_snapshot(directory, PRODUCTS_TABLE, earlier=earlier)
        store = cls(directory, snapshot)
        if earlier:
            store._earlier = None if snapshot is None else snapshot.version
            if store._earlier is None or not has_version(_open_products_table(store._database), store._earlier):
                raise StaleError(
                    f"The products in {directory} cannot be read as they were before the last change.",
                    remedy="Open the shop as it is now.",
                )
        if snapshot is None:
            _ = store._table
        return store

    def save_snapshot(self) -> None:
        """Write the columns that most commands read to a file beside the tables, so that they need not open them.

        Raises StorageError if the disk refuses; there is no snapshot then, and nothing is lost.
        """
        stamp = table_stamp(self.directory, PRODUCTS_TABLE)
        self.refresh()
        path = self.directory / SNAPSHOT_FILE
        with storage_errors(f"Writing {path}"), atomic_file(path, durable=False) as partial:
            with partial.open("wb") as file:
                batches = self.batches(SNAPSHOT_COLUMNS, SNAPSHOT_BATCH_ROWS)
                write_snapshot(file, batches, self.hash(), stamp, self.version)
            if table_stamp(self.directory, PRODUCTS_TABLE) != stamp:  # another process has written
                partial.unlink()

    def encodings_stamp(self, model_id: str) -> str:
        """Return a stamp that changes with every write of a model's encodings; "" if there are none."""
        return table_stamp(self.directory, TABLE_PREFIX + model_id)

    def refresh(self) -> None:
        """Read the newest version from now on; a reader's copy of a shop on object storage stays at its version."""
        self._snapshot = None
        origin = self._database.origin
        if origin is None or not origin.pinned:
            self._table.checkout_latest()

    @property
    def snapshot_stamp(self) -> str:
        """The stamp of the products table that the snapshot was made from; "" without a snapshot."""
        return "" if self._snapshot is None else self._snapshot.stamp

    @property
    def is_earlier(self) -> bool:
        """Whether an earlier version of the store is read: see `open`."""
        return self._earlier is not None

    @property
    def has_snapshot(self) -> bool:
        """Whether a snapshot is in use; its columns are memory-mapped."""
        return self._snapshot is not None

    @property
    def version(self) -> int:
        """The version of the products table that is open."""
        return int(self._table.version)

    def count(self) -> int:
        """Return the number of products."""
        return int(self._table.count_rows() if self._snapshot is None else self._snapshot.table.num_rows)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return columns of all products, by default all but the photo, in no particular order.

        `attributes` is JSON text. Raises SchemaError if the store is damaged, and StorageError if the disk refuses.
        """
        if self._snapshot is not None and columns is not None and set(columns) <= set(SNAPSHOT_COLUMNS):
            return self._snapshot.table.select(list(columns))
        if columns is not None and set(columns) <= set(CACHED_COLUMNS):
            version = self.version
            if self._cached_columns is None or self._cached_columns[0] != version:
                self._cached_columns = (version, self._read(CACHED_COLUMNS))
            return self._cached_columns[1].select(list(columns))
        return self._read(columns or [name for name in SCHEMA.names if name != "photo"])

    def photos(self, ids: Sequence[str] | None = None) -> list[bytes]:
        """Return the JPEGs of products in the order of `ids`; None stands for all products, sorted by id.

        Raises UnknownProduct if the store has no product with one of the ids.
        """
        if ids is None:
            return self._read(["id", "photo"]).sort_by("id").column("photo").to_pylist()
        rows = self._rows_by_id(["id", "photo"], ids)
        return [rows[id_]["photo"] for id_ in ids]

    def photo_hashes(self) -> dict[str, str]:
        """Return the hash of each product's photo by id."""
        table = self.table(["id", "photo_hash"])
        ids, hashes = (table.column(name).to_pylist() for name in ("id", "photo_hash"))
        return dict(zip(ids, hashes, strict=True))

    def batches(self, columns: Sequence[str], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield columns of all products, at most `rows` rows at a time. Raises SchemaError, StorageError."""
        with self._database.table_errors(PRODUCTS_TABLE):
            yield from read_batches(self._table, columns, rows)

    def find(self, columns: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return columns, including the id, of those products of `ids` that exist, by id."""
        rows: dict[str, dict[str, Any]] = {}
        for where in id_filters(list(dict.fromkeys(ids))):
            matches = cast("list[dict[str, Any]]", self._read(columns, where).to_pylist())
            rows.update((row["id"], row) for row in matches)
        return rows

    def get(self, product_id: str) -> StoredProduct:
        """Return one product with its photo. Raises UnknownProduct."""
        row = self._rows_by_id(SCHEMA.names, [product_id])[product_id]
        return StoredProduct(**(row | {"attributes": json.loads(row["attributes"])}))

    def hash(self) -> str:
        """Return a hash of every product's id, pixels and category that does not depend on the order of writes."""
        if self._snapshot is not None:
            return self._snapshot.hash
        version = int(self._table.version)
        if self._cached_hash is None or self._cached_hash[0] != version:
            rows = self.table(["id", "photo_hash", "category"]).sort_by("id")
            self._cached_hash = (version, hashlib.sha256(_json_rows(rows).encode()).hexdigest())
        return self._cached_hash[1]

    def upsert(self, rows: Sequence[StoredProduct]) -> None:
        """Add products, or replace those with the same id, in one commit; of several rows with one id the last counts.

        Raises ShopBusy if another process is writing, and StorageError if the disk refuses; the store is unchanged.
        """
        if not rows:
            return
        data = _products_to_table(list({row.id: row for row in rows}.values()))
        with self._write_products(f"Storing {len(data)} products in {self._database.location}", len(data)):
            merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            done = merge.execute(data)
            if (stored := done.num_inserted_rows + done.num_updated_rows) != len(data):
                raise SchemaError(
                    f"{self._database.location} stored {stored} of {len(data)} products.",
                    remedy="Run the same command again; `modiste doctor --shop DIR` checks the shop.",
                )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove products.

        Raises:
            UnknownProduct: the store has no product with one of the ids; nothing is removed.
            ShopBusy: another process is writing.
            StorageError: the disk refuses; the store is unchanged.
        """
        if not ids:
            return
        with self._write_products(f"Removing {len(ids)} products from {self._database.location}", len(ids)):
            self._rows_by_id(["id"], ids)
            self._table.delete(" OR ".join(id_filters(list(dict.fromkeys(ids)))))

    def write_encodings(
        self,
        model_id: str,
        ids: Sequence[str],
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        code: NDArray[np.float32],
    ) -> None:
        """Replace a model's encodings of the catalogue, float32 `(N, n)` each, in one commit.

        Raises:
            StaleError: the ids are not those of the products, each once.
            BadCode: the arrays' shapes do not match, or they are not finite.
            ShopBusy: another process is writing.
            StorageError: the disk refuses; the encodings are unchanged.
        """
        with self._database.exclusive_write(
            f"Storing the encodings of {len(ids)} products in {self._database.location}"
        ):
            self.refresh()
            photo_hashes = self.photo_hashes()
            if len(ids) != len(photo_hashes) or set(ids) != photo_hashes.keys():
                raise StaleError(
                    f"The {len(ids)} encodings do not belong to the {self.count()} products in the store.",
                    remedy="Encode the shop again with `modiste encode`.",
                )
            parts, hashes = (mean, std, code), [photo_hashes[id_] for id_ in ids]
            self._database.replace_table(TABLE_PREFIX + model_id, to_arrow(ids, parts, self.hash(), hashes))

    def read_encodings(self, model_id: str) -> Encodings:
        """Return a model's encodings of the catalogue.

        Raises ShopIncomplete if there are none, and SchemaError if they are damaged.
        """
        table = self._database.open_table(name := TABLE_PREFIX + model_id)
        if table is None:
            raise ShopIncomplete(
                f"There are no encodings by model {model_id} in {self._database.location}.",
                remedy="Make them with `modiste encode --shop DIR`.",
            )
        with self._database.table_errors(name):
            columns = ["id", *ENCODING_COLUMNS, *([PHOTO_HASH] if PHOTO_HASH in table.schema.names else [])]
            return from_arrow(read_columns(table, columns), table.schema.metadata)

    def remember_photos(self, model_id: str) -> None:
        """Add the hashes of the encoded photos to a model's encodings, because Modiste 0.1.0 did not write them.

        Call it before products change. Encodings that do not belong to the products in the store are not changed.
        Raises ShopBusy if another process is writing, and StorageError if the disk refuses; the encodings are
        unchanged.
        """
        table = self._database.open_table(TABLE_PREFIX + model_id)
        if table is None or PHOTO_HASH in table.schema.names:
            return
        encodings = self.read_encodings(model_id)
        if encodings.catalogue_hash == self.hash():
            self.write_encodings(model_id, encodings.ids, encodings.mean, encodings.std, encodings.code)

    def compact(self) -> None:
        """Merge the products table's small files and remove versions older than an hour. Raises ShopBusy."""
        with self._database.exclusive_write(f"Compacting {self._database.location}"):
            self.refresh()
            self._database.compact(self._table)

    def _read(self, columns: Sequence[str], where: str | None = None) -> pa.Table:
        with self._database.table_errors(PRODUCTS_TABLE):
            return read_columns(self._table, columns, where)

    def _rows_by_id(self, columns: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of `ids` by id. Raises UnknownProduct."""
        rows = self.find(columns, ids)
        if (missing := next((id_ for id_ in ids if id_ not in rows), None)) is not None:
            raise UnknownProduct(
                f"The store has no product {missing!r}.", remedy="`modiste info --shop DIR` shows what it holds."
            )
        return rows

    @contextmanager
    def _write_products(self, operation: str, rows: int) -> Generator[None]:
        """Write to the newest version; compact after a large write, and once in COMPACT_EVERY_VERSIONS versions."""
        with self._database.exclusive_write(operation):
            self.refresh()
            before = self.version // COMPACT_EVERY_VERSIONS
            yield
            if rows >= COMPACT_AFTER_ROWS or before != self.version // COMPACT_EVERY_VERSIONS:
                self._database.compact(self._table)


def attributes_to_json(attributes: dict[str, Any]) -> str:
    """Convert attributes to JSON with sorted keys, as they are stored."""
    return json.dumps(attributes, ensure_ascii=False, sort_keys=True)


def _json_rows(table: Any) -> str:
    """Encode the rows of text columns as JSON in ASCII without spaces, as `json.dumps` encodes lists of lists."""
    columns: list[Any] = [_json_escape(column) for column in table.columns]
    rows = compute.binary_join_element_wise(*columns, '","').to_pylist()
    return '[["' + '"],["'.join(rows) + '"]]' if rows else "[]"


def _json_escape(column: Any) -> Any:
    """Escape texts as JSON does inside quotes; most columns need no change."""
    if not compute.any(compute.match_substring_regex(column, _NEEDS_ESCAPE)).as_py():
        return column
    return pa.array([json.dumps(text)[1:-1] for text in column.to_pylist()], pa.string())


def _missing_store_error(location: Path | str) -> ShopIncomplete:
    return ShopIncomplete(
        f"There is no product database in {location}.", remedy="Make it with `modiste ingest SOURCE --shop DIR`."
    )


def _open_products_table(database: Database) -> Any:
    """Open the products table and check its schema. Raises ShopIncomplete, SchemaError, StorageError."""
    table = database.open_table(PRODUCTS_TABLE)
    if table is None:
        raise _missing_store_error(database.location)
    schema: pa.Schema = table.schema
    version = (schema.metadata or {}).get(SCHEMA_KEY)
    source = f"The product database in {database.location}"
    number = int(version) if version is not None and version.isdigit() else version
    check_schema_version(number, int(SCHEMA_VALUE), source)
    if not schema.remove_metadata().equals(SCHEMA.remove_metadata()):
        raise SchemaError(
            f"{source} has the columns {schema.names}, not {SCHEMA.names}.",
            remedy="Restore the shop's store from a copy, or build the shop again in another directory.",
        )
    return table


def _products_to_table(rows: Sequence[StoredProduct]) -> pa.Table:
    """Convert products to a table, in batches: one Arrow binary array cannot hold more than 2 GiB."""
    batches: list[Any] = []
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        attributes = [attributes_to_json(row.attributes) for row in batch]
        columns: list[list[Any]] = [
            [getattr(row, name) for row in batch] if name != "attributes" else attributes for name in SCHEMA.names
        ]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    return pa.Table.from_batches(batches, SCHEMA)


def count_categories(store: ProductStore) -> dict[str, int]:
    """Count the products of each category, largest first."""
    table: Any = store.table(["category"])
    return largest_first(table.column("category").to_pylist())


def catalogue_summary(store: ProductStore) -> dict[str, Any]:
    """Return a manifest's entry for the products in a store."""
    counts = count_categories(store)
    return {"hash": store.hash(), "count": sum(counts.values()), "categories": counts}


def largest_first(categories: Iterable[str]) -> dict[str, int]:
    """Count categories, largest first, then by name."""
    return dict(sorted(Counter(categories).items(), key=lambda pair: (-pair[1], pair[0])))
