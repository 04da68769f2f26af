"""A whole shop in one file, and back again: nothing is taken for a backup, or for a shop, that is not whole."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modiste._version import __version__
from modiste.errors import BadOption
from modiste.progress import Progress, tell
from modiste.storage.archive import Archive, OnBytes, pack
from modiste.storage.atomic import clear_partials, partial_of, remove, sync
from modiste.storage.location import manifest_of, place_of
from modiste.storage.locks import one_writer, writing
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopFiles, kept
from modiste.storage.refusals import disk_errors

MEGA = 10**6


def backup_shop(path: str | Path, out: str | Path, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Write the shop at `path` to the one file `out`, whole or not at all; a file that is there is replaced.

    A shop in a directory is held for writing meanwhile, so that what is in the file belongs together; it goes on
    answering. One on object storage is taken as it is now, and written to meanwhile by whoever does. Search
    indexes and the snapshot come along, though they are derived: they are some hundredth to a tenth of the
    photos' size, and with them the restored shop answers at once. What only training reads does not: prepared photos,
    runs (a finished model has its own weights and measures; an unfinished run begins again), and fetched originals.

    Returns:
        {"file", "shop", "bytes", "files", "products"}

    Raises:
        ShopNotFound, ShopIncomplete, SchemaError: there is no shop, or it cannot be read.
        BadOption: `out` lies inside the shop.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; `out` is as it was.
    """
    place, target = place_of(path), Path(out).expanduser()
    manifest_of(place)
    if isinstance(place, Path) and target.resolve().is_relative_to(place.resolve()):
        raise BadOption(
            f"{target} lies inside the shop.",
            remedy="Write the backup to another directory, or another disk.",
        )
    with ExitStack() as held:
        root = held.enter_context(_at_rest(place))
        manifest, files = Manifest.load(root), ShopFiles(root)
        with disk_errors(f"Reading {root}"):
            names = sorted(kept(files))
            total = sum((root / name).stat().st_size for name in names)
        about = {
            "modiste": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "products": manifest.catalogue.get("count", 0),
        }
        packed = pack(target, root, names, about, _telling(on_progress, "backup", total))
    with disk_errors(f"Reading {target}"):
        size = target.stat().st_size
    return {
        "file": str(target),
        "shop": str(place),
        "bytes": size,
        "files": len(packed),
        "products": about["products"],
    }


def restore_shop(
    file: str | Path, path: str | Path, *, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Make the shop at `path` from the backup in `file`. It appears once every byte of it was checked, not before.

    Returns:
        {"shop", "file", "bytes" of the shop, "files", "products", "modiste" and "made": by which version, and when}

    Raises:
        BadOption: there is no such file, or something is at `path` already.
        SchemaError: the file is damaged, no backup, or written by a newer version of Modiste; no shop was made.
        StorageError: the disk refused; no shop was made.
    """
    place = place_of(path)
    if isinstance(place, str):
        return _restored_there(file, place, on_progress)
    root = place.resolve()
    _check_free(root)
    with Archive.opened(Path(file).expanduser()) as archive, disk_errors(f"Restoring {root}"):
        root.parent.mkdir(parents=True, exist_ok=True)
        clear_partials(root)
        partial = partial_of(root)
        remove(partial)
        try:
            partial.mkdir()
            archive.unpack(partial, _telling(on_progress, "restore", _size(archive)))
            manifest = Manifest.load(partial)
            partial.rename(root)  # over an empty directory at most: the disk refuses any other
            sync(root.parent)
        except BaseException:
            remove(partial)
            raise
        return _restored(archive, root, manifest)


def _restored_there(file: str | Path, url: str, on_progress: Progress | None) -> dict[str, Any]:
    """The same, to object storage."""
    from modiste.storage.remote.transfer import check_free, taken_there

    check_free(url)
    with Archive.opened(Path(file).expanduser()) as archive, disk_errors(f"Restoring {url}"):
        with taken_there(url) as root:
            archive.unpack(root, _telling(on_progress, "restore", _size(archive)))
            manifest = Manifest.load(root)
        return _restored(archive, url, manifest)


def _restored(archive: Archive, place: Path | str, manifest: Manifest) -> dict[str, Any]:
    return {
        "shop": str(place),
        "file": str(archive.path),
        "bytes": _size(archive),
        "files": len(archive.files),
        "products": manifest.catalogue.get("count", 0),
        "modiste": archive.about.get("modiste"),
        "made": archive.about.get("made"),
    }


def _size(archive: Archive) -> int:
    return sum(held.bytes for held in archive.files.values())


@contextmanager
def _at_rest(place: Path | str) -> Generator[Path]:
    """The directory of a shop in which nobody changes anything during the block."""
    if isinstance(place, str):
        from modiste.storage.remote.transfer import brought_here

        with brought_here(place) as root:
            yield root
        return
    with ExitStack() as held:
        held.enter_context(writing(place))
        if (store := ShopFiles(place).store).is_dir():  # a program may write to the store alone
            held.enter_context(one_writer(store))
        yield place


def _check_free(root: Path) -> None:
    """Raise BadOption unless nothing, or an empty directory, is at `root`."""
    with disk_errors(f"Reading {root}"):
        taken = root.exists() and not (root.is_dir() and next(root.iterdir(), None) is None)
    if taken:
        raise BadOption(
            f"There is something at {root} already.",
            remedy="Restore to a directory that is not there yet, then move the old shop away and the new one in.",
        )


def _telling(on_progress: Progress | None, stage: str, total: int) -> OnBytes:
    """Tells how many megabytes are done, of how many."""
    done = 0

    def on_bytes(more: int) -> None:
        nonlocal done
        done += more
        tell(on_progress, stage, done // MEGA, max(1, total // MEGA))

    tell(on_progress, stage, 0, max(1, total // MEGA))
    return on_bytes
