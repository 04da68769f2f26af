"""Verified zip archives: an uncompressed zip whose last member lists the SHA-256 of every other member.

An archive is written in one pass, atomically. An archive that is read is not trusted: names, kinds and sizes of its
members are checked against the list before anything is extracted, and bytes against their hash during extraction.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from modiste.errors import BadOption, SchemaError
from modiste.storage.atomic import atomic_file, remove_stale_partials
from modiste.storage.error_translation import storage_errors
from modiste.storage.schema_version import check_schema_version

FORMAT_VERSION = 1
FILE_LIST = "modiste-backup.json"
CHUNK_BYTES = 2**20
# Exceptions that zipfile and json raise for damaged bytes; OSError where an offset points out of the file.
DAMAGE_ERRORS = (
    zipfile.BadZipFile,
    struct.error,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    OverflowError,
    RuntimeError,
    MemoryError,
)
OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """The size in bytes and the SHA-256 of one file."""

    bytes: int
    sha256: str


def write_archive(
    out: Path, root: Path, names: Iterable[str], metadata: dict[str, Any], on_bytes: OnBytes
) -> dict[str, FileEntry]:
    """Write the files `names` below `root` to the archive `out`, atomically, and return the entry of each.

    `metadata` is added to the list of files. `on_bytes` is called with the number of bytes of each chunk that was read.
    Raises StorageError if the disk refuses, or a file is missing; `out` is unchanged.
    """
    with storage_errors(f"Writing {out}"):
        remove_stale_partials(out)
        with atomic_file(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            entries = {name: _add_file(archive, root / name, name, on_bytes) for name in names}
            files = {name: asdict(entry) for name, entry in entries.items()}
            header = {"form": FORMAT_VERSION} | metadata | {"files": files}
            archive.writestr(zipfile.ZipInfo(FILE_LIST), json.dumps(header, indent=1) + "\n")
    return entries


def _add_file(archive: zipfile.ZipFile, path: Path, name: str, on_bytes: OnBytes) -> FileEntry:
    member, digest = zipfile.ZipInfo(name), hashlib.sha256()
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    with path.open("rb") as source:
        member.file_size = os.fstat(source.fileno()).st_size  # zipfile reserves the header for this size
        with archive.open(member, "w") as target:
            size = _copy(source, target, digest.update, on_bytes)
    return FileEntry(size, digest.hexdigest())


def _copy(source: IO[bytes], target: IO[bytes], on_chunk: Callable[[bytes], object], on_bytes: OnBytes) -> int:
    """Copy a file in chunks and return its size in bytes."""
    size = 0
    while chunk := source.read(CHUNK_BYTES):
        on_chunk(chunk)
        target.write(chunk)
        size += len(chunk)
        on_bytes(len(chunk))
    return size


class Archive:
    """An archive that is open for reading, with its `metadata` and its `files` by name."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Check an open zip file.

        Raises SchemaError if it has a newer format, or is not what `write_archive` writes.
        """
        self.path = path
        self._archive = archive
        members = {member.filename: member for member in archive.infolist()}
        if FILE_LIST not in members:
            raise _damaged_error(path, "it has no list of files, so it is not a backup, or it was cut short")
        # Uncompressed members cannot be larger than the archive, so none can demand more memory or disk than that.
        size = path.stat().st_size
        if len(members) != len(archive.infolist()) or sum(member.file_size for member in members.values()) > size:
            raise _damaged_error(path, "a name is there twice, or the members are larger together than the file")
        for name, member in members.items():
            if (fault := _member_fault(name, member)) is not None:
                raise _damaged_error(path, f"{name!r} {fault}")
        self.metadata: dict[str, Any] = json.loads(archive.read(FILE_LIST))
        check_schema_version(self.metadata["form"], FORMAT_VERSION, f"The backup {path}")
        listed = cast("dict[str, dict[str, Any]]", self.metadata["files"])
        self.files = {name: FileEntry(**entry) for name, entry in listed.items()}
        if {name: entry.bytes for name, entry in self.files.items()} != {
            name: member.file_size for name, member in members.items() if name != FILE_LIST
        }:
            raise _damaged_error(path, "its list of files does not match its members")
        folders = {str(folder) for name in self.files for folder in PurePosixPath(name).parents}
        if conflicts := sorted(folders & set(self.files)):
            raise _damaged_error(path, f"{conflicts[0]!r} is both a file and a folder")

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator[Archive]:
        """Open the archive at `path`; damage that is found inside the block raises SchemaError, too.

        Raises:
            BadOption: there is no such file.
            SchemaError: the file is damaged, not an archive, or has a newer format.
            StorageError: the disk refuses.
        """
        if not path.is_file():
            raise BadOption(f"There is no file {path}.", remedy="Give a file that `modiste backup` wrote.")
        with storage_errors(f"Reading {path}"):
            try:
                with zipfile.ZipFile(path) as archive:
                    yield cls(path, archive)
            except DAMAGE_ERRORS as error:
                raise _damaged_error(path, str(error) or type(error).__name__) from error
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                raise _damaged_error(path, "an offset in it points out of the file") from error

    def extract(self, target: Path, on_bytes: OnBytes) -> None:
        """Write all files into the directory `target` and check the hash of each.

        Raises SchemaError if a file does not have its hash; do not use `target` then. Raises StorageError if the disk
        refuses.
        """
        for name, entry in self.files.items():
            path, digest = target / name, hashlib.sha256()
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._archive.open(name) as member, path.open("xb") as file:
                _copy(member, file, digest.update, on_bytes)
            if digest.hexdigest() != entry.sha256:
                raise _damaged_error(self.path, f"the bytes of {name!r} do not match their hash")


def _member_fault(name: str, member: zipfile.ZipInfo) -> str | None:
    """Return what is wrong with a member of an archive, or None."""
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "is not a name of a file inside a shop"
    if member.orig_filename != name or stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is not a regular file"
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        return "is compressed, which members of a backup are not"
    return None


def _damaged_error(path: Path, reason: str) -> SchemaError:
    return SchemaError(
        f"{path} is not a complete backup: {reason}.",
        remedy="Nothing was restored from it. Use another copy, or an earlier backup.",
    )
