"""Locks on a shop's directory: one writer at a time, and shared locks on cached copies."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.errors import ShopBusy
from modiste.storage.error_translation import storage_errors

LOCK_FILE = ".lock"
SHARED_LOCK_FILE = ".held"  # in the directory of a cached copy


@contextmanager
def shop_write_lock(root: Path) -> Generator[None]:
    """Lock a shop for one writing stage (ingest, train, encode, cluster, sliders). Readers are never blocked.

    Raises ShopBusy if another process has the lock, and StorageError if the directory is not writable.
    """
    with storage_errors(f"Opening {root}"):
        root.mkdir(parents=True, exist_ok=True)
    with write_lock(root):
        yield


@contextmanager
def write_lock(directory: Path) -> Generator[None]:
    """Lock the directory of a shop or of a store for writing. Readers are never blocked.

    Raises ShopBusy if another writer, in this process or another, has the lock. Raises StorageError if the directory is
    not writable.
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
        os.close(lock)  # closing releases the lock, also after kill -9


@contextmanager
def wait_for_lock(directory: Path) -> Generator[None]:
    """Wait until no other process or thread is in such a block for this directory. Raises StorageError."""
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
    """Keep a cached copy from being removed until the returned file descriptor is closed.

    Returns:
        The file descriptor; None for a directory that is not a cached copy.
    """
    import fcntl

    try:
        lock = os.open(directory / SHARED_LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def is_locked(directory: Path) -> bool:
    """Return whether a process has a shared lock on a cached copy."""
    import fcntl

    lock = shared_lock(directory)
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
