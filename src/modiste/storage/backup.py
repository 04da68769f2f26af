"""Back up and restore a shop. Incomplete archives are rejected."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modiste._version import __version__
from modiste.errors import BadOption
from modiste.progress import Progress, report
from modiste.storage.archive import Archive, OnBytes, write_archive
from modiste.storage.atomic import atomic_dir
from modiste.storage.error_translation import storage_errors
from modiste.storage.location import parse_location, read_manifest
from modiste.storage.locks import shop_write_lock, write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths, backup_files

BYTES_PER_MB = 10**6


def backup_shop(path: str | Path, out: str | Path, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Write the shop at `path` to the one file `out`, atomically; a file that is there is replaced.

    A shop in a directory is locked for writing meanwhile, so that the files in the backup belong together; it still
    answers queries. A shop on object storage is copied as it is now and is not locked. Search index and snapshot are
    included, though they could be rebuilt: they take a hundredth to a tenth of the photos' size, and with them the
    restored shop answers at once. Excluded is what only training reads: the dataset cache, runs (a finished model has
    its own weights and metrics; an unfinished run starts over), and downloaded photos.

    Args:
        path: the shop's directory or URL.
        out: the file to write.
        on_progress: called with progress events of the stage "backup", in megabytes.

    Returns:
        {"file", "shop", "bytes", "files", "products"}

    Raises:
        ShopNotFound, ShopIncomplete, SchemaError: there is no shop, or it cannot be read.
        BadOption: `out` lies inside the shop.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refuses; `out` is unchanged.
    """
    location, target = parse_location(path), Path(out).expanduser()
    read_manifest(location)
    if isinstance(location, Path) and target.resolve().is_relative_to(location.resolve()):
        raise BadOption(
            f"{target} lies inside the shop.", remedy="Write the backup to another directory, or another disk."
        )
    with _unchanging_directory(location) as root:
        manifest, paths = Manifest.load(root), ShopPaths(root)
        with storage_errors(f"Reading {root}"):
            names = sorted(backup_files(paths))
            total = sum((root / name).stat().st_size for name in names)
        metadata = {
            "modiste": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "products": manifest.catalogue.get("count", 0),
        }
        entries = write_archive(target, root, names, metadata, _byte_progress(on_progress, "backup", total))
    with storage_errors(f"Reading {target}"):
        size = target.stat().st_size
    return {
        "file": str(target),
        "shop": str(location),
        "bytes": size,
        "files": len(entries),
        "products": metadata["products"],
    }


def restore_shop(file: str | Path, path: str | Path, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Restore a backup as the shop at `path`, which appears only after every byte was checked.

    Args:
        file: a backup that `backup_shop` wrote.
        path: the directory or URL of the new shop; an empty directory may be there.
        on_progress: called with progress events of the stage "restore", in megabytes.

    Returns:
        {"shop", "file", "bytes" of the shop, "files", "products", "modiste" (the version that made the backup), "made"
        (when)}

    Raises:
        BadOption: there is no such file, or something is at `path` already.
        SchemaError: the file is damaged, not a backup, or written by a newer version of Modiste; no shop is made.
        StorageError: the disk refuses; no shop is made.
    """
    location = parse_location(path)
    if isinstance(location, Path):
        location = location.resolve()
    _check_location_is_free(location)
    with Archive.open(Path(file).expanduser()) as archive, storage_errors(f"Restoring {location}"):
        size = sum(entry.bytes for entry in archive.files.values())
        with _new_directory(location) as root:
            archive.extract(root, _byte_progress(on_progress, "restore", size))
            manifest = Manifest.load(root)
        return {
            "shop": str(location),
            "file": str(archive.path),
            "bytes": size,
            "files": len(archive.files),
            "products": manifest.catalogue.get("count", 0),
            "modiste": archive.metadata.get("modiste"),
            "made": archive.metadata.get("made"),
        }


@contextmanager
def _new_directory(location: Path | str) -> Generator[Path]:
    """Yield a directory to put a complete shop into; the end of the block makes it the shop at a free location."""
    if isinstance(location, str):
        from modiste.storage.remote.transfer import uploaded

        with uploaded(location) as root:
            yield root
        return
    with atomic_dir(location, existing="refuse") as partial:
        yield partial


@contextmanager
def _unchanging_directory(location: Path | str) -> Generator[Path]:
    """Yield the directory of a shop that nobody changes during the block."""
    if isinstance(location, str):
        from modiste.storage.remote.transfer import downloaded

        with downloaded(location) as root:
            yield root
        return
    store = ShopPaths(location).store
    # A program may write to the store alone.
    with shop_write_lock(location), write_lock(store) if store.is_dir() else nullcontext():
        yield location


def _check_location_is_free(location: Path | str) -> None:
    """Raise BadOption unless there is nothing, or an empty directory, at a location."""
    if isinstance(location, str):
        from modiste.storage.remote.transfer import check_url_is_free

        check_url_is_free(location)
        return
    with storage_errors(f"Reading {location}"):
        taken = location.exists() and not (location.is_dir() and next(location.iterdir(), None) is None)
    if taken:
        raise BadOption(
            f"There is something at {location} already.",
            remedy="Restore to a directory that does not exist yet, then move the old shop away and the new one in.",
        )


def _byte_progress(on_progress: Progress | None, stage: str, total: int) -> OnBytes:
    """Return a callback that counts bytes and reports megabytes."""
    done = 0

    def on_bytes(more: int) -> None:
        nonlocal done
        done += more
        report(on_progress, stage, done // BYTES_PER_MB, max(1, total // BYTES_PER_MB))

    report(on_progress, stage, 0, max(1, total // BYTES_PER_MB))
    return on_bytes
