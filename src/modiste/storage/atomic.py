"""Atomic, durable writes of files and directories."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from modiste.storage.refusals import storage_errors


@contextmanager
def fsync_tree(directory: Path) -> Generator[None]:
    """After the block, all files under `directory` that it made or changed are on the disk, and so are their names.

    LanceDB never calls fsync: what it commits survives the end of the process, but not of the power, until this.
    """
    before = _file_stamps(directory)
    yield
    changed = [path for path, stamp in _file_stamps(directory).items() if before.get(path) != stamp]
    folders = {folder for path in changed for folder in (path.parent, *path.parent.parents)}
    inside = [folder for folder in folders if folder == directory or directory in folder.parents]
    for path in [*changed, *inside, directory.parent]:
        fsync(path)


def _file_stamps(directory: Path) -> dict[Path, tuple[int, int]]:
    found: dict[Path, tuple[int, int]] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                held = path.stat()
            except FileNotFoundError:  # tidied away meanwhile
                continue
            found[path] = (held.st_mtime_ns, held.st_size)
    return found


def fsync(path: Path) -> None:
    """Put a file's bytes, or a directory's names, on the disk for good. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # tidied away meanwhile
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


PARTIAL_SUFFIX = ".partial"


def write_file(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably: readers see the old file or the new one, never a part.

    Raises:
        StorageError: the disk refused; `path` is as it was.
    """
    partial = partial_path(path)
    with storage_errors(f"Writing {path}"):
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            fsync(path.parent)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def partial_path(path: Path) -> Path:
    """Where this process writes what is to become `path`: beside it, under a name that says so."""
    return path.with_name(f".{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")


def remove_stale_partials(path: Path) -> None:
    """Remove what processes that were killed have left beside `path` of what was to become it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL_SUFFIX}"):
        number = left.name.removesuffix(PARTIAL_SUFFIX).rpartition(".")[2]
        if number.isdigit() and not _is_alive(int(number)):
            remove_path(left)


def remove_path(path: Path) -> None:
    """Remove a file, or a directory with all in it, as far as the disk lets us."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
