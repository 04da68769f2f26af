"""A shop on object storage, read and written through a copy: everything changes at once, with its shop.json, or not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modiste.errors import ShopBusy, StorageError
from modiste.storage.archive import Held
from modiste.storage.database import Database
from modiste.storage.json_files import unsealed
from modiste.storage.locks import writing
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import Objects, Tag
from modiste.storage.paths import ShopFiles, kept
from modiste.storage.product_store import PRODUCTS, ProductStore, described
from modiste.storage.refusals import disk_errors
from modiste.storage.remote.cache import Copies, digest
from modiste.storage.remote.head import (
    NAME,
    Head,
    object_of,
    read_head,
    the_head,
)
from modiste.storage.remote.lease import leased
from modiste.storage.remote.origin import Pinned, stamp_of

KEEP = timedelta(days=1)  # for how long an object that no shop.json names is left: somebody may be about to
PROBE = "conditions"  # an object to try them on, where a shop is made
HOLDER = "writer"
TABLE = ".lance/"  # in the name of whatever is a table's


def manifest_at(url: str) -> Manifest:
    """What the shop at a URL says of itself. Raises ShopNotFound, SchemaError, StorageError."""
    head, _ = the_head(Objects(url))
    return Manifest.from_dict(unsealed(head.manifest), where=f"{url}/{NAME}")


def read_at(url: str, *, whole: bool = False) -> Path:
    """A directory with the shop at a URL as it is now, and as it stays there: a writer elsewhere makes another.

    Raises:
        ShopNotFound: there is no shop.
        SchemaError: its shop.json is damaged, or of a newer Modiste.
        StorageError: the store, or the disk under the copies, refuses.
    """
    objects = Objects(url)
    copies = Copies(objects)
    head, _ = the_head(objects)
    while True:
        try:
            return copies.tree(head, whole=whole)
        except StorageError:
            # While we were fetching, writers may have replaced the shop twice, and swept what we wanted.
            before, (head, _) = head, the_head(objects)
            if head.commit == before.commit:
                raise


@contextmanager
def write_at(url: str, *, anew: bool = False) -> Generator[Path]:
    """A directory to write to the shop at a URL through; at the end of the block all that is in it becomes the shop.

    Where the block raises, the shop is as it was. `anew` makes a shop where there is none.

    Raises:
        ShopNotFound: there is none.
        ShopBusy: another process writes to it, or, at the end, has written to it: nothing of ours was taken over.
        StorageError: the store, or the disk under the copies, refuses.
    """
    objects = Objects(url)
    copies = Copies(objects)
    if not anew:
        the_head(objects)
    with _alone_here(copies, url), leased(objects, holder(copies.root)):
        found = read_head(objects) if anew else the_head(objects)
        root = copies.refresh_work(None if found is None else found[0])
        before = None if found is None else _take_up(root, found[0])
        yield root
        commit(root, objects, copies, gathered(root, objects, before), found)


@contextmanager
def _alone_here(copies: Copies, url: str) -> Generator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(writing(copies.work))
        except ShopBusy as error:
            raise ShopBusy(
                f"Another process on this machine is writing to {url}.", remedy=error.remedy
            ) from None
        yield


def holder(root: Path) -> str:
    """Names a writer's directory, whichever process works in it."""
    path = root / HOLDER
    with disk_errors(f"Writing {path}"):
        if not path.is_file():
            path.write_text(uuid.uuid4().hex)
        return path.read_text()


def _take_up(root: Path, head: Head) -> int:
    """Let the manifest say what a writer that was killed has left in the tables. Returns the products' version."""
    store = ProductStore.open(ShopFiles(root).store)
    store.refresh()
    if store.version != head.tables[PRODUCTS].version:
        manifest = Manifest.load(root)
        manifest.with_(catalogue=manifest.catalogue | described(store)).save(root)
    return store.version


def gathered(root: Path, objects: Objects, before: int | None) -> Head:
    """The shop.json that goes with what is in the writer's directory, and in the tables. Raises ShopBusy."""
    files, manifest = ShopFiles(root), Manifest.load(root)
    store = ProductStore.open(files.store)
    store.refresh()
    if store.version != before and store.hash() != manifest.catalogue.get("hash"):
        raise _overtaken(objects.url)
    database = Database(files.store)
    tables = {name: Pinned(database.version(name), stamp_of(objects.url, name)) for name in database.names()}
    names = [name for name in sorted(kept(files)) if name != NAME and TABLE not in name]
    with disk_errors(f"Reading {root}"):
        held = {name: Held((root / name).stat().st_size, digest(root / name)) for name in names}
        return Head(json.loads(files.manifest.read_text(encoding="utf-8")), tables, held)


def commit(root: Path, objects: Objects, copies: Copies, made: Head, found: tuple[Head, Tag] | None) -> None:
    """Make what is in a writer's directory the shop, in the place of what was `found` before it.

    Raises:
        ShopBusy: something else is there by now; it stays.
        StorageError: the store refuses; what was found stays.
    """
    head, tag = (None, None) if found is None else found
    if head is not None and made.says_the_same(head):
        return
    if head is None:
        _check_conditions(objects)
    known = {} if head is None else head.files
    new = [(name, held) for name, held in made.files.items() if known.get(name) != held]
    objects.upload([(root / name, object_of(name, held)) for name, held in new])
    for name, held in new:
        copies.adopt(root / name, held)
    if objects.put_if(NAME, made.to_bytes(), tag) is None:
        raise _overtaken(objects.url)
    _sweep(objects, made, head)


def _check_conditions(objects: Objects) -> None:
    """Raise StorageError for a store that writes whatever the conditions are: it would let writers undo each other."""
    objects.delete([PROBE])
    first = objects.put_if(PROBE, uuid.uuid4().bytes, None)
    kept = first is not None and objects.put_if(PROBE, uuid.uuid4().bytes, None) is None
    moved = None if first is None else objects.put_if(PROBE, uuid.uuid4().bytes, first)
    kept = kept and moved is not None and objects.put_if(PROBE, uuid.uuid4().bytes, first) is None
    objects.delete([PROBE])
    if not kept:
        raise StorageError(
            f"The store of {objects.url} does not keep the conditions of a write (If-None-Match, If-Match).",
            remedy="Two writers could undo each other there. Use a store that has conditional writes, or a directory.",
        )


def _sweep(objects: Objects, made: Head, head: Head | None) -> None:
    """Remove files that neither this shop.json names nor the one before, and nobody is about to name."""
    heads = [made] if head is None else [made, head]
    named = {object_of(name, held) for each in heads for name, held in each.files.items()}
    before = datetime.now(UTC) - KEEP
    objects.delete(
        each.name for each in objects.list("files") if each.name not in named and each.written < before
    )


def _overtaken(url: str) -> ShopBusy:
    return ShopBusy(
        f"Another process has written to {url} meanwhile; of this one nothing was taken over.",
        remedy="Run the same command again: it goes on from what is there now.",
    )
