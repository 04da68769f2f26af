"""Where things lie in a shop's directory, and how files there are written: whole or not at all, by one process."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modiste.errors import ShopBusy, StorageError


@dataclass(frozen=True)
class ShopFiles:
    """The paths of one shop."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "shop.json"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected.csv"

    @property
    def fetched(self) -> Path:
        return self.root / "fetched"

    def model(self, model_id: str) -> Path:
        return self.models / model_id

    def clusters(self, model_id: str) -> Path:
        return self.model(model_id) / "clusters.json"


@contextmanager
def disk_errors(what: str) -> Generator[None, None, None]:
    """Turn the disk's refusals into StorageError, naming `what` was being done."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "Free some space and run the same command again."
        else:
            remedy = "See that the directory may be written to, then run the same command again."
        raise StorageError(f"{what} failed: {error.strerror or error}.", remedy=remedy) from error


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably: readers see the old file or the new one, never a part.

    Raises:
        StorageError: the disk refused; `path` is as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with disk_errors(f"Writing {path}"):
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, whole or not at all. Raises StorageError."""
    write_whole(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


@contextmanager
def writing(root: Path) -> Generator[None, None, None]:
    """Hold the shop for one writing stage (ingest, train, encode, cluster); readers are never kept out.

    Raises:
        ShopBusy: another process holds it.
        StorageError: the directory may not be written to.
    """
    import fcntl

    with disk_errors(f"Opening {root}"):
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShopBusy(
                f"Another process is writing to the shop at {root}.",
                remedy="Wait until it has ended, then run the same command again.",
            ) from None
        yield
    finally:
        os.close(lock)  # closing lets go of the lock, also after kill -9
