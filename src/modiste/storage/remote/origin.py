"""The origin of a cached copy: the shop on object storage that it belongs to, and where the tables stay.

A reader's copy names the versions of the tables that its files belong to, and reads those. A writer's copy names them,
too, because readers elsewhere still use them, but works on the newest.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from modiste.errors import SchemaError
from modiste.storage.atomic import write_file

ORIGIN_FILE = ".origin"
STORE_FOLDER = "store"  # the folder of the tables, in a directory and at a URL
# Lance numbers its manifest files backwards from this, so that a listing has the newest first.
MAX_LANCE_VERSION = 2**64 - 1
_LANCE_MANIFEST = re.compile(r"(\d+)\.manifest")


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A version of a table, and the stamp (see `snapshot`) that it had when it was the newest."""

    version: int
    stamp: str


@dataclass(frozen=True)
class Origin:
    """The shop at `url`, and `tables`, the versions that its shop.json names; `pinned` for a reader."""

    url: str
    pinned: bool
    tables: dict[str, TableVersion] = field(default_factory=dict[str, TableVersion])

    def save(self, root: Path) -> None:
        """Make `root` a copy of this shop. Raises StorageError."""
        write_file(root / ORIGIN_FILE, json.dumps(asdict(self), sort_keys=True).encode(), durable=False)

    @property
    def store_url(self) -> str:
        """The URL of the tables."""
        return f"{self.url}/{STORE_FOLDER}"

    def table_version(self, table: str) -> int | None:
        """Return the version of a table that readers use; None if there is no such table."""
        version = self.tables.get(table)
        return None if version is None else version.version

    def table_stamp(self, table: str) -> str:
        """Return the stamp of a table, for a reader without a request; "" if there is no such table."""
        if self.pinned:
            version = self.tables.get(table)
            return "" if version is None else version.stamp
        return remote_table_stamp(self.url, table)


def read_origin(store: Path) -> Origin | None:
    """Return the origin of the store in a directory; None if its tables are in that directory. Raises SchemaError."""
    path = store.parent / ORIGIN_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        raw: Any = json.loads(text)
        tables = {name: TableVersion(**value) for name, value in raw["tables"].items()}
        return Origin(raw["url"], raw["pinned"], tables)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SchemaError(
            f"{path} is damaged.", remedy="Remove its directory: it is a cached copy and will be downloaded again."
        ) from None


def remote_table_stamp(url: str, table: str) -> str:
    """Return the stamp of a table on object storage: that of `snapshot.table_stamp` for a copy in a directory.

    So copying a shop does not make derived files stale.
    """
    from modiste.storage.object_store import ObjectStore

    objects = ObjectStore(url)
    folder = f"{STORE_FOLDER}/{table}.lance/_versions"
    manifests = sorted((file.name, file.e_tag) for file in objects.list(folder) if file.name.endswith(".manifest"))
    parts = [name.rpartition("/")[2].encode() + _object_digest(url, name, e_tag) for name, e_tag in manifests]
    return hashlib.sha256(b"".join(parts)).hexdigest() if parts else ""


@lru_cache(4096)
def _object_digest(url: str, name: str, e_tag: str) -> bytes:  # noqa: ARG001  # part of the cache's key
    """Return the SHA-256 of an object's bytes, downloaded once."""
    from modiste.storage.object_store import ObjectStore

    stored = ObjectStore(url).get(name)
    return b"" if stored is None else hashlib.sha256(stored[0]).digest()


def lance_version(path: str) -> int | None:
    """Return the version that a manifest file's name stands for; None for the name of another file."""
    match = _LANCE_MANIFEST.fullmatch(path.rpartition("/")[2])
    if match is None:
        return None
    number = int(match[1])
    return MAX_LANCE_VERSION - number if number > MAX_LANCE_VERSION // 2 else number
