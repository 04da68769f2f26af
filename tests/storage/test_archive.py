"""Truncated, changed, fake and hostile archives are rejected."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste.errors import BadOption, SchemaError, StorageError
from modiste.storage.archive import FILE_LIST, FORMAT_VERSION, Archive, write_archive
from tests.contents import contents

FILES = {"shop.json": b"{}\n", "store/a/data": bytes(range(256)) * 20, "store/empty": b"", "models/é.npy": b"x" * 999}


@pytest.fixture
def archive_of_root(tmp_path: Path) -> tuple[Path, Path]:
    """Return a directory, and an archive of it."""
    root = tmp_path / "root"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    write_archive(tmp_path / "out.zip", root, list(FILES), {"made": "today"}, lambda _: None)
    return root, tmp_path / "out.zip"


def unpack(archive: Path, target: Path) -> dict[str, Any]:
    target.mkdir()
    with Archive.open(archive) as opened:
        opened.extract(target, lambda _: None)
        return opened.metadata


def write_fake_archive(path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]], **header: Any) -> None:
    """Write an archive with any members and a matching list of files, except for the entries in `header`."""
    names = [each if isinstance(each, str) else each.filename for each, _ in members]
    files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, (_, data) in zip(names, members, strict=True)
    }
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in members:
            archive.writestr(each, data)
        archive.writestr(FILE_LIST, json.dumps({"form": FORMAT_VERSION, "files": files} | header))


def test_round_trip(archive_of_root: tuple[Path, Path], tmp_path: Path) -> None:
    root, archive = archive_of_root
    assert unpack(archive, tmp_path / "again")["made"] == "today"
    assert contents(tmp_path / "again") == contents(root)
    assert zipfile.ZipFile(archive).testzip() is None  # any zip program can read it


def test_truncated_archive_is_rejected(archive_of_root: tuple[Path, Path], tmp_path: Path) -> None:
    whole = archive_of_root[1].read_bytes()
    for number, length in enumerate({*range(0, len(whole), 97), *range(len(whole) - 60, len(whole))}):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(SchemaError, match="not a complete backup"):
            unpack(tmp_path / "cut.zip", tmp_path / f"cut-{number}")


def test_changed_byte_is_rejected_or_harmless(archive_of_root: tuple[Path, Path], tmp_path: Path) -> None:
    root, archive = archive_of_root
    whole, random, refused = archive.read_bytes(), np.random.default_rng(0), 0
    for number, place in enumerate(random.integers(0, len(whole), 400).tolist()):
        changed = bytearray(whole)
        changed[place] ^= int(random.integers(1, 256))
        (tmp_path / "changed.zip").write_bytes(changed)
        try:
            unpack(tmp_path / "changed.zip", tmp_path / f"changed-{number}")
        except SchemaError:
            refused += 1
        else:
            assert contents(tmp_path / f"changed-{number}") == contents(root), place
    assert refused > 300


def test_sha256_detects_a_change_with_a_forged_crc(tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "out.zip", [("shop.json", b"one")])
    write_fake_archive(
        tmp_path / "other.zip",
        [("shop.json", b"two")],
        files=json.loads(_read_file_list(tmp_path / "out.zip"))["files"],
    )
    with pytest.raises(SchemaError, match=r"the bytes of 'shop.json'"):
        unpack(tmp_path / "other.zip", tmp_path / "target")


def _read_file_list(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(FILE_LIST)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a//b", "./a", "a/./b", "..", "a/"])
def test_names_outside_the_target_are_rejected(name: str, tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "bad.zip", [(name, b"" if name.endswith("/") else b"x")])
    before = contents(tmp_path)
    with pytest.raises(SchemaError, match="not a complete backup"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")
    assert contents(tmp_path) == before


def test_symbolic_link_is_rejected(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("store")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    write_fake_archive(tmp_path / "bad.zip", [(link, b"/etc")])
    with pytest.raises(SchemaError, match="not a regular file"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_name_is_rejected(tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "bad.zip", [("a", b"one"), ("a", b"one")])
    with pytest.raises(SchemaError, match="twice"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_name_that_is_both_file_and_folder_is_rejected(tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "bad.zip", [("a", b"one"), ("a/b", b"two")])
    with pytest.raises(SchemaError, match="a file and a folder"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_zip_bomb_is_rejected(tmp_path: Path) -> None:
    bomb = zipfile.ZipInfo("a")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    write_fake_archive(tmp_path / "bad.zip", [(bomb, bytes(50_000_000))])
    assert (tmp_path / "bad.zip").stat().st_size < 100_000
    with pytest.raises(SchemaError, match="larger together than the file"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


@pytest.mark.parametrize(
    "header",
    [
        {"files": {}},
        {"files": {"a": {"bytes": 3, "sha256": "0"}, "b": {"bytes": 0, "sha256": "0"}}},
        {"files": {"a": {"bytes": 2, "sha256": "0"}}},
        {"files": {"a": 3}},
        {"files": []},
        {"form": None},
        {"form": "1"},
    ],
)
def test_mismatched_file_list_is_rejected(header: dict[str, Any], tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "bad.zip", [("a", b"one")], **header)
    with pytest.raises(SchemaError):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_newer_format_is_rejected_naming_both_versions(tmp_path: Path) -> None:
    write_fake_archive(tmp_path / "new.zip", [("a", b"one")], form=FORMAT_VERSION + 1)
    with pytest.raises(SchemaError, match=rf"schema {FORMAT_VERSION + 1}; .* up to {FORMAT_VERSION}"):
        unpack(tmp_path / "new.zip", tmp_path / "target")


@pytest.mark.parametrize("data", [b"", b"PK", b"nothing of the kind" * 99, b'{"form": 1, "files": {}}'])
def test_file_that_is_not_a_backup_is_rejected(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(SchemaError, match="not a complete backup"):
        unpack(tmp_path / "file", tmp_path / "target")


def test_zip_file_without_a_file_list_is_rejected(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(SchemaError, match="no list"):
        unpack(tmp_path / "photos.zip", tmp_path / "target")


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="no file"):
        unpack(tmp_path / "none.zip", tmp_path / "target")


def test_failed_write_keeps_the_old_archive(
    archive_of_root: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, archive = archive_of_root
    before = contents(archive.parent)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match="Free some space"):
        write_archive(archive, root, list(FILES), {}, lambda _: None)
    assert contents(archive.parent) == before


def test_stale_partials_are_removed(archive_of_root: tuple[Path, Path]) -> None:
    root, archive = archive_of_root
    dead, other = (archive.with_name(".out.zip.99999999.partial"), archive.with_name(".else.zip.99999999.partial"))
    mine = archive.with_name(f".out.zip.{os.getppid()}.partial")
    for path in (dead, other, mine):
        path.write_bytes(b"half")
    write_archive(archive, root, list(FILES), {}, lambda _: None)
    assert not dead.exists()
    assert other.exists()
    assert mine.exists()  # it belongs to a live process
