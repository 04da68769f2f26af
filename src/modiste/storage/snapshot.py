"""A snapshot of the products' metadata: the columns that most commands read, in one file that needs no database.

It is derived from the products table and names the table's versions; if the table has changed since, it is not used.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import ipc

from modiste.storage.remote.origin import read_origin

SNAPSHOT_FILE = "products.snapshot"
CHECKSUM_BYTES = 4  # the file begins with the CRC-32 of the rest
SNAPSHOT_COLUMNS = ("id", "category", "photo_hash", "attributes")
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in SNAPSHOT_COLUMNS])
METADATA_KEY = b"modiste:snapshot"
BUFFER_BYTES = 16 * 2**20  # products in memory at once, of a file that may have gigabytes


@dataclass(frozen=True, eq=False)
class Snapshot:
    """SNAPSHOT_COLUMNS of all products, memory-mapped.

    `hash` is that of the store, and `stamp` and `version` those of the table that they come from; a snapshot by Modiste
    0.1.0 has no version.
    """

    table: pa.Table
    hash: str
    stamp: str
    version: int | None


def table_stamp(directory: Path, name: str) -> str:
    """Return a hash that changes with the versions of a table; "" if there is no such table.

    It is a hash of the manifests of the versions: by their numbers alone, a table that was removed and created again
    would look like the earlier one. A copy of the directory has the same stamp, on object storage too.
    """
    if (origin := read_origin(directory)) is not None:
        return origin.table_stamp(name)
    try:
        manifests = sorted((directory / f"{name}.lance" / "_versions").glob("*.manifest"))
        parts = [path.name.encode() + hashlib.sha256(path.read_bytes()).digest() for path in manifests]
    except OSError:
        return ""
    return hashlib.sha256(b"".join(parts)).hexdigest() if parts else ""


def write_snapshot(
    file: BinaryIO, batches: Iterable[pa.RecordBatch], store_hash: str, stamp: str, version: int
) -> None:
    """Write a snapshot into a new file; `batches` have SNAPSHOT_COLUMNS of this version of the table."""
    metadata = json.dumps({"hash": store_hash, "stamp": stamp, "version": version}).encode()
    file.write(bytes(CHECKSUM_BYTES))
    target = _ChecksumWriter(file)
    sink: Any = target
    with ipc.new_file(sink, SCHEMA.with_metadata({METADATA_KEY: metadata})) as writer:
        for batch in _merge_batches(batches):
            writer.write_batch(batch)
    file.seek(0)
    file.write(target.crc32.to_bytes(CHECKSUM_BYTES, "big"))


class _ChecksumWriter:
    """A write-only file that starts at the current position and keeps the CRC-32 of what was written."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._position = file, 0
        self.crc32 = 0

    def write(self, data: Any) -> int:
        self.crc32 = zlib.crc32(data, self.crc32)
        self._position += self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        self._file.flush()


def _merge_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in few batches: a table that was written product by product has many small ones."""
    buffer: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        buffer.append(batch.select(list(SNAPSHOT_COLUMNS)).cast(SCHEMA))
        size += batch.nbytes
        if size >= BUFFER_BYTES:
            yield from pa.Table.from_batches(buffer, SCHEMA).combine_chunks().to_batches()
            buffer, size = [], 0
    yield from pa.Table.from_batches(buffer, SCHEMA).combine_chunks().to_batches()


def read_snapshot(directory: Path, name: str, *, earlier: bool = False) -> Snapshot | None:
    """Read the snapshot in a store's directory; None if it is missing, damaged or not of the table as it is now.

    With `earlier`, a snapshot of an earlier version of the table is returned, too, if it names that version.
    """
    try:
        with (directory / SNAPSHOT_FILE).open("rb") as file:
            # Read, not mapped: mapped pages that a process has touched count as its memory.
            expected, checksum = int.from_bytes(file.read(CHECKSUM_BYTES), "big"), 0
            while chunk := file.read(BUFFER_BYTES // 16):
                checksum = zlib.crc32(chunk, checksum)
            if checksum != expected:
                return None
            data = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        table = ipc.open_file(data.slice(CHECKSUM_BYTES)).read_all()
        metadata = json.loads(table.schema.metadata[METADATA_KEY])
        stamp, version = str(metadata["stamp"]), metadata.get("version")
        is_usable = stamp == table_stamp(directory, name) or (earlier and isinstance(version, int))
        if not stamp or not is_usable:
            return None
        return Snapshot(table.replace_schema_metadata(None), str(metadata["hash"]), stamp, version)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
