"""What is under a shop and its store: its refusals as StorageError, one writer at a time, commits that last."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import ModisteError, ShopBusy, StorageError
from modiste.store.refusals import refusal

LOCK = ".lock"
HELD = ".held"  # in a directory of copies
_OS_ERROR = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")  # as Rust shows and debugs it


@contextmanager
def disk_errors(what: str) -> Generator[None]:
    """Turn the refusals of the disk, or of object storage, into StorageError, naming `what` was being done.

    Other errors pass. Lance raises them as OSError, RuntimeError or ValueError, with "(os error N)", or what the store
    has said, somewhere in a long message.
    """
    try:
        yield
    except ModisteError:
        raise
    except Exception as error:
        if (told := refusal(error)) is not None:
            raise StorageError(f"{what} failed: {told[0]}.", remedy=told[1]) from error
        if not isinstance(error, (OSError, RuntimeError, ValueError)):
            raise
        number = _os_error(error)
        if number is None:
            raise
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = "Free some space and run the same command again; nothing was changed."
        else:
            remedy = "See that the directory may be read and written, then run the same command again."
        raise StorageError(f"{what} failed: {os.strerror(number)}.", remedy=remedy) from error


def _os_error(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _OS_ERROR.search(str(error))
    return None if found is None else int(found[1] or found[2])


@contextmanager
def one_writer(directory: Path) -> Generator[None]:
    """Hold a shop's or a store's directory for writing. Readers are never kept out.

    Raises:
        ShopBusy: another writer, in this process or another, holds it.
        StorageError: the directory may not be written to.
    """
    import fcntl

    with disk_errors(f"Opening {directory} for writing"):
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShopBusy(
                f"Another process is writing to {directory}.",
                remedy="Wait until it has ended, then run the same command again.",
            ) from None
        yield
    finally:
        os.close(lock)  # closing lets go of the lock, also after kill -9


@contextmanager
def in_turn(directory: Path) -> Generator[None]:
    """Wait until no other process, nor another thread, is in such a block for a directory. Raises StorageError."""
    import fcntl

    with disk_errors(f"Writing {directory}"):
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def hold(directory: Path) -> int | None:
    """Keep a directory of copies from being removed until the file descriptor that this returns is closed; None for
    any other directory."""
    import fcntl

    try:
        held = os.open(directory / HELD, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def is_held(directory: Path) -> bool:
    """Whether some process holds a directory of copies."""
    import fcntl

    held = hold(directory)
    if held is None:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


@contextmanager
def barrier(directory: Path) -> Generator[None]:
    """After the block, all files under `directory` that it made or changed are on the disk, and so are their names.

    LanceDB never calls fsync: what it commits survives the end of the process, but not of the power, until this.
    """
    before = _stamps(directory)
    yield
    changed = [path for path, stamp in _stamps(directory).items() if before.get(path) != stamp]
    folders = {folder for path in changed for folder in (path.parent, *path.parent.parents)}
    inside = [folder for folder in folders if folder == directory or directory in folder.parents]
    for path in [*changed, *inside, directory.parent]:
        sync(path)


def _stamps(directory: Path) -> dict[Path, tuple[int, int]]:
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


def sync(path: Path) -> None:
    """Put a file's bytes, or a directory's names, on the disk for good. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # tidied away meanwhile
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
