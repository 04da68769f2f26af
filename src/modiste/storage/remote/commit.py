"""Reading and writing a shop on object storage, through a cached copy.

A write replaces shop.json with a compare-and-swap, so all changes become visible at once, or none.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modiste.errors import ShopBusy, StorageError
from modiste.storage.archive import FileEntry
from modiste.storage.checksums import file_sha256
from modiste.storage.database import Database
from modiste.storage.error_translation import storage_errors
from modiste.storage.json_files import verify_checksum
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ETag, ObjectStore
from modiste.storage.paths import ShopPaths, backup_files
from modiste.storage.product_store import PRODUCTS_TABLE, ProductStore, catalogue_summary
from modiste.storage.remote.cache import LocalCache
from modiste.storage.remote.head import (
    MANIFEST_OBJECT,
    RemoteManifest,
    find_remote_manifest,
    object_name,
    read_remote_manifest,
)
from modiste.storage.remote.lease import hold_lease
from modiste.storage.remote.origin import TableVersion, remote_table_stamp

# An object that no shop.json names is kept for this long: a writer may be about to name it.
ORPHAN_RETENTION = timedelta(days=1)
PROBE_OBJECT = "conditions"  # an object to test conditional writes with, before a shop is created
WRITER_ID_FILE = "writer"
TABLE_MARKER = ".lance/"  # part of the name of every file of a table


def read_shop_manifest(url: str) -> Manifest:
    """Read the manifest of the shop at a URL. Raises ShopNotFound, SchemaError, StorageError."""
    remote, _ = read_remote_manifest(ObjectStore(url))
    return Manifest.from_dict(verify_checksum(remote.manifest), source=f"{url}/{MANIFEST_OBJECT}")


def remote_read_path(url: str, *, include_training: bool = False) -> Path:
    """Return a directory with the shop at a URL as it is now. It stays as it is when another process writes.

    Raises:
        ShopNotFound: there is no shop.
        SchemaError: its shop.json is damaged, or written by a newer version of Modiste.
        StorageError: the object store, or the disk under the cache, refuses.
    """
    objects = ObjectStore(url)
    cache = LocalCache(objects)
    remote, _ = read_remote_manifest(objects)
    while True:
        try:
            return cache.reader_directory(remote, include_training=include_training)
        except StorageError:
            # Writers may have replaced the shop twice during the download, and deleted our version's files.
            previous, (remote, _) = remote, read_remote_manifest(objects)
            if remote.commit == previous.commit:
                raise


@contextmanager
def remote_write_path(url: str, *, create: bool = False) -> Generator[Path]:
    """Yield a directory to write the shop at a URL through; the end of the block commits what is in it.

    If the block raises, the shop is unchanged. With `create`, a shop is made if there is none.

    Raises:
        ShopNotFound: there is no shop, and `create` is False.
        ShopBusy: another process is writing to the shop, or has written to it during the block; nothing is committed.
        StorageError: the object store, or the disk under the cache, refuses.
    """
    objects = ObjectStore(url)
    cache = LocalCache(objects)
    if not create:
        read_remote_manifest(objects)
    with _local_write_lock(cache, url), hold_lease(objects, writer_id(cache.root)):
        current = find_remote_manifest(objects) if create else read_remote_manifest(objects)
        root = cache.writer_directory(None if current is None else current[0])
        version = None if current is None else _adopt_interrupted_writes(root, current[0])
        yield root
        commit_changes(root, objects, cache, build_remote_manifest(root, objects, version), current)


@contextmanager
def _local_write_lock(cache: LocalCache, url: str) -> Generator[None]:
    with ExitStack() as locks:
        try:
            locks.enter_context(shop_write_lock(cache.work))
        except ShopBusy as error:
            raise ShopBusy(f"Another process on this machine is writing to {url}.", remedy=error.remedy) from None
        yield


def writer_id(root: Path) -> str:
    """Return the id of a writer's directory, the same for every process that works in it."""
    path = root / WRITER_ID_FILE
    with storage_errors(f"Writing {path}"):
        if not path.is_file():
            path.write_text(uuid.uuid4().hex)
        return path.read_text()


def _adopt_interrupted_writes(root: Path, remote: RemoteManifest) -> int:
    """Update the manifest with what a killed writer left in the tables; return the version of the products table."""
    store = ProductStore.open(ShopPaths(root).store)
    store.refresh()
    if store.version != remote.tables[PRODUCTS_TABLE].version:
        manifest = Manifest.load(root)
        manifest.with_changes(catalogue=manifest.catalogue | catalogue_summary(store)).save(root)
    return store.version


def build_remote_manifest(root: Path, objects: ObjectStore, version: int | None) -> RemoteManifest:
    """Return the shop.json for the files in the writer's directory `root` and for the tables.

    `version` is that of the products table before the write. Raises ShopBusy if another process has changed the
    products.
    """
    paths, manifest = ShopPaths(root), Manifest.load(root)
    store = ProductStore.open(paths.store)
    store.refresh()
    if store.version != version and store.hash() != manifest.catalogue.get("hash"):
        raise _conflict_error(objects.url)
    database = Database(paths.store)
    tables = {
        name: TableVersion(database.table_version(name), remote_table_stamp(objects.url, name))
        for name in database.table_names()
    }
    names = [name for name in sorted(backup_files(paths)) if name != MANIFEST_OBJECT and TABLE_MARKER not in name]
    with storage_errors(f"Reading {root}"):
        entries = {name: FileEntry((root / name).stat().st_size, file_sha256(root / name)) for name in names}
        return RemoteManifest(json.loads(paths.manifest.read_text(encoding="utf-8")), tables, entries)


def commit_changes(
    root: Path,
    objects: ObjectStore,
    cache: LocalCache,
    remote: RemoteManifest,
    current: tuple[RemoteManifest, ETag] | None,
) -> None:
    """Upload new files from the writer's directory `root`, then replace the shop's shop.json by `remote`.

    `current` is the shop.json that it replaces, and its tag; None for a new shop. Raises ShopBusy if another process
    has written a shop.json meanwhile; that one stays. Raises StorageError if the object store refuses; the shop is
    unchanged.
    """
    previous, tag = (None, None) if current is None else current
    if previous is not None and remote.describes_same_shop(previous):
        return
    if previous is None:
        _check_conditional_writes(objects)
    known = {} if previous is None else previous.files
    new = [(name, entry) for name, entry in remote.files.items() if known.get(name) != entry]
    objects.upload([(root / name, object_name(name, entry)) for name, entry in new])
    for name, entry in new:
        cache.add_file(root / name, entry)
    if objects.conditional_put(MANIFEST_OBJECT, remote.to_bytes(), tag) is None:
        raise _conflict_error(objects.url)
    _delete_orphans(objects, remote, previous)


def _check_conditional_writes(objects: ObjectStore) -> None:
    """Raise StorageError for a store that ignores conditions: there, writers could overwrite each other."""

    def write(tag: ETag | None) -> ETag | None:
        return objects.conditional_put(PROBE_OBJECT, uuid.uuid4().bytes, tag)

    objects.delete([PROBE_OBJECT])
    first = write(None)
    supported = first is not None and write(None) is None and write(first) is not None and write(first) is None
    objects.delete([PROBE_OBJECT])
    if not supported:
        raise StorageError(
            f"The store of {objects.url} ignores conditions on a write (If-None-Match, If-Match).",
            remedy="Two writers could overwrite each other there. Use a store with conditional writes, or a directory.",
        )


def _delete_orphans(objects: ObjectStore, remote: RemoteManifest, previous: RemoteManifest | None) -> None:
    """Delete old files that neither the new nor the previous shop.json names."""
    manifests = [remote] if previous is None else [remote, previous]
    named = {object_name(name, entry) for manifest in manifests for name, entry in manifest.files.items()}
    cutoff = datetime.now(UTC) - ORPHAN_RETENTION
    objects.delete(
        file.name for file in objects.list("files") if file.name not in named and file.last_modified < cutoff
    )


def _conflict_error(url: str) -> ShopBusy:
    return ShopBusy(
        f"Another process has written to {url} in the meantime; nothing of this run was committed.",
        remedy="Run the same command again: it continues from the shop as it is now.",
    )
