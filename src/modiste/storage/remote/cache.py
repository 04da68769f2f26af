"""Copies on this machine of shops on object storage: each file proven by its hash whenever it is opened.

Below the cache, each URL has `files/`, one file per hash; `trees/`, a directory per shop.json that was read, of hard
links to those; and `work/`, where a writer works. All of it may be removed: it is fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from modiste.errors import StorageError
from modiste.storage.archive import FileEntry
from modiste.storage.atomic import PARTIAL_SUFFIX, remove_path
from modiste.storage.locks import SHARED_LOCK_FILE, is_locked
from modiste.storage.object_store import ObjectStore, s3_endpoint
from modiste.storage.paths import ShopPaths, backup_files
from modiste.storage.refusals import storage_errors
from modiste.storage.remote.head import RemoteManifest, object_name
from modiste.storage.remote.origin import Origin

MAX_IDLE_SECONDS = 24 * 3600.0  # seconds after which a tree that nobody opened goes


def cache_directory() -> Path:
    """The directory of all copies: MODISTE_CACHE, or where this system keeps what can be fetched again."""
    if said := os.environ.get("MODISTE_CACHE"):
        return Path(said).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "modiste"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modiste"


class LocalCache:
    """The copies of the shop at one URL."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        # The same name at another address is another shop.
        told = hashlib.sha256(f"{objects.url} {s3_endpoint()}".encode()).hexdigest()[:12]
        self.root = cache_directory() / "shops" / f"{objects.url.rpartition('/')[2]}-{told}"
        self.files = self.root / "files"
        self.work = self.root / "work"

    def reader_directory(self, head: RemoteManifest, *, include_training: bool) -> Path:
        """A reader's directory of the shop that a shop.json names; unless `whole`, what answering needs of it."""
        names = (
            list(head.files) if include_training else [name for name in head.files if is_needed(name, head)]
        )
        root = self.root / "trees" / head.commit
        with storage_errors(f"Writing {root}"):
            self._link_files(head, names, root)
            (root / SHARED_LOCK_FILE).touch()
            _write_if_changed(root / "shop.json", _manifest_bytes(head))
            (root / "store").mkdir(exist_ok=True)
            origin = Origin(self.objects.url, True, head.tables)
            origin.save(root)
            os.utime(root)
            self._evict(root)
        return root

    def writer_directory(self, head: RemoteManifest | None) -> Path:
        """The writer's directory, brought to what shop.json says. Where that is None, there is no shop yet.

        Models that were trained and are not in it stay, and so does all that only training reads: a writer that was
        killed before its commit goes on from there.
        """
        root = self.work
        with storage_errors(f"Writing {root}"):
            root.mkdir(parents=True, exist_ok=True)
            Origin(self.objects.url, False, {} if head is None else head.tables).save(root)
            if head is None:  # what was there before, at the same URL, is not of the shop that will be
                for name in [*backup_files(ShopPaths(root)), "store"]:
                    remove_path(root / name)
                return root
            (root / "store").mkdir(exist_ok=True)
            for name in list(backup_files(ShopPaths(root))):
                if name not in head.files and not _is_of_new_model(name, head.files):
                    remove_path(root / name)
            self._link_files(head, list(head.files), root)
            _write_if_changed(root / "shop.json", _manifest_bytes(head))
        return root

    def _link_files(self, head: RemoteManifest, names: Collection[str], root: Path) -> None:
        """Put files of the shop into a directory, each with the bytes that it has by its hash."""
        wanted = {head.files[name].sha256: (name, head.files[name]) for name in names}
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            sound = pool.map(self._is_intact, [held for _, held in wanted.values()])
            missing = [pair for pair, fine in zip(wanted.values(), sound, strict=True) if not fine]
        self._download(missing)
        for name in names:
            _link_or_copy(self.files / head.files[name].sha256, root / name)

    def _is_intact(self, held: FileEntry) -> bool:
        path = self.files / held.sha256
        with suppress(OSError):
            if path.stat().st_size == held.bytes and file_sha256(path) == held.sha256:
                os.utime(path)  # in use: not to be forgotten
                return True
        return False

    def _download(self, missing: Iterable[tuple[str, FileEntry]]) -> None:
        pairs = [(name, held, self._partial_path(held)) for name, held in missing]
        try:
            self.objects.download([(object_name(name, held), path) for name, held, path in pairs])
            for name, held, path in pairs:
                if file_sha256(path) != held.sha256:
                    raise StorageError(
                        f"{self.objects.url}/{object_name(name, held)} has other bytes than those that were written.",
                        remedy="Restore the shop from a backup: `modiste restore FILE --shop URL`.",
                    )
                path.replace(self.files / held.sha256)
        finally:
            for *_, path in pairs:
                path.unlink(missing_ok=True)

    def _partial_path(self, held: FileEntry) -> Path:
        return _unique_partial_path(self.files / held.sha256)

    def add_file(self, path: Path, held: FileEntry) -> None:
        """Keep a file that a writer has made, so that it need not be fetched."""
        self.files.mkdir(parents=True, exist_ok=True)
        if not self._is_intact(held):
            _link_or_copy(path, self.files / held.sha256)

    def _evict(self, opened: Path) -> None:
        """Remove trees that nobody has opened for long, and files that no tree has."""
        before = time.time() - MAX_IDLE_SECONDS
        for tree in (self.root / "trees").iterdir():
            if tree != opened and tree.stat().st_mtime < before and not is_locked(tree):
                remove_path(tree)
        for path in self.files.iterdir():
            with suppress(OSError):
                found = path.stat()
                if found.st_nlink == 1 and found.st_mtime < before:
                    path.unlink()


def is_needed(name: str, head: RemoteManifest) -> bool:
    """Whether answering reads a file: of models only the one in use, and of that not what training left beside it."""
    parts = name.split("/")
    if parts[0] != "models" or parts[-1] == "config.json":
        return True
    return parts[1] == head.manifest.get("model") and not name.endswith((".safetensors", ".png", ".jsonl"))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_of_new_model(name: str, files: Collection[str]) -> bool:
    parts = name.split("/")
    return parts[0] == "models" and len(parts) > 2 and f"models/{parts[1]}/config.json" not in files


def _manifest_bytes(head: RemoteManifest) -> bytes:
    return (json.dumps(head.manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _write_if_changed(path: Path, data: bytes) -> None:
    with suppress(OSError):
        if path.read_bytes() == data:
            return
    partial = _unique_partial_path(path)
    partial.write_bytes(data)
    partial.replace(path)


def _unique_partial_path(path: Path) -> Path:
    """A name beside a file that is nobody else's, for what is to become it."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")


def _link_or_copy(held: Path, path: Path) -> None:
    """Let `path` be the file `held`: as another name of it, or, where the disk has none, as a copy."""
    with suppress(FileNotFoundError):
        if path.samefile(held):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _unique_partial_path(path)
    try:
        os.link(held, partial)
    except OSError:
        shutil.copyfile(held, partial)
    partial.replace(path)
