"""The shop.json of a shop on object storage: the one object by which everything else becomes the shop's.

Files lie there under names that have the hash of their bytes in them, and are never written over; a table's version is
never written over either. So whoever has read one shop.json has all of one shop, whatever is written meanwhile.
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
    """What a shop.json says: the shop's own `manifest`, and the versions of tables and the files that go with it.

    `commit` is another for each that is written, so that a writer knows its own.
    """

    manifest: dict[str, Any]
    tables: dict[str, TableVersion]
    files: dict[str, FileEntry]
    commit: str = field(default_factory=lambda: uuid.uuid4().hex)
    form: int = FORMAT_VERSION

    def to_bytes(self) -> bytes:
        """As JSON, sealed."""
        return (json.dumps(with_checksum(asdict(self)), indent=1, ensure_ascii=False) + "\n").encode()

    def describes_same_shop(self, other: RemoteManifest) -> bool:
        """Whether another is of the very same shop."""
        return asdict(self) | {"commit": ""} == asdict(other) | {"commit": ""}


def object_name(name: str, held: FileEntry) -> str:
    """The object that has the bytes of one of the shop's files."""
    return f"files/{name}/{held.sha256}"


def find_remote_manifest(objects: ObjectStore) -> tuple[RemoteManifest, ETag] | None:
    """The shop.json of the shop at a URL, and its tag; None where there is no shop.

    Raises:
        SchemaError: it is damaged, of a newer form, or of a shop that was copied there file by file.
        StorageError: the store refuses.
    """
    found = objects.get(MANIFEST_OBJECT)
    if found is None:
        return None
    where = f"{objects.url}/{MANIFEST_OBJECT}"
    try:
        raw: Any = verify_checksum(json.loads(found[0]))
        if "form" not in raw and "schema" in raw:
            raise SchemaError(
                f"{where} is that of a shop in a directory, which was copied there.",
                remedy="Remove it; `modiste backup` the shop, and `modiste restore FILE --shop URL` from that.",
            )
        check_schema_version(raw["form"], FORMAT_VERSION, where)
        head = RemoteManifest(
            dict(raw["manifest"]),
            {name: TableVersion(**each) for name, each in raw["tables"].items()},
            {name: FileEntry(**each) for name, each in raw["files"].items()},
            str(raw["commit"]),
        )
        _check_file_entries(head.files)
        if PRODUCTS_TABLE not in head.tables:
            raise ValueError("it names no products")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SchemaError(
            f"{where} cannot be read: {error}.",
            remedy="Restore the shop from a backup: `modiste restore FILE --shop URL`.",
        ) from None
    return head, found[1]


def read_remote_manifest(objects: ObjectStore) -> tuple[RemoteManifest, ETag]:
    """The same; raises ShopNotFound where there is no shop."""
    found = find_remote_manifest(objects)
    if found is None:
        raise ShopNotFound(
            f"There is no shop at {objects.url}.",
            remedy=f"Make one with `modiste build SOURCE --shop {objects.url}`.",
        )
    return found


def _check_file_entries(files: Mapping[str, FileEntry]) -> None:
    """Names come from elsewhere, and become paths here. Raises ValueError."""
    for name, held in files.items():
        if any(part in ("", ".", "..") for part in name.split("/")) or not name.isprintable():
            raise ValueError(f"{name!r} is no name of a file inside a shop")
        if len(held.sha256) != 64 or not set(held.sha256) <= set("0123456789abcdef"):
            raise ValueError(f"{name!r} has no hash")
