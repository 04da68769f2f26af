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
from modiste.storage.atomic import barrier, clear_partials, partial_of, remove, sync
from modiste.storage.refusals import disk_errors
from modiste.storage.schema_version import check_version

FORM = 1
LIST = "modiste-backup.json"
CHUNK = 2**20
# What zipfile and json raise where bytes are not what they should be; OSError where they send it out of the file.
DAMAGES = (
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
class Held:
    """A file in an archive: how many bytes, and their SHA-256."""

    bytes: int
    sha256: str


def pack(
    out: Path, root: Path, names: Iterable[str], about: dict[str, Any], on_bytes: OnBytes
) -> dict[str, Held]:
    """Write the files `names` of `root`, and what is said `about` them, to the archive `out`.

    Raises:
        StorageError: the disk refused, or a file is gone; `out` is as it was.
    """
    partial = partial_of(out)
    with disk_errors(f"Writing {out}"):
        clear_partials(out)
        try:
            with partial.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    held = {name: _put(archive, root / name, name, on_bytes) for name in names}
                    said = {"form": FORM} | about | {"files": {name: asdict(held[name]) for name in held}}
                    archive.writestr(zipfile.ZipInfo(LIST), json.dumps(said, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(out)
            sync(out.parent)
        except BaseException:
            remove(partial)
            raise
    return held


def _put(archive: zipfile.ZipFile, path: Path, name: str, on_bytes: OnBytes) -> Held:
    about, digest = zipfile.ZipInfo(name), hashlib.sha256()
    about.external_attr = (stat.S_IFREG | 0o644) << 16
    with path.open("rb") as source:
        about.file_size = os.fstat(source.fileno()).st_size  # by which zipfile leaves room for it
        with archive.open(about, "w") as member:
            size = _copy(source, member, digest.update, on_bytes)
    return Held(size, digest.hexdigest())


def _copy(source: IO[bytes], target: IO[bytes], see: Callable[[bytes], object], on_bytes: OnBytes) -> int:
    size = 0
    while chunk := source.read(CHUNK):
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
        if LIST not in members:
            raise _damaged(path, "it has no list of what is in it, so it is no backup, or was cut short")
        # What is not compressed cannot be larger than the archive: nothing in it asks for more memory or disk.
        whole = path.stat().st_size
        if (
            len(members) != len(archive.infolist())
            or sum(each.file_size for each in members.values()) > whole
        ):
            raise _damaged(path, "a name is there twice, or it says that it holds more than it can")
        for name, member in members.items():
            if (fault := _fault(name, member)) is not None:
                raise _damaged(path, f"{name!r} {fault}")
        self.about: dict[str, Any] = json.loads(archive.read(LIST))
        check_version(self.about["form"], FORM, f"The backup {path}")
        listed = cast("dict[str, dict[str, Any]]", self.about["files"])
        self.files = {name: Held(**each) for name, each in listed.items()}
        if {name: each.bytes for name, each in self.files.items()} != {
            name: member.file_size for name, member in members.items() if name != LIST
        }:
            raise _damaged(path, "its list is not of what is in it")
        folders = {str(folder) for name in self.files for folder in PurePosixPath(name).parents}
        if both := sorted(folders & set(self.files)):
            raise _damaged(path, f"{both[0]!r} is a file and a folder")

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Generator[Archive]:
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
        with disk_errors(f"Reading {path}"):
            try:
                with zipfile.ZipFile(path) as archive:
                    yield cls(path, archive)
            except DAMAGES as error:
                raise _damaged(path, str(error) or type(error).__name__) from error
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                raise _damaged(path, "it points out of itself") from error

    def unpack(self, target: Path, on_bytes: OnBytes) -> None:
        """Write all files into the directory `target`, each proven by its hash, and all on the disk for good.

        Raises:
            SchemaError: a file is not what the list says; `target` is then not to be used.
            StorageError: the disk refused.
        """
        with barrier(target):
            for name, held in self.files.items():
                path, digest = target / name, hashlib.sha256()
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._archive.open(name) as member, path.open("xb") as file:
                    _copy(member, file, digest.update, on_bytes)
                if digest.hexdigest() != held.sha256:
                    raise _damaged(self.path, f"the bytes of {name!r} are not those that were written")


def _fault(name: str, member: zipfile.ZipInfo) -> str | None:
    """What is wrong with a member of an archive; None where nothing is."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "is no name of a file inside a shop"
    if member.orig_filename != name or stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is not a plain file"
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        return "is compressed, which a backup is not"
    return None


def _damaged(path: Path, why: str) -> SchemaError:
    return SchemaError(
        f"{path} is not a whole backup: {why}.",
        remedy="Nothing was restored from it. Use another copy, or an earlier backup.",
    )
