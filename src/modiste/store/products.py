"""The product database: photos, categories, attributes and encodings, in LanceDB tables that a kill cannot halve.

LanceDB commits a version at a time and keeps readers on theirs, but never calls fsync and lets two writers
duplicate rows unless the primary key is declared: both are seen to here. A lock for writers is the shop's business.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modiste.errors import SchemaError, ShopIncomplete, StorageError, UnknownProduct

os.environ.setdefault("LANCE_LOG", "error")

PRODUCTS = "products"
SCHEMA: Any = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("photo", pa.binary(), nullable=False),
        pa.field("photo_hash", pa.string(), nullable=False),
        pa.field("source_hash", pa.string(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),
    ]
)
OLD_VERSIONS = timedelta(minutes=30)  # how long a reader may stay on a version before it is cleaned away


@dataclass(frozen=True)
class StoredProduct:
    """One row: `photo` is a JPEG of the shop's frame size, the hashes are of its pixels and of its source."""

    id: str
    category: str
    photo: bytes
    photo_hash: str
    source_hash: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class StoredEncodings:
    """What a model made of the catalogue with `catalogue_hash`: float32 `(N, n)` each, rows as in `ids`."""

    ids: list[str]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]
    catalogue_hash: str


class ProductStore:
    """The tables of one shop. Any number may read while one writes."""

    def __init__(self, directory: Path, database: Any, products: Any) -> None:
        self.directory = directory
        self._database = database
        self._products = products
        self._hash: tuple[int, str] | None = None

    @classmethod
    def create(cls, directory: str | Path) -> ProductStore:
        """A new, empty store. Raises StorageError."""
        import lancedb

        path = Path(directory)
        with refusals(f"Creating {path}"):
            path.mkdir(parents=True, exist_ok=True)
            database: Any = lancedb.connect(str(path))
            products: Any = database.create_table(PRODUCTS, schema=SCHEMA, exist_ok=True)
            products.set_unenforced_primary_key("id")
        store = cls(path, database, products)
        store._sync()
        return store

    @classmethod
    def open(cls, directory: str | Path) -> ProductStore:
        """The store in `directory`.

        Raises:
            ShopIncomplete: there is none.
            SchemaError: it is damaged or of another version.
        """
        import lancedb

        path = Path(directory)
        remedy = "Run `modiste ingest` again; if that fails too, build the shop anew in another directory."
        if not (path / f"{PRODUCTS}.lance").is_dir():
            raise ShopIncomplete(f"There is no product database at {path}.", remedy=remedy)
        try:
            database: Any = lancedb.connect(str(path))
            products: Any = database.open_table(PRODUCTS)
            names = list(products.schema.names)
        except Exception as error:  # LanceDB's errors share no public base
            raise SchemaError(
                f"The product database at {path} cannot be read: {error}.", remedy=remedy
            ) from None
        if names != SCHEMA.names:
            raise SchemaError(
                f"The product database at {path} has columns {names}; expected {SCHEMA.names}.", remedy=remedy
            )
        return cls(path, database, products)

    def count(self) -> int:
        """How many products."""
        return int(self._products.count_rows())

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """Some columns (all by default) of every product as an Arrow table, in no particular order."""
        names = SCHEMA.names if columns is None else list(columns)
        return self._products.search().select(names).limit(None).to_arrow().select(names)

    def upsert(self, rows: Sequence[StoredProduct]) -> None:
        """Add new products and replace those whose id is there, in one commit.

        Raises:
            StorageError: the disk refused; the store is as it was.
        """
        if not rows:
            return
        table: Any = pa.table(
            {
                "id": [row.id for row in rows],
                "category": [row.category for row in rows],
                "photo": [row.photo for row in rows],
                "photo_hash": [row.photo_hash for row in rows],
                "source_hash": [row.source_hash for row in rows],
                "attributes": [
                    json.dumps(row.attributes, ensure_ascii=False, sort_keys=True) for row in rows
                ],
            },
            schema=SCHEMA,
        )
        with refusals(f"Writing {len(rows)} products to {self.directory}"):
            (
                self._products.merge_insert("id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .execute(table)
            )
        self._sync()

    def delete(self, ids: Sequence[str]) -> None:
        """Remove products; ids that are not there are passed over. Raises StorageError."""
        with refusals(f"Deleting from {self.directory}"):
            for start in range(0, len(ids), 500):
                self._products.delete(among(ids[start : start + 500]))
        self._sync()

    def optimize(self) -> None:
        """Merge small files and clean away versions that no reader can still be on. Raises StorageError."""
        with refusals(f"Tidying {self.directory}"):
            self._products.optimize(cleanup_older_than=OLD_VERSIONS)
        self._sync()

    def get(self, product_id: str) -> StoredProduct:
        """One product. Raises UnknownProduct."""
        rows: list[dict[str, Any]] = self._products.search().where(among([product_id])).limit(1).to_list()
        if not rows:
            raise UnknownProduct(
                f"The shop has no product {product_id!r}.", remedy="`modiste info` says what it holds."
            )
        row = rows[0]
        return StoredProduct(
            row["id"],
            row["category"],
            row["photo"],
            row["photo_hash"],
            row["source_hash"],
            json.loads(row["attributes"]),
        )

    def photos(self, ids: Sequence[str] | None = None) -> list[bytes]:
        """The JPEGs of products, in the order of `ids`; of all, ordered by id, when None. Raises UnknownProduct."""
        if ids is None:
            table = self.table(["id", "photo"]).sort_by("id")
            return table.column("photo").to_pylist()
        held: dict[str, bytes] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            found: Any = (
                self._products.search().where(among(part)).select(["id", "photo"]).limit(len(part)).to_arrow()
            )
            held |= dict(zip(found.column("id").to_pylist(), found.column("photo").to_pylist(), strict=True))
        if missing := [each for each in ids if each not in held]:
            raise UnknownProduct(
                f"The shop has no product {missing[0]!r}.", remedy="`modiste info` says what it holds."
            )
        return [held[each] for each in ids]

    def hash(self) -> str:
        """A hash of every product's id, pixels and category: what models, encodings and clusters were made from."""
        version = int(self._products.version)
        if self._hash is None or self._hash[0] != version:
            table = self.table(["id", "photo_hash", "category"])
            columns = (table.column(name).to_pylist() for name in ("id", "photo_hash", "category"))
            digest = hashlib.sha256()
            for row in sorted(zip(*columns, strict=True)):
                digest.update(json.dumps(row).encode())
            self._hash = (version, digest.hexdigest())
        return self._hash[1]

    def write_encodings(
        self, model_id: str, ids: Sequence[str], mean: NDArray[Any], std: NDArray[Any], code: NDArray[Any]
    ) -> None:
        """Replace what the store holds of a model's encodings, float32 `(N, n)` each, in one commit.

        Raises:
            StorageError: the disk refused; the encodings before are kept.
        """
        n = mean.shape[1]
        vector: Any = pa.list_(pa.float32(), n)
        schema: Any = pa.schema(
            [
                pa.field("id", pa.string(), nullable=False),
                *(pa.field(name, vector) for name in ("mean", "std", "code")),
                pa.field("catalogue_hash", pa.string()),
            ]
        )
        columns = [as_vectors(part, n) for part in (mean, std, code)]
        hashes: Any = pa.array([self.hash()] * len(ids), pa.string())
        table: Any = pa.table([pa.array(list(ids), pa.string()), *columns, hashes], schema=schema)
        with refusals(f"Writing the encodings of {len(ids)} products to {self.directory}"):
            self._database.create_table(encodings_name(model_id), data=table, mode="overwrite")
        self._sync()

    def read_encodings(self, model_id: str) -> StoredEncodings:
        """What the store holds of a model's encodings. Raises ShopIncomplete, SchemaError."""
        remedy = "Encode the catalogue with `modiste encode`."
        name = encodings_name(model_id)
        if not (self.directory / f"{name}.lance").is_dir():
            raise ShopIncomplete(f"The store has no encodings by model {model_id}.", remedy=remedy)
        try:
            table: Any = self._database.open_table(name).to_arrow()
            n = table.schema.field("mean").type.list_size
            parts = [from_vectors(table.column(part), n) for part in ("mean", "std", "code")]
            hashes = table.column("catalogue_hash").to_pylist()
            ids = table.column("id").to_pylist()
        except Exception as error:  # LanceDB's errors share no public base
            raise SchemaError(
                f"The encodings by model {model_id} cannot be read: {error}.", remedy=remedy
            ) from None
        return StoredEncodings(ids, parts[0], parts[1], parts[2], hashes[0] if hashes else "")

    def _sync(self) -> None:
        """Make what was committed survive a power cut: LanceDB itself never calls fsync."""
        with refusals(f"Syncing {self.directory}"):
            handle = os.open(self.directory, os.O_RDONLY)
            try:
                sync_filesystem(handle)
            finally:
                os.close(handle)


def sync_filesystem(handle: int) -> None:
    """Flush the file system that holds an open directory (one call, however many files a commit wrote)."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "syncfs"):
        if library.syncfs(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    else:  # macOS has no syncfs
        os.fsync(handle)


@contextmanager
def refusals(what: str) -> Generator[None]:
    """Turn the disk's refusals, which LanceDB reports in several ways, into StorageError."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        text = str(error)
        full = "No space left" in text or "os error 28" in text or getattr(error, "errno", None) == 28
        remedy = "Free some space" if full else "See that the directory may be written to"
        reason = "the disk is full" if full else text.splitlines()[0] if text else repr(error)
        raise StorageError(
            f"{what} failed: {reason}.", remedy=f"{remedy}, then run the same command again."
        ) from error


def among(ids: Sequence[str]) -> str:
    """The filter for some ids, quoted for SQL."""
    quoted = ", ".join("'" + each.replace("'", "''") + "'" for each in ids)
    return f"id IN ({quoted})"


def encodings_name(model_id: str) -> str:
    """The table of a model's encodings."""
    return f"encodings_{model_id}"


def as_vectors(values: NDArray[Any], n: int) -> Any:
    """`(N, n)` as an Arrow column of fixed-size lists."""
    flat: Any = pa.array(np.ascontiguousarray(values, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, n)


def from_vectors(column: Any, n: int) -> NDArray[np.float32]:
    """An Arrow column of fixed-size lists as `(N, n)`."""
    flat: Any = column.combine_chunks()
    return np.asarray(flat.flatten(), np.float32).reshape(-1, n).copy()
