"""A whole shop from object storage into a directory, tables and all, and from a directory to object storage."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import BadOption, SchemaError
from modiste.storage.atomic import partial_path, remove_path, remove_stale_partials
from modiste.storage.locks import write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ObjectStore
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.refusals import storage_errors
from modiste.storage.remote.cache import LocalCache
from modiste.storage.remote.commit import (
    TABLE_MARKER,
    build_remote_manifest,
    commit_changes,
    writer_id,
)
from modiste.storage.remote.head import MANIFEST_OBJECT, find_remote_manifest, read_remote_manifest
from modiste.storage.remote.lease import hold_lease
from modiste.storage.remote.origin import STORE_FOLDER, Origin, lance_version

VERSIONS_FOLDER = "/_versions/"
RESTORE_MARKER = "restoring"  # an object that is there while a shop is being put there


@contextmanager
def downloaded(url: str) -> Generator[Path]:
    """A directory with the shop at a URL as it is now, that needs nothing from there; gone after the block.

    Nobody is kept out: what is being written meanwhile is not in it.

    Raises:
        ShopNotFound, SchemaError: there is no shop, or it cannot be read.
        StorageError: the store, or the disk, refuses.
    """
    objects = ObjectStore(url)
    head, _ = read_remote_manifest(objects)
    copies = LocalCache(objects)
    tree = copies.reader_directory(head, include_training=True)
    with _temporary_directory(copies) as root:
        with storage_errors(f"Writing {root}"):
            for name in [MANIFEST_OBJECT, *head.files]:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).hardlink_to(tree / name)
        wanted: list[tuple[str, Path]] = []
        for each in objects.list(STORE_FOLDER):
            table, version = each.name.split("/")[1].removesuffix(".lance"), lance_version(each.name)
            held = head.tables.get(table)
            newer = (
                VERSIONS_FOLDER in each.name
                and version is not None
                and held is not None
                and version > held.version
            )
            if held is not None and not newer:
                wanted.append((each.name, root / each.name))
        objects.download(wanted)
        store = ProductStore.open(ShopPaths(root).store)
        store.refresh()
        if store.hash() != Manifest.load(root).catalogue.get("hash"):
            raise SchemaError(
                f"The products at {url} are not those that its {MANIFEST_OBJECT} names.",
                remedy=f"Look it over: `modiste doctor --shop {url}`.",
            )
        yield root


def check_url_is_free(url: str) -> None:
    """Raise BadOption where there is something at a URL already: a shop, or what a killed ingest has left of one."""
    _check_store_is_free(ObjectStore(url))


def _check_store_is_free(objects: ObjectStore) -> None:
    half = objects.get(RESTORE_MARKER) is not None  # a restore was killed: what it left is nothing yet
    if find_remote_manifest(objects) is not None or (
        not half and next(objects.list(STORE_FOLDER), None) is not None
    ):
        raise BadOption(
            f"There is something at {objects.url} already.",
            remedy="Restore to a URL under which nothing is yet, or remove what is there first.",
        )


@contextmanager
def uploaded(url: str) -> Generator[Path]:
    """A directory to put a whole shop into; at the end of the block it is the shop at a URL.

    Raises:
        BadOption: something is there already.
        ShopBusy: another process is writing there.
        StorageError: the store, or the disk, refuses; there is no shop then.
    """
    objects = ObjectStore(url)
    copies = LocalCache(objects)
    with storage_errors(f"Writing {copies.root}"):
        copies.root.mkdir(parents=True, exist_ok=True)
    with (
        write_lock(copies.root),
        hold_lease(objects, writer_id(copies.root)),
        _temporary_directory(copies) as root,
    ):
        _check_store_is_free(objects)
        yield root
        objects.put(RESTORE_MARKER, b"")
        objects.delete([each.name for each in objects.list(STORE_FOLDER)])
        store = root / STORE_FOLDER
        names = [path.relative_to(root).as_posix() for path in store.rglob("*") if path.is_file()]
        tables = [name for name in sorted(names) if TABLE_MARKER in name]
        # A version is there once its manifest is: last.
        for last in (False, True):
            objects.upload([(root / name, name) for name in tables if (VERSIONS_FOLDER in name) == last])
        Origin(url, False).save(root)
        commit_changes(root, objects, copies, build_remote_manifest(root, objects, None), None)
        objects.delete([RESTORE_MARKER])


@contextmanager
def _temporary_directory(copies: LocalCache) -> Generator[Path]:
    """An empty directory beside the copies, gone after the block."""
    root = partial_path(copies.root / "moving")
    with storage_errors(f"Writing {root}"):
        remove_stale_partials(copies.root / "moving")
        remove_path(root)
        root.mkdir(parents=True)
    try:
        yield root
    finally:
        remove_path(root)
