"""Cached copies of shops on object storage; each file is verified by its hash whenever a copy is opened.

Below the cache directory, each URL has `files/`, one file per hash; `trees/`, one directory of hard links to those per
shop.json that was read; and `work/`, where a writer works. Everything may be removed: it is downloaded again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from modiste.errors import StorageError
from modiste.storage.archive import FileEntry
from modiste.storage.atomic import atomic_file, partial_path, remove_path, write_file
from modiste.storage.checksums import file_sha256
from modiste.storage.error_translation import storage_errors
from modiste.storage.locks import SHARED_LOCK_FILE, is_locked
from modiste.storage.object_store import ObjectStore, s3_endpoint
from modiste.storage.paths import ShopPaths, backup_files
from modiste.storage.remote.head import RemoteManifest, object_name
from modiste.storage.remote.origin import Origin

MAX_IDLE_SECONDS = 24 * 3600.0  # a copy that nobody has opened for so long is removed


def cache_directory() -> Path:
    """Return the directory of all cached copies: MODISTE_CACHE, or the system's directory for caches."""
    if path := os.environ.get("MODISTE_CACHE"):
        return Path(path).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "modiste"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modiste"


class LocalCache:
    """The cached copies of the shop at one URL."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        # The same URL at another endpoint is another shop.
        key = hashlib.sha256(f"{objects.url} {s3_endpoint()}".encode()).hexdigest()[:12]
        self.root = cache_directory() / "shops" / f"{objects.url.rpartition('/')[2]}-{key}"
        self.files = self.root / "files"
        self.work = self.root / "work"

    def reader_directory(self, remote: RemoteManifest, *, include_training: bool) -> Path:
        """Return a directory with the shop that a shop.json describes, if asked with what only training needs.

        Raises StorageError if the object store, or the disk, refuses.
        """
        names = [name for name in remote.files if include_training or is_needed(name, remote)]
        root = self.root / "trees" / remote.commit
        with storage_errors(f"Writing {root}"):
            self._link_files(remote, names, root)
            (root / SHARED_LOCK_FILE).touch()
            _write_if_changed(root / "shop.json", _manifest_bytes(remote))
            (root / "store").mkdir(exist_ok=True)
            Origin(self.objects.url, True, remote.tables).save(root)
            os.utime(root)
            self._evict(root)
        return root

    def writer_directory(self, remote: RemoteManifest | None) -> Path:
        """Update the writer's directory to a shop.json and return it; None stands for a shop that does not exist yet.

        Trained models that are not in shop.json stay, and so does everything that only training reads: after a killed
        write, the next one continues from there. Raises StorageError.
        """
        root = self.work
        with storage_errors(f"Writing {root}"):
            root.mkdir(parents=True, exist_ok=True)
            Origin(self.objects.url, False, {} if remote is None else remote.tables).save(root)
            if remote is None:  # files of an earlier shop at the same URL do not belong to the new one
                for name in [*backup_files(ShopPaths(root)), "store"]:
                    remove_path(root / name)
                return root
            (root / "store").mkdir(exist_ok=True)
            for name in list(backup_files(ShopPaths(root))):
                if name not in remote.files and not _is_of_new_model(name, remote.files):
                    remove_path(root / name)
            self._link_files(remote, list(remote.files), root)
            _write_if_changed(root / "shop.json", _manifest_bytes(remote))
        return root

    def _link_files(self, remote: RemoteManifest, names: Collection[str], root: Path) -> None:
        """Link files of the shop into a directory; download those that are missing or damaged."""
        by_hash = {remote.files[name].sha256: (name, remote.files[name]) for name in names}
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            intact = pool.map(self._is_intact, [entry for _, entry in by_hash.values()])
            missing = [item for item, is_intact in zip(by_hash.values(), intact, strict=True) if not is_intact]
        self._download(missing)
        for name in names:
            _link_or_copy(self.files / remote.files[name].sha256, root / name)

    def _is_intact(self, entry: FileEntry) -> bool:
        path = self.files / entry.sha256
        with suppress(OSError):
            if path.stat().st_size == entry.bytes and file_sha256(path) == entry.sha256:
                os.utime(path)  # in use: protects it from eviction
                return True
        return False

    def _download(self, missing: Iterable[tuple[str, FileEntry]]) -> None:
        items = [(object_name(name, entry), entry, self.files / entry.sha256) for name, entry in missing]
        partials = [partial_path(path) for *_, path in items]
        try:
            self.objects.download([(name, partial) for (name, *_), partial in zip(items, partials, strict=True)])
            for (name, entry, path), partial in zip(items, partials, strict=True):
                if file_sha256(partial) != entry.sha256:
                    raise StorageError(
                        f"The bytes of {self.objects.url}/{name} do not match their hash.",
                        remedy="Restore the shop from a backup: `modiste restore FILE --shop URL`.",
                    )
                partial.replace(path)
        finally:
            for partial in partials:
                remove_path(partial)

    def add_file(self, path: Path, entry: FileEntry) -> None:
        """Add a file that a writer has made, so that it need not be downloaded. Raises OSError."""
        self.files.mkdir(parents=True, exist_ok=True)
        if not self._is_intact(entry):
            _link_or_copy(path, self.files / entry.sha256)

    def _evict(self, opened: Path) -> None:
        """Remove copies that nobody has opened for MAX_IDLE_SECONDS, and files that are in no copy."""
        cutoff = time.time() - MAX_IDLE_SECONDS
        for tree in (self.root / "trees").iterdir():
            if tree != opened and tree.stat().st_mtime < cutoff and not is_locked(tree):
                remove_path(tree)
        for path in self.files.iterdir():
            with suppress(OSError):
                status = path.stat()
                if status.st_nlink == 1 and status.st_mtime < cutoff:
                    path.unlink()


def is_needed(name: str, remote: RemoteManifest) -> bool:
    """Return whether queries read a file: of models only the current one, without what training left beside it."""
    parts = name.split("/")
    if parts[0] != "models" or parts[-1] == "config.json":
        return True
    return parts[1] == remote.manifest.get("model") and not name.endswith((".safetensors", ".png", ".jsonl"))


def _is_of_new_model(name: str, files: Collection[str]) -> bool:
    parts = name.split("/")
    return parts[0] == "models" and len(parts) > 2 and f"models/{parts[1]}/config.json" not in files


def _manifest_bytes(remote: RemoteManifest) -> bytes:
    return (json.dumps(remote.manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _write_if_changed(path: Path, data: bytes) -> None:
    with suppress(OSError):
        if path.read_bytes() == data:
            return
    write_file(path, data, durable=False)


def _link_or_copy(source: Path, path: Path) -> None:
    """Make `path` a hard link to `source`, or a copy where the disk does not support links. Raises OSError."""
    with suppress(FileNotFoundError):
        if path.samefile(source):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, durable=False) as partial:
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)
