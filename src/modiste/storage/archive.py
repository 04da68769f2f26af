"""A directory in one file: an uncompressed zip whose last member has the SHA-256 of every other.

It is written in one pass, whole or not at all. Of a file that comes from elsewhere nothing is believed: names, kinds
and sizes are checked against that list before anything is written, and bytes against their hash as they are written.
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
from modiste.storage.atomic import fsync, fsync_tree, partial_path, remove_path, remove_stale_partials
from modiste.storage.refusals import storage_errors
from modiste.storage.schema_version import check_schema_version

FORMAT_VERSION = 1
FILE_LIST = "modiste-backup.json"
CHUNK_BYTES = 2**20
# What zipfile and json raise where bytes are not what they should be; OSError where they send it out of the file.
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
    """A file in an archive: how many bytes, and their SHA-256."""

    bytes: int
    sha256: str


def write_archive(
    out: Path, root: Path, names: Iterable[str], metadata: dict[str, Any], on_bytes: OnBytes
) -> dict[str, FileEntry]:
    """Write the files `names` of `root`, and what is said `about` them, to the archive `out`.

    Raises:
        StorageError: the disk refused, or a file is gone; `out` is as it was.
    """
    partial = partial_path(out)
    with storage_errors(f"Writing {out}"):
        remove_stale_partials(out)
        try:
            with partial.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    held = {name: _add_file(archive, root / name, name, on_bytes) for name in names}
                    said = (
                        {"form": FORMAT_VERSION}
                        | metadata
                        | {"files": {name: asdict(held[name]) for name in held}}
                    )
                    archive.writestr(zipfile.ZipInfo(FILE_LIST), json.dumps(said, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(out)
            fsync(out.parent)
        except BaseException:
            remove_path(partial)
            raise
    return held


def _add_file(archive: zipfile.ZipFile, path: Path, name: str, on_bytes: OnBytes) -> FileEntry:
    about, digest = zipfile.ZipInfo(name), hashlib.sha256()
    about.external_attr = (stat.S_IFREG | 0o644) << 16
    with path.open("rb") as source:
        about.file_size = os.fstat(source.fileno()).st_size  # by which zipfile leaves room for it
        with archive.open(about, "w") as member:
            size = _copy(source, member, digest.update, on_bytes)
    return FileEntry(size, digest.hexdigest())


def _copy(source: IO[bytes], target: IO[bytes], see: Callable[[bytes], object], on_bytes: OnBytes) -> int:
    size = 0
    while chunk := source.read(CHUNK_BYTES):
        see(chunk)
        target.write(chunk)
        size += len(chunk)
        on_bytes(len(chunk))
    return size


class Archive:
    """An archive open for reading: what it says `about` itself, and `files`, what it holds by name."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Raises SchemaError where it is of a newer form, or anything in it is not as `pack` writes it."""
        self.path = path
        self._archive = archive
        members = {member.filename: member for member in archive.infolist()}
        if FILE_LIST not in members:
            raise _damaged_error(
                path, "it has no list of what is in it, so it is no backup, or was cut short"
            )
        # What is not compressed cannot be larger than the archive: nothing in it asks for more memory or disk.
        whole = path.stat().st_size
        if (
            len(members) != len(archive.infolist())
            or sum(each.file_size for each in members.values()) > whole
        ):
            raise _damaged_error(path, "a name is there twice, or it says that it holds more than it can")
        for name, member in members.items():
            if (fault := _member_fault(name, member)) is not None:
                raise _damaged_error(path, f"{name!r} {fault}")
        self.metadata: dict[str, Any] = json.loads(archive.read(FILE_LIST))
        check_schema_version(self.metadata["form"], FORMAT_VERSION, f"The backup {path}")
        listed = cast("dict[str, dict[str, Any]]", self.metadata["files"])
        self.files = {name: FileEntry(**each) for name, each in listed.items()}
        if {name: each.bytes for name, each in self.files.items()} != {
            name: member.file_size for name, member in members.items() if name != FILE_LIST
        }:
            raise _damaged_error(path, "its list is not of what is in it")
        folders = {str(folder) for name in self.files for folder in PurePosixPath(name).parents}
        if both := sorted(folders & set(self.files)):
            raise _damaged_error(path, f"{both[0]!r} is a file and a folder")

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator[Archive]:
        """The archive in the file `path`; what is found wrong with it inside the block is a SchemaError too.

        Raises:
            BadOption: there is no such file.
            SchemaError: it is damaged, something else, or of a newer form.
            StorageError: the disk refused.
        """
        if not path.is_file():
            raise BadOption(
                f"There is no file {path}.", remedy="Give a file that `modiste backup` has written."
            )
        with storage_errors(f"Reading {path}"):
            try:
                with zipfile.ZipFile(path) as archive:
                    yield cls(path, archive)
            except DAMAGE_ERRORS as error:
                raise _damaged_error(path, str(error) or type(error).__name__) from error
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                raise _damaged_error(path, "it points out of itself") from error

    def extract(self, target: Path, on_bytes: OnBytes) -> None:
        """Write all files into the directory `target`, each proven by its hash, and all on the disk for good.

        Raises:
            SchemaError: a file is not what the list says; `target` is then not to be used.
            StorageError: the disk refused.
        """
        with fsync_tree(target):
            for name, held in self.files.items():
                path, digest = target / name, hashlib.sha256()
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._archive.open(name) as member, path.open("xb") as file:
                    _copy(member, file, digest.update, on_bytes)
                if digest.hexdigest() != held.sha256:
                    raise _damaged_error(self.path, f"the bytes of {name!r} are not those that were written")


def _member_fault(name: str, member: zipfile.ZipInfo) -> str | None:
    """What is wrong with a member of an archive; None where nothing is."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "is no name of a file inside a shop"
    if member.orig_filename != name or stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is not a plain file"
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        return "is compressed, which a backup is not"
    return None


def _damaged_error(path: Path, why: str) -> SchemaError:
    return SchemaError(
        f"{path} is not a whole backup: {why}.",
        remedy="Nothing was restored from it. Use another copy, or an earlier backup.",
    )
