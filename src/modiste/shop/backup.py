"""A whole shop in one file, and back again: nothing is taken for a backup, or for a shop, that is not whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modiste import __version__
from modiste.errors import BadOption, SchemaError
from modiste.shop.archive import Archive, OnBytes, pack
from modiste.shop.files import UNFINISHED, ShopFiles, clear_partials, partial_of, remove, writing
from modiste.shop.manifest import Manifest
from modiste.shop.progress import Progress, tell
from modiste.shop.stages import shop_root
from modiste.store.disk import LOCK, disk_errors, one_writer, sync

MEGA = 10**6


def backup_shop(path: str | Path, out: str | Path, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Write the shop at `path` to the one file `out`, whole or not at all; a file that is there is replaced.

    The shop is held for writing meanwhile, so that what is in the file belongs together; it goes on answering. Search
    indexes, graphs and the snapshot come along, though they are derived: they are some hundredth to a tenth of the
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
    root, target = shop_root(path), Path(out).expanduser()
    manifest = Manifest.load(root)
    if target.resolve().is_relative_to(root.resolve()):
        raise BadOption(
            f"{target} lies inside the shop.",
            remedy="Write the backup to another directory, or another disk.",
        )
    files = ShopFiles(root)
    with ExitStack() as held:
        held.enter_context(writing(root))
        if files.store.is_dir():  # a program may write to the store alone
            held.enter_context(one_writer(files.store))
        manifest = Manifest.load(root)
        with disk_errors(f"Reading {root}"):
            names = sorted(_kept(files))
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
        "shop": str(root),
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
    root = shop_root(path).resolve()
    _check_free(root)
    with Archive.opened(Path(file).expanduser()) as archive, disk_errors(f"Restoring {root}"):
        size = sum(held.bytes for held in archive.files.values())
        root.parent.mkdir(parents=True, exist_ok=True)
        clear_partials(root)
        partial = partial_of(root)
        remove(partial)
        try:
            partial.mkdir()
            archive.unpack(partial, _telling(on_progress, "restore", size))
            manifest = Manifest.load(partial)
            partial.rename(root)  # over an empty directory at most: the disk refuses any other
            sync(root.parent)
        except BaseException:
            remove(partial)
            raise
        return {
            "shop": str(root),
            "file": str(archive.path),
            "bytes": size,
            "files": len(archive.files),
            "products": manifest.catalogue.get("count", 0),
            "modiste": archive.about.get("modiste"),
            "made": archive.about.get("made"),
        }


def _check_free(root: Path) -> None:
    """Raise BadOption unless nothing, or an empty directory, is at `root`."""
    with disk_errors(f"Reading {root}"):
        taken = root.exists() and not (root.is_dir() and next(root.iterdir(), None) is None)
    if taken:
        raise BadOption(
            f"There is something at {root} already.",
            remedy="Restore to a directory that is not there yet, then move the old shop away and the new one in.",
        )


def _kept(files: ShopFiles) -> Iterator[str]:
    """The files of a shop that a backup holds, relative to it. Raises SchemaError for what is no plain file."""
    for folder, folders, names in os.walk(files.root, onerror=_refuse):
        here = Path(folder)
        folders[:] = [name for name in folders if not _left_out(files, here / name)]
        for name in [*folders, *names]:
            path = here / name
            if _left_out(files, path):
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise SchemaError(
                    f"{path} is a link, or no plain file: a backup would not hold what it stands for.",
                    remedy="Put the files themselves there, then make the backup again.",
                )
            if path.is_file():
                yield path.relative_to(files.root).as_posix()


def _left_out(files: ShopFiles, path: Path) -> bool:
    trains = path.parent == files.models and (path.name == "prepared" or path.name.startswith("run-"))
    return trains or path == files.fetched or path.name == LOCK or path.name.endswith(UNFINISHED)


def _refuse(error: OSError) -> None:
    raise error


def _telling(on_progress: Progress | None, stage: str, total: int) -> OnBytes:
    """Tells how many megabytes are done, of how many."""
    done = 0

    def on_bytes(more: int) -> None:
        nonlocal done
        done += more
        tell(on_progress, stage, done // MEGA, max(1, total // MEGA))

    tell(on_progress, stage, 0, max(1, total // MEGA))
    return on_bytes
