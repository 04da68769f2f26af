"""A snapshot of the products' words: what most commands ask of a store, in one file that opens without a database.

It is derived, and says which versions of the table it was made from; when the table has another, it is not used.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from modiste.store.origin import origin_of

FILE = "products.snapshot"
SUM = 4  # bytes of the CRC-32 of all that follows it, which stand first
COLUMNS = ("id", "category", "photo_hash", "attributes")
ABOUT = b"modiste:snapshot"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """COLUMNS of all products, and the hash of the store that had them."""

    table: pa.Table
    hash: str


def stamp(directory: Path, name: str) -> str:
    """Names the versions of a table that are on the disk, by what their manifests say; "" where there is none.

    By their numbers alone, a table that was removed and made anew would seem to be the one before. A copy of the
    directory has the same stamp, on object storage too.
    """
    if (origin := origin_of(directory)) is not None:
        return origin.stamp(name)
    try:
        manifests = sorted((directory / f"{name}.lance" / "_versions").glob("*.manifest"))
        told = [path.name.encode() + hashlib.sha256(path.read_bytes()).digest() for path in manifests]
    except OSError:
        return ""
    return hashlib.sha256(b"".join(told)).hexdigest() if told else ""


def to_bytes(table: pa.Table, store_hash: str, stamped: str) -> bytes:
    """A snapshot's file: `table` has COLUMNS."""
    about = json.dumps({"hash": store_hash, "stamp": stamped}).encode()
    held = table.select(list(COLUMNS)).replace_schema_metadata({ABOUT: about})
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, held.schema) as writer:
        writer.write_table(held)
    body = sink.getvalue().to_pybytes()
    return zlib.crc32(body).to_bytes(SUM, "big") + body


def read_snapshot(directory: Path, name: str) -> Snapshot | None:
    """The snapshot in a store's directory; None where there is none of the table as it is now."""
    path = directory / FILE
    try:
        with pa.memory_map(str(path)) as source:
            whole = source.read_buffer()
            body = whole.slice(SUM)
            if zlib.crc32(body) != int.from_bytes(whole[:SUM], "big"):
                return None
            table = ipc.open_file(body).read_all()
        about = json.loads(table.schema.metadata[ABOUT])
        if about["stamp"] != stamp(directory, name) or not about["stamp"]:
            return None
        return Snapshot(table.replace_schema_metadata(None), str(about["hash"]))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def has(columns: Sequence[str]) -> bool:
    """Whether a snapshot holds these columns."""
    return set(columns) <= set(COLUMNS)
