"""A shop on object storage, read and written through a copy: everything changes at once, with its shop.json, or not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modiste.errors import ShopBusy, StorageError
from modiste.storage.archive import FileEntry
from modiste.storage.database import Database
from modiste.storage.json_files import verify_checksum
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ETag, ObjectStore
from modiste.storage.paths import ShopPaths, backup_files
from modiste.storage.product_store import PRODUCTS_TABLE, ProductStore, catalogue_summary
from modiste.storage.refusals import storage_errors
from modiste.storage.remote.cache import LocalCache, file_sha256
from modiste.storage.remote.head import (
    MANIFEST_OBJECT,
    RemoteManifest,
    find_remote_manifest,
    object_name,
    read_remote_manifest,
)
from modiste.storage.remote.lease import hold_lease
from modiste.storage.remote.origin import TableVersion, remote_table_stamp

ORPHAN_RETENTION = timedelta(
    days=1
)  # for how long an object that no shop.json names is left: somebody may be about to
PROBE_OBJECT = "conditions"  # an object to try them on, where a shop is made
WRITER_ID_FILE = "writer"
TABLE_MARKER = ".lance/"  # in the name of whatever is a table's


def read_shop_manifest(url: str) -> Manifest:
    """What the shop at a URL says of itself. Raises ShopNotFound, SchemaError, StorageError."""
    head, _ = read_remote_manifest(ObjectStore(url))
    return Manifest.from_dict(verify_checksum(head.manifest), source=f"{url}/{MANIFEST_OBJECT}")


def remote_read_path(url: str, *, include_training: bool = False) -> Path:
    """A directory with the shop at a URL as it is now, and as it stays there: a writer elsewhere makes another.

    Raises:
        ShopNotFound: there is no shop.
        SchemaError: its shop.json is damaged, or of a newer Modiste.
        StorageError: the store, or the disk under the copies, refuses.
    """
    objects = ObjectStore(url)
    copies = LocalCache(objects)
    head, _ = read_remote_manifest(objects)
    while True:
        try:
            return copies.reader_directory(head, include_training=include_training)
        except StorageError:
            # While we were fetching, writers may have replaced the shop twice, and swept what we wanted.
            before, (head, _) = head, read_remote_manifest(objects)
            if head.commit == before.commit:
                raise


@contextmanager
def remote_write_path(url: str, *, create: bool = False) -> Generator[Path]:
    """A directory to write to the shop at a URL through; at the end of the block all that is in it becomes the shop.

    Where the block raises, the shop is as it was. `anew` makes a shop where there is none.

    Raises:
        ShopNotFound: there is none.
        ShopBusy: another process writes to it, or, at the end, has written to it: nothing of ours was taken over.
        StorageError: the store, or the disk under the copies, refuses.
    """
    objects = ObjectStore(url)
    copies = LocalCache(objects)
    if not create:
        read_remote_manifest(objects)
    with _local_write_lock(copies, url), hold_lease(objects, writer_id(copies.root)):
        found = find_remote_manifest(objects) if create else read_remote_manifest(objects)
        root = copies.writer_directory(None if found is None else found[0])
        before = None if found is None else _adopt_interrupted_writes(root, found[0])
        yield root
        commit_changes(root, objects, copies, build_remote_manifest(root, objects, before), found)


@contextmanager
def _local_write_lock(copies: LocalCache, url: str) -> Generator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(shop_write_lock(copies.work))
        except ShopBusy as error:
            raise ShopBusy(
                f"Another process on this machine is writing to {url}.", remedy=error.remedy
            ) from None
        yield


def writer_id(root: Path) -> str:
    """Names a writer's directory, whichever process works in it."""
    path = root / WRITER_ID_FILE
    with storage_errors(f"Writing {path}"):
        if not path.is_file():
            path.write_text(uuid.uuid4().hex)
        return path.read_text()


def _adopt_interrupted_writes(root: Path, head: RemoteManifest) -> int:
    """Let the manifest say what a writer that was killed has left in the tables. Returns the products' version."""
    store = ProductStore.open(ShopPaths(root).store)
    store.refresh()
    if store.version != head.tables[PRODUCTS_TABLE].version:
        manifest = Manifest.load(root)
        manifest.with_changes(catalogue=manifest.catalogue | catalogue_summary(store)).save(root)
    return store.version


def build_remote_manifest(root: Path, objects: ObjectStore, before: int | None) -> RemoteManifest:
    """The shop.json that goes with what is in the writer's directory, and in the tables. Raises ShopBusy."""
    files, manifest = ShopPaths(root), Manifest.load(root)
    store = ProductStore.open(files.store)
    store.refresh()
    if store.version != before and store.hash() != manifest.catalogue.get("hash"):
        raise _conflict_error(objects.url)
    database = Database(files.store)
    tables = {
        name: TableVersion(database.table_version(name), remote_table_stamp(objects.url, name))
        for name in database.table_names()
    }
    names = [
        name for name in sorted(backup_files(files)) if name != MANIFEST_OBJECT and TABLE_MARKER not in name
    ]
    with storage_errors(f"Reading {root}"):
        held = {name: FileEntry((root / name).stat().st_size, file_sha256(root / name)) for name in names}
        return RemoteManifest(json.loads(files.manifest.read_text(encoding="utf-8")), tables, held)


def commit_changes(
    root: Path,
    objects: ObjectStore,
    copies: LocalCache,
    made: RemoteManifest,
    found: tuple[RemoteManifest, ETag] | None,
) -> None:
    """Make what is in a writer's directory the shop, in the place of what was `found` before it.

    Raises:
        ShopBusy: something else is there by now; it stays.
        StorageError: the store refuses; what was found stays.
    """
    head, tag = (None, None) if found is None else found
    if head is not None and made.describes_same_shop(head):
        return
    if head is None:
        _check_conditional_writes(objects)
    known = {} if head is None else head.files
    new = [(name, held) for name, held in made.files.items() if known.get(name) != held]
    objects.upload([(root / name, object_name(name, held)) for name, held in new])
    for name, held in new:
        copies.add_file(root / name, held)
    if objects.conditional_put(MANIFEST_OBJECT, made.to_bytes(), tag) is None:
        raise _conflict_error(objects.url)
    _delete_orphans(objects, made, head)


def _check_conditional_writes(objects: ObjectStore) -> None:
    """Raise StorageError for a store that writes whatever the conditions are: it would let writers undo each other."""
    objects.delete([PROBE_OBJECT])
    first = objects.conditional_put(PROBE_OBJECT, uuid.uuid4().bytes, None)
    kept = first is not None and objects.conditional_put(PROBE_OBJECT, uuid.uuid4().bytes, None) is None
    moved = None if first is None else objects.conditional_put(PROBE_OBJECT, uuid.uuid4().bytes, first)
    kept = (
        kept
        and moved is not None
        and objects.conditional_put(PROBE_OBJECT, uuid.uuid4().bytes, first) is None
    )
    objects.delete([PROBE_OBJECT])
    if not kept:
        raise StorageError(
            f"The store of {objects.url} does not keep the conditions of a write (If-None-Match, If-Match).",
            remedy="Two writers could undo each other there. Use a store that has conditional writes, or a directory.",
        )


def _delete_orphans(objects: ObjectStore, made: RemoteManifest, head: RemoteManifest | None) -> None:
    """Remove files that neither this shop.json names nor the one before, and nobody is about to name."""
    heads = [made] if head is None else [made, head]
    named = {object_name(name, held) for each in heads for name, held in each.files.items()}
    before = datetime.now(UTC) - ORPHAN_RETENTION
    objects.delete(
        each.name for each in objects.list("files") if each.name not in named and each.last_modified < before
    )


def _conflict_error(url: str) -> ShopBusy:
    return ShopBusy(
        f"Another process has written to {url} meanwhile; of this one nothing was taken over.",
        remedy="Run the same command again: it goes on from what is there now.",
    )
