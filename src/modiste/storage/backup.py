"""A whole shop in one file, and back again: nothing is taken for a backup, or for a shop, that is not whole."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modiste._version import __version__
from modiste.errors import BadOption
from modiste.progress import Progress, report
from modiste.storage.archive import Archive, OnBytes, write_archive
from modiste.storage.atomic import fsync, partial_path, remove_path, remove_stale_partials
from modiste.storage.location import parse_location, read_manifest
from modiste.storage.locks import shop_write_lock, write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths, backup_files
from modiste.storage.refusals import storage_errors

BYTES_PER_MB = 10**6


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
    place, target = parse_location(path), Path(out).expanduser()
    read_manifest(place)
    if isinstance(place, Path) and target.resolve().is_relative_to(place.resolve()):
        raise BadOption(
            f"{target} lies inside the shop.",
            remedy="Write the backup to another directory, or another disk.",
        )
    with ExitStack() as held:
        root = held.enter_context(_unchanging_directory(place))
        manifest, files = Manifest.load(root), ShopPaths(root)
        with storage_errors(f"Reading {root}"):
            names = sorted(backup_files(files))
            total = sum((root / name).stat().st_size for name in names)
        about = {
            "modiste": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "products": manifest.catalogue.get("count", 0),
        }
        packed = write_archive(target, root, names, about, _byte_progress(on_progress, "backup", total))
    with storage_errors(f"Reading {target}"):
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
    place = parse_location(path)
    if isinstance(place, str):
        return _restore_to_url(file, place, on_progress)
    root = place.resolve()
    _check_target_is_free(root)
    with Archive.open(Path(file).expanduser()) as archive, storage_errors(f"Restoring {root}"):
        root.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_partials(root)
        partial = partial_path(root)
        remove_path(partial)
        try:
            partial.mkdir()
            archive.extract(partial, _byte_progress(on_progress, "restore", _total_bytes(archive)))
            manifest = Manifest.load(partial)
            partial.rename(root)  # over an empty directory at most: the disk refuses any other
            fsync(root.parent)
        except BaseException:
            remove_path(partial)
            raise
        return _restore_result(archive, root, manifest)


def _restore_to_url(file: str | Path, url: str, on_progress: Progress | None) -> dict[str, Any]:
    """The same, to object storage."""
    from modiste.storage.remote.transfer import check_url_is_free, uploaded

    check_url_is_free(url)
    with Archive.open(Path(file).expanduser()) as archive, storage_errors(f"Restoring {url}"):
        with uploaded(url) as root:
            archive.extract(root, _byte_progress(on_progress, "restore", _total_bytes(archive)))
            manifest = Manifest.load(root)
        return _restore_result(archive, url, manifest)


def _restore_result(archive: Archive, place: Path | str, manifest: Manifest) -> dict[str, Any]:
    return {
        "shop": str(place),
        "file": str(archive.path),
        "bytes": _total_bytes(archive),
        "files": len(archive.files),
        "products": manifest.catalogue.get("count", 0),
        "modiste": archive.metadata.get("modiste"),
        "made": archive.metadata.get("made"),
    }


def _total_bytes(archive: Archive) -> int:
    return sum(held.bytes for held in archive.files.values())


@contextmanager
def _unchanging_directory(place: Path | str) -> Generator[Path]:
    """The directory of a shop in which nobody changes anything during the block."""
    if isinstance(place, str):
        from modiste.storage.remote.transfer import downloaded

        with downloaded(place) as root:
            yield root
        return
    with ExitStack() as held:
        held.enter_context(shop_write_lock(place))
        if (store := ShopPaths(place).store).is_dir():  # a program may write to the store alone
            held.enter_context(write_lock(store))
        yield place


def _check_target_is_free(root: Path) -> None:
    """Raise BadOption unless nothing, or an empty directory, is at `root`."""
    with storage_errors(f"Reading {root}"):
        taken = root.exists() and not (root.is_dir() and next(root.iterdir(), None) is None)
    if taken:
        raise BadOption(
            f"There is something at {root} already.",
            remedy="Restore to a directory that is not there yet, then move the old shop away and the new one in.",
        )


def _byte_progress(on_progress: Progress | None, stage: str, total: int) -> OnBytes:
    """Tells how many megabytes are done, of how many."""
    done = 0

    def on_bytes(more: int) -> None:
        nonlocal done
        done += more
        report(on_progress, stage, done // BYTES_PER_MB, max(1, total // BYTES_PER_MB))

    report(on_progress, stage, 0, max(1, total // BYTES_PER_MB))
    return on_bytes
