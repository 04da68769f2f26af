"""A whole shop from object storage into a directory, tables and all, and from a directory to object storage."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import BadOption, SchemaError
from modiste.storage.atomic import clear_partials, partial_of, remove
from modiste.storage.locks import one_writer
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import Objects
from modiste.storage.paths import ShopFiles
from modiste.storage.product_store import ProductStore
from modiste.storage.refusals import disk_errors
from modiste.storage.remote.cache import Copies
from modiste.storage.remote.commit import (
    TABLE,
    commit,
    gathered,
    holder,
)
from modiste.storage.remote.head import NAME, read_head, the_head
from modiste.storage.remote.lease import leased
from modiste.storage.remote.origin import STORE, Origin, version_of

VERSIONS = "/_versions/"
MARK = "restoring"  # an object that is there while a shop is being put there


@contextmanager
def brought_here(url: str) -> Generator[Path]:
    """A directory with the shop at a URL as it is now, that needs nothing from there; gone after the block.

    Nobody is kept out: what is being written meanwhile is not in it.

    Raises:
        ShopNotFound, SchemaError: there is no shop, or it cannot be read.
        StorageError: the store, or the disk, refuses.
    """
    objects = Objects(url)
    head, _ = the_head(objects)
    copies = Copies(objects)
    tree = copies.tree(head, whole=True)
    with _aside(copies) as root:
        with disk_errors(f"Writing {root}"):
            for name in [NAME, *head.files]:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).hardlink_to(tree / name)
        wanted: list[tuple[str, Path]] = []
        for each in objects.list(STORE):
            table, version = each.name.split("/")[1].removesuffix(".lance"), version_of(each.name)
            held = head.tables.get(table)
            newer = (
                VERSIONS in each.name and version is not None and held is not None and version > held.version
            )
            if held is not None and not newer:
                wanted.append((each.name, root / each.name))
        objects.download(wanted)
        store = ProductStore.open(ShopFiles(root).store)
        store.refresh()
        if store.hash() != Manifest.load(root).catalogue.get("hash"):
            raise SchemaError(
                f"The products at {url} are not those that its {NAME} names.",
                remedy=f"Look it over: `modiste doctor --shop {url}`.",
            )
        yield root


def check_free(url: str) -> None:
    """Raise BadOption where there is something at a URL already: a shop, or what a killed ingest has left of one."""
    _check_free(Objects(url))


def _check_free(objects: Objects) -> None:
    half = objects.get(MARK) is not None  # a restore was killed: what it left is nothing yet
    if read_head(objects) is not None or (not half and next(objects.list(STORE), None) is not None):
        raise BadOption(
            f"There is something at {objects.url} already.",
            remedy="Restore to a URL under which nothing is yet, or remove what is there first.",
        )


@contextmanager
def taken_there(url: str) -> Generator[Path]:
    """A directory to put a whole shop into; at the end of the block it is the shop at a URL.

    Raises:
        BadOption: something is there already.
        ShopBusy: another process is writing there.
        StorageError: the store, or the disk, refuses; there is no shop then.
    """
    objects = Objects(url)
    copies = Copies(objects)
    with disk_errors(f"Writing {copies.root}"):
        copies.root.mkdir(parents=True, exist_ok=True)
    with one_writer(copies.root), leased(objects, holder(copies.root)), _aside(copies) as root:
        _check_free(objects)
        yield root
        objects.put(MARK, b"")
        objects.delete([each.name for each in objects.list(STORE)])
        store = root / STORE
        names = [path.relative_to(root).as_posix() for path in store.rglob("*") if path.is_file()]
        tables = [name for name in sorted(names) if TABLE in name]
        # A version is there once its manifest is: last.
        for last in (False, True):
            objects.upload([(root / name, name) for name in tables if (VERSIONS in name) == last])
        Origin(url, False).save(root)
        commit(root, objects, copies, gathered(root, objects, None), None)
        objects.delete([MARK])


@contextmanager
def _aside(copies: Copies) -> Generator[Path]:
    """An empty directory beside the copies, gone after the block."""
    root = partial_of(copies.root / "moving")
    with disk_errors(f"Writing {root}"):
        clear_partials(copies.root / "moving")
        remove(root)
        root.mkdir(parents=True)
    try:
        yield root
    finally:
        remove(root)
