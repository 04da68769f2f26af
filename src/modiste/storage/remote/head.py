"""The shop.json of a shop on object storage: the commit point.

Files are stored under names that contain the hash of their bytes. Files and versions of tables are never overwritten.
So a reader that has one shop.json has one consistent shop, even while others write.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from modiste.errors import SchemaError, ShopNotFound
from modiste.storage.archive import FileEntry
from modiste.storage.json_files import verify_checksum, with_checksum
from modiste.storage.object_store import ETag, ObjectStore
from modiste.storage.product_store import PRODUCTS_TABLE
from modiste.storage.remote.origin import TableVersion
from modiste.storage.schema_version import check_schema_version

FORMAT_VERSION = 1
MANIFEST_OBJECT = "shop.json"


@dataclass(frozen=True)
class RemoteManifest:
    """The content of shop.json: the shop's own `manifest`, and the table versions and files that belong to it.

    `commit` is unique to each write, so that a writer recognises its own.
    """

    manifest: dict[str, Any]
    tables: dict[str, TableVersion]
    files: dict[str, FileEntry]
    commit: str = field(default_factory=lambda: uuid.uuid4().hex)
    form: int = FORMAT_VERSION

    def to_bytes(self) -> bytes:
        """Encode as JSON with a checksum."""
        return (json.dumps(with_checksum(asdict(self)), indent=1, ensure_ascii=False) + "\n").encode()

    def describes_same_shop(self, other: RemoteManifest) -> bool:
        """Return whether the other differs at most in its `commit`."""
        return asdict(self) | {"commit": ""} == asdict(other) | {"commit": ""}


def object_name(name: str, entry: FileEntry) -> str:
    """Return the name of the object that holds one of the shop's files."""
    return f"files/{name}/{entry.sha256}"


def find_remote_manifest(objects: ObjectStore) -> tuple[RemoteManifest, ETag] | None:
    """Read the shop.json of the shop at a URL, and its tag; None if there is no shop.

    Raises SchemaError if it is damaged, has a newer format, or belongs to a shop that was copied there file by file.
    Raises StorageError if the object store refuses.
    """
    stored = objects.get(MANIFEST_OBJECT)
    if stored is None:
        return None
    data, tag = stored
    source = f"{objects.url}/{MANIFEST_OBJECT}"
    try:
        raw: Any = verify_checksum(json.loads(data))
        if "form" not in raw and "schema" in raw:
            raise SchemaError(
                f"{source} belongs to a shop in a directory that was copied there file by file.",
                remedy="Remove it; `modiste backup` the shop, and `modiste restore FILE --shop URL` from that.",
            )
        check_schema_version(raw["form"], FORMAT_VERSION, source)
        remote = RemoteManifest(
            dict(raw["manifest"]),
            {name: TableVersion(**value) for name, value in raw["tables"].items()},
            {name: FileEntry(**value) for name, value in raw["files"].items()},
            str(raw["commit"]),
        )
        _check_file_entries(remote.files)
        if PRODUCTS_TABLE not in remote.tables:
            raise ValueError("it names no products table")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SchemaError(
            f"{source} cannot be read: {error}.",
            remedy="Restore the shop from a backup: `modiste restore FILE --shop URL`.",
        ) from None
    return remote, tag


def read_remote_manifest(objects: ObjectStore) -> tuple[RemoteManifest, ETag]:
    """Read the shop.json of the shop at a URL, and its tag.

    Raises:
        ShopNotFound: there is no shop.
        SchemaError, StorageError: see `find_remote_manifest`.
    """
    manifest_and_tag = find_remote_manifest(objects)
    if manifest_and_tag is None:
        raise ShopNotFound(
            f"There is no shop at {objects.url}.", remedy=f"Make one with `modiste build SOURCE --shop {objects.url}`."
        )
    return manifest_and_tag


def _check_file_entries(files: Mapping[str, FileEntry]) -> None:
    """Raise ValueError for names that are unsafe as paths, and for malformed hashes."""
    for name, entry in files.items():
        if any(part in ("", ".", "..") for part in name.split("/")) or not name.isprintable():
            raise ValueError(f"{name!r} is not a name of a file inside a shop")
        if len(entry.sha256) != 64 or not set(entry.sha256) <= set("0123456789abcdef"):
            raise ValueError(f"{name!r} has no SHA-256")
