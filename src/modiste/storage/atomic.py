"""Atomic, durable writes of files and directories."""

from __future__ import annotations

import glob
import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Literal

from modiste.storage.error_translation import storage_errors

PARTIAL_SUFFIX = ".partial"
RENAME_ATTEMPTS = 20


def write_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace the file `path` by `data`: a reader sees the old file or the new one, never a part.

    With `durable`, it is flushed to the disk first. Raises StorageError if the disk refuses; `path` is unchanged.
    """
    with storage_errors(f"Writing {path}"), atomic_file(path, durable=durable) as partial:
        partial.write_bytes(data)


@contextmanager
def atomic_file(path: Path, *, durable: bool = True) -> Generator[Path]:
    """Yield a temporary path beside `path`; the file written there replaces `path` at the end of the block.

    If the block raises, the temporary file is removed and `path` is unchanged. A block that removes the temporary file
    leaves `path` unchanged, too. With `durable`, the file is flushed to the disk before it takes its name. Raises
    OSError.
    """
    partial = partial_path(path)
    try:
        yield partial
        if not partial.exists():
            return
        if durable:
            fsync(partial)
        partial.replace(path)
        if durable:
            fsync(path.parent)
    except BaseException:
        remove_path(partial)
        raise


@contextmanager
def atomic_dir(
    path: Path, *, existing: Literal["replace", "keep", "refuse"] = "replace", durable: bool = True
) -> Generator[Path]:
    """Yield an empty directory beside `path` that takes the place of `path` at the end of the block.

    If the block raises, the temporary directory is removed and `path` is unchanged. Temporary directories of killed
    processes are removed first. `existing` says what to do with a directory that is there at the end of the block;
    "refuse" accepts an empty one. With `durable`, all files are flushed to the disk before the directory takes its
    name. Raises OSError if the disk refuses, or `path` is not empty and `existing` is "refuse".
    """
    remove_stale_partials(path)
    partial = partial_path(path)
    partial.mkdir(parents=True)
    try:
        with fsync_tree(partial) if durable else nullcontext():
            yield partial
        if existing == "replace":
            _replace_directory(partial, path)
        else:
            with suppress(OSError) if existing == "keep" else nullcontext():
                partial.rename(path)
        if durable:
            fsync(path.parent)
    finally:
        remove_path(partial)


def _replace_directory(partial: Path, path: Path) -> None:
    """Rename `partial` to `path`. Of two processes that do so at once, either may win."""
    for _ in range(RENAME_ATTEMPTS):
        remove_path(path)
        with suppress(OSError):
            partial.rename(path)
            return
    partial.rename(path)


def partial_path(path: Path) -> Path:
    """Return a unique temporary path beside `path` that names this process."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.{os.getpid()}{PARTIAL_SUFFIX}")


def remove_stale_partials(path: Path) -> None:
    """Remove the temporary files and directories of `path` that killed processes left behind."""
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL_SUFFIX}"):
        process = partial.name.removesuffix(PARTIAL_SUFFIX).rpartition(".")[2]
        if process.isdigit() and not _is_alive(int(process)):
            remove_path(partial)


def remove_path(path: Path) -> None:
    """Remove a file, or a directory with everything in it, and ignore errors."""
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


@contextmanager
def fsync_tree(directory: Path) -> Generator[None]:
    """Flush all files and names under `directory` that the block made or changed to the disk.

    LanceDB never calls fsync: what it commits survives the end of the process, but a power failure only after this.
    """
    before = _file_stamps(directory)
    yield
    changed = [path for path, stamp in _file_stamps(directory).items() if before.get(path) != stamp]
    folders = {folder for path in changed for folder in (path.parent, *path.parent.parents)}
    inside = [folder for folder in folders if folder == directory or directory in folder.parents]
    for path in [*changed, *inside, directory.parent]:
        fsync(path)


def _file_stamps(directory: Path) -> dict[Path, tuple[int, int]]:
    """Return the modification time and size of every file under a directory."""
    stamps: dict[Path, tuple[int, int]] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):  # compaction removed it in the meantime
                status = path.stat()
                stamps[path] = (status.st_mtime_ns, status.st_size)
    return stamps


def fsync(path: Path) -> None:
    """Flush a file's bytes, or a directory's names, to the disk. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # compaction removed it in the meantime
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
