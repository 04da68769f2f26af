"""Whole-shop transfer between object storage and a directory, tables included, for backup and restore."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import BadOption, SchemaError
from modiste.storage.atomic import partial_path, remove_path, remove_stale_partials
from modiste.storage.error_translation import storage_errors
from modiste.storage.locks import write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ObjectStore
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.remote.cache import LocalCache
from modiste.storage.remote.commit import TABLE_MARKER, build_remote_manifest, commit_changes, writer_id
from modiste.storage.remote.head import MANIFEST_OBJECT, RemoteManifest, find_remote_manifest, read_remote_manifest
from modiste.storage.remote.lease import hold_lease
from modiste.storage.remote.origin import STORE_FOLDER, Origin, lance_version

VERSIONS_FOLDER = "/_versions/"
RESTORE_MARKER = "restoring"  # this object exists while a shop is being uploaded


@contextmanager
def downloaded(url: str) -> Generator[Path]:
    """Yield a directory with a complete copy of the shop at a URL as it is now; removed after the block.

    Writers are not blocked, and what they write meanwhile is not in the copy. Raises ShopNotFound or SchemaError if
    there is no shop, or it cannot be read. Raises StorageError if the object store, or the disk, refuses.
    """
    objects = ObjectStore(url)
    remote, _ = read_remote_manifest(objects)
    cache = LocalCache(objects)
    tree = cache.reader_directory(remote, include_training=True)
    with _temporary_directory(cache) as root:
        with storage_errors(f"Writing {root}"):
            for name in [MANIFEST_OBJECT, *remote.files]:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).hardlink_to(tree / name)
        names = [file.name for file in objects.list(STORE_FOLDER) if _is_current(file.name, remote)]
        objects.download([(name, root / name) for name in names])
        store = ProductStore.open(ShopPaths(root).store)
        store.refresh()
        if store.hash() != Manifest.load(root).catalogue.get("hash"):
            raise SchemaError(
                f"The products at {url} are not those that its {MANIFEST_OBJECT} describes.",
                remedy=f"Check the shop: `modiste doctor --shop {url}`.",
            )
        yield root


def _is_current(name: str, remote: RemoteManifest) -> bool:
    """Return whether a table's file belongs to the shop: all do but manifests of versions that were written since."""
    pinned = remote.tables.get(name.split("/")[1].removesuffix(".lance"))
    if pinned is None:
        return False
    version = lance_version(name) if VERSIONS_FOLDER in name else None
    return version is None or version <= pinned.version


def check_url_is_free(url: str) -> None:
    """Raise BadOption if there is a shop at a URL already, or what a killed ingest has left of one."""
    _check_store_is_free(ObjectStore(url))


def _check_store_is_free(objects: ObjectStore) -> None:
    was_interrupted = objects.get(RESTORE_MARKER) is not None  # a killed restore left no shop
    has_tables = not was_interrupted and next(objects.list(STORE_FOLDER), None) is not None
    if find_remote_manifest(objects) is not None or has_tables:
        raise BadOption(
            f"There is something at {objects.url} already.",
            remedy="Restore to a URL below which there is nothing yet, or remove what is there first.",
        )


@contextmanager
def uploaded(url: str) -> Generator[Path]:
    """Yield a directory to put a complete shop into; the end of the block makes it the shop at a URL.

    Raises:
        BadOption: something is there already.
        ShopBusy: another process is writing there.
        StorageError: the object store, or the disk, refuses; no shop is made.
    """
    objects = ObjectStore(url)
    cache = LocalCache(objects)
    with storage_errors(f"Writing {cache.root}"):
        cache.root.mkdir(parents=True, exist_ok=True)
    with write_lock(cache.root), hold_lease(objects, writer_id(cache.root)), _temporary_directory(cache) as root:
        _check_store_is_free(objects)
        yield root
        objects.put(RESTORE_MARKER, b"")
        objects.delete([file.name for file in objects.list(STORE_FOLDER)])
        store = root / STORE_FOLDER
        names = [path.relative_to(root).as_posix() for path in store.rglob("*") if path.is_file()]
        tables = [name for name in sorted(names) if TABLE_MARKER in name]
        # Manifests last: with its manifest, a version exists.
        for is_manifest in (False, True):
            objects.upload([(root / name, name) for name in tables if (VERSIONS_FOLDER in name) == is_manifest])
        Origin(url, False).save(root)
        commit_changes(root, objects, cache, build_remote_manifest(root, objects, None), None)
        objects.delete([RESTORE_MARKER])


@contextmanager
def _temporary_directory(cache: LocalCache) -> Generator[Path]:
    """Yield an empty directory beside the cached copies, and remove it after the block."""
    remove_stale_partials(cache.root / "moving")
    root = partial_path(cache.root / "moving")
    with storage_errors(f"Writing {root}"):
        root.mkdir(parents=True)
    try:
        yield root
    finally:
        remove_path(root)
