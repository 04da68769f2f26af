"""Locks of a shop's directory: one writer, shared holders."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import ShopBusy
from modiste.storage.refusals import storage_errors

LOCK_FILE = ".lock"
SHARED_LOCK_FILE = ".held"  # in a directory of copies


@contextmanager
def write_lock(directory: Path) -> Generator[None]:
    """Hold a shop's or a store's directory for writing. Readers are never kept out.

    Raises:
        ShopBusy: another writer, in this process or another, holds it.
        StorageError: the directory may not be written to.
    """
    import fcntl

    with storage_errors(f"Opening {directory} for writing"):
        lock = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
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
def wait_for_lock(directory: Path) -> Generator[None]:
    """Wait until no other process, nor another thread, is in such a block for a directory. Raises StorageError."""
    import fcntl

    with storage_errors(f"Writing {directory}"):
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def shared_lock(directory: Path) -> int | None:
    """Keep a directory of copies from being removed until the file descriptor that this returns is closed; None for
    any other directory."""
    import fcntl

    try:
        held = os.open(directory / SHARED_LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def is_locked(directory: Path) -> bool:
    """Whether some process holds a directory of copies."""
    import fcntl

    held = shared_lock(directory)
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
def shop_write_lock(root: Path) -> Generator[None]:
    """Hold the shop for one writing stage (ingest, train, encode, cluster, sliders); readers are never kept out.

    Raises:
        ShopBusy: another process holds it.
        StorageError: the directory may not be written to.
    """
    with storage_errors(f"Opening {root}"):
        root.mkdir(parents=True, exist_ok=True)
    with write_lock(root):
        yield
