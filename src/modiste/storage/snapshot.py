"""A snapshot of the products' words: what most commands ask of a store, in one file that opens without a database.

It is derived, and says which versions of the table it was made from; when the table has another, it is not used.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import ipc

from modiste.storage.remote.origin import read_origin

SNAPSHOT_FILE = "products.snapshot"
CHECKSUM_BYTES = 4  # bytes of the CRC-32 of all that follows it, which stand first
SNAPSHOT_COLUMNS = ("id", "category", "photo_hash", "attributes")
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in SNAPSHOT_COLUMNS])
METADATA_KEY = b"modiste:snapshot"
BUFFER_BYTES = 16 * 2**20  # bytes of products in memory, of a file that may have gigabytes


@dataclass(frozen=True, eq=False)
class Snapshot:
    """COLUMNS of all products, mapped from the file.

    `hash` is that of the store that had them, `stamp` names the versions of the table that they were read from, and
    `version` is the newest of these; None in a snapshot that Modiste 0.1.0 wrote.
    """

    table: pa.Table
    hash: str
    stamp: str
    version: int | None


def table_stamp(directory: Path, name: str) -> str:
    """Names the versions of a table that are on the disk, by what their manifests say; "" where there is none.

    By their numbers alone, a table that was removed and made anew would seem to be the one before. A copy of the
    directory has the same stamp, on object storage too.
    """
    if (origin := read_origin(directory)) is not None:
        return origin.table_stamp(name)
    try:
        manifests = sorted((directory / f"{name}.lance" / "_versions").glob("*.manifest"))
        told = [path.name.encode() + hashlib.sha256(path.read_bytes()).digest() for path in manifests]
    except OSError:
        return ""
    return hashlib.sha256(b"".join(told)).hexdigest() if told else ""


def write_snapshot(
    file: BinaryIO, batches: Iterable[pa.RecordBatch], store_hash: str, stamp: str, version: int
) -> None:
    """Write a snapshot into a file that is new: `batches` have COLUMNS, and are of a `version` of the table."""
    about = json.dumps({"hash": store_hash, "stamp": stamp, "version": version}).encode()
    file.write(bytes(CHECKSUM_BYTES))
    summed: Any = _ChecksumWriter(file)
    with ipc.new_file(summed, SCHEMA.with_metadata({METADATA_KEY: about})) as writer:
        for piece in _merge_batches(batches):
            writer.write_batch(piece)
    file.seek(0)
    file.write(summed.crc32.to_bytes(CHECKSUM_BYTES, "big"))


class _ChecksumWriter:
    """A file that is only written to, from where it stands, with the CRC-32 of what was."""

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
    """The same rows in few pieces: a table that came product by product has many small batches."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch.select(list(SNAPSHOT_COLUMNS)).cast(SCHEMA))
        size += batch.nbytes
        if size >= BUFFER_BYTES:
            yield from pa.Table.from_batches(held, SCHEMA).combine_chunks().to_batches()
            held, size = [], 0
    yield from pa.Table.from_batches(held, SCHEMA).combine_chunks().to_batches()


def read_snapshot(directory: Path, name: str, *, earlier: bool = False) -> Snapshot | None:
    """Return the snapshot in a store's directory, or None if it is missing, damaged or not of the table as it is now.

    With `earlier`, a snapshot of an earlier version of the table is returned too, if it says which version that is.
    """
    try:
        with (directory / SNAPSHOT_FILE).open("rb") as file:
            # Read, not mapped: what a process has mapped and touched counts as its memory.
            wanted, found = int.from_bytes(file.read(CHECKSUM_BYTES), "big"), 0
            while piece := file.read(BUFFER_BYTES // 16):
                found = zlib.crc32(piece, found)
            if found != wanted:
                return None
            whole = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        table = ipc.open_file(whole.slice(CHECKSUM_BYTES)).read_all()
        about = json.loads(table.schema.metadata[METADATA_KEY])
        stamp, version = str(about["stamp"]), about.get("version")
        usable = stamp == table_stamp(directory, name) or (earlier and isinstance(version, int))
        if not stamp or not usable:
            return None
        return Snapshot(table.replace_schema_metadata(None), str(about["hash"]), stamp, version)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def has_columns(columns: Sequence[str]) -> bool:
    """Whether a snapshot holds these columns."""
    return set(columns) <= set(SNAPSHOT_COLUMNS)
