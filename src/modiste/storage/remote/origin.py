"""Origin: what makes a directory the copy of a shop on object storage, where the tables stay.

The copy of a reader names the versions of the tables that its files go with, and its store stays at those. The copy of
a writer names them too, but works on the newest: they are what readers elsewhere still have.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from modiste.errors import SchemaError

ORIGIN_FILE = ".origin"
STORE_FOLDER = "store"  # the folder of the tables, here and there
MAX_LANCE_VERSION = (
    2**64 - 1
)  # Lance numbers the files of versions backwards, so that the newest is listed first
_LANCE_MANIFEST = re.compile(r"(\d+)\.manifest")


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A version of a table, and the stamp (see `snapshot`) that it had as the newest."""

    version: int
    stamp: str


@dataclass(frozen=True)
class Origin:
    """The shop at `url`, and `tables`, the versions that its shop.json names; `pinned` for a reader."""

    url: str
    pinned: bool
    tables: dict[str, TableVersion] = field(default_factory=dict[str, TableVersion])

    def save(self, root: Path) -> None:
        """Make `root` a copy of this shop, for whoever looks there meanwhile too. Raises OSError."""
        partial = root / f"{ORIGIN_FILE}.{uuid.uuid4().hex}.partial"
        partial.write_text(json.dumps(asdict(self), sort_keys=True))
        partial.replace(root / ORIGIN_FILE)

    @property
    def store_url(self) -> str:
        """The URL of the tables."""
        return f"{self.url}/{STORE_FOLDER}"

    def table_version(self, table: str) -> int | None:
        """The version of a table that readers have; None where they have none."""
        held = self.tables.get(table)
        return None if held is None else held.version

    def table_stamp(self, table: str) -> str:
        """Names the versions of a table that are there; "" where there is none. A reader's is not asked for anew."""
        if self.pinned:
            held = self.tables.get(table)
            return "" if held is None else held.stamp
        return remote_table_stamp(self.url, table)


def read_origin(store: Path) -> Origin | None:
    """Where the tables of the store in a directory are, if they are elsewhere. Raises SchemaError."""
    try:
        text = (store.parent / ORIGIN_FILE).read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        raw: Any = json.loads(text)
        tables = {name: TableVersion(**each) for name, each in raw["tables"].items()}
        return Origin(raw["url"], raw["pinned"], tables)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SchemaError(
            f"{store.parent / ORIGIN_FILE} is damaged.",
            remedy="Remove the directory: it is a copy, and fetched again.",
        ) from None


def remote_table_stamp(url: str, table: str) -> str:
    """What `snapshot.stamp` says of a copy of the table's directory: no copying makes what is derived from it stale."""
    from modiste.storage.object_store import ObjectStore

    objects = ObjectStore(url)
    under = f"{STORE_FOLDER}/{table}.lance/_versions"
    manifests = sorted(
        (each.name, each.e_tag) for each in objects.list(under) if each.name.endswith(".manifest")
    )
    told = [name.rpartition("/")[2].encode() + _object_digest(url, name, e_tag) for name, e_tag in manifests]
    return hashlib.sha256(b"".join(told)).hexdigest() if told else ""


@lru_cache(4096)
def _object_digest(url: str, name: str, e_tag: str) -> bytes:  # noqa: ARG001  # by which it is remembered
    """The hash of an object's bytes, asked for once."""
    from modiste.storage.object_store import ObjectStore

    found = ObjectStore(url).get(name)
    return b"" if found is None else hashlib.sha256(found[0]).digest()


def lance_version(manifest: str) -> int | None:
    """The version that a manifest's file has, by its name; None where that is no manifest of a version."""
    found = _LANCE_MANIFEST.fullmatch(manifest.rpartition("/")[2])
    if found is None:
        return None
    number = int(found[1])
    return MAX_LANCE_VERSION - number if number > MAX_LANCE_VERSION // 2 else number
