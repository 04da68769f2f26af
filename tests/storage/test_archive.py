"""Archives that are cut short, changed, made up or hostile: nothing of them is taken for a directory."""

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
from modiste.storage.archive import (
    FILE_LIST,
    FORMAT_VERSION,
    Archive,
    write_archive,
)
from tests.contents import contents

FILES = {
    "shop.json": b"{}\n",
    "store/a/data": bytes(range(256)) * 20,
    "store/empty": b"",
    "models/é.npy": b"x" * 999,
}


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, Path]:
    """A directory, and an archive of it."""
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


def made_up(path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]], **said: Any) -> None:
    """An archive with any members, and a list that fits them, but for what is `said`."""
    names = [each if isinstance(each, str) else each.filename for each, _ in members]
    files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, (_, data) in zip(names, members, strict=True)
    }
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in members:
            archive.writestr(each, data)
        archive.writestr(FILE_LIST, json.dumps({"form": FORMAT_VERSION, "files": files} | said))


def test_there_and_back(packed: tuple[Path, Path], tmp_path: Path) -> None:
    root, archive = packed
    assert unpack(archive, tmp_path / "again")["made"] == "today"
    assert contents(tmp_path / "again") == contents(root)
    assert zipfile.ZipFile(archive).testzip() is None  # any program can look


def test_cut_short_anywhere(packed: tuple[Path, Path], tmp_path: Path) -> None:
    whole = packed[1].read_bytes()
    for number, length in enumerate({*range(0, len(whole), 97), *range(len(whole) - 60, len(whole))}):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(SchemaError, match="not a complete backup"):
            unpack(tmp_path / "cut.zip", tmp_path / f"cut-{number}")


def test_a_changed_byte_is_refused_or_does_not_matter(packed: tuple[Path, Path], tmp_path: Path) -> None:
    root, archive = packed
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


def test_every_byte_of_a_file_counts_though_the_zip_s_own_checksum_is_forged(tmp_path: Path) -> None:
    made_up(tmp_path / "out.zip", [("shop.json", b"one")])
    made_up(
        tmp_path / "other.zip",
        [("shop.json", b"two")],
        files=json.loads(_list(tmp_path / "out.zip"))["files"],
    )
    with pytest.raises(SchemaError, match=r"the bytes of 'shop.json'"):
        unpack(tmp_path / "other.zip", tmp_path / "target")


def _list(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(FILE_LIST)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a//b", "./a", "a/./b", "..", "a/"])
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    made_up(tmp_path / "bad.zip", [(name, b"" if name.endswith("/") else b"x")])
    before = contents(tmp_path)
    with pytest.raises(SchemaError, match="not a complete backup"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")
    assert contents(tmp_path) == before


def test_links(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("store")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    made_up(tmp_path / "bad.zip", [(link, b"/etc")])
    with pytest.raises(SchemaError, match="not a regular file"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path: Path) -> None:
    made_up(tmp_path / "bad.zip", [("a", b"one"), ("a", b"one")])
    with pytest.raises(SchemaError, match="twice"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    made_up(tmp_path / "bad.zip", [("a", b"one"), ("a/b", b"two")])
    with pytest.raises(SchemaError, match="a file and a folder"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_a_bomb(tmp_path: Path) -> None:
    bomb = zipfile.ZipInfo("a")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    made_up(tmp_path / "bad.zip", [(bomb, bytes(50_000_000))])
    assert (tmp_path / "bad.zip").stat().st_size < 100_000
    with pytest.raises(SchemaError, match="larger together than the file"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


@pytest.mark.parametrize(
    "said",
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
def test_a_list_of_something_else(said: dict[str, Any], tmp_path: Path) -> None:
    made_up(tmp_path / "bad.zip", [("a", b"one")], **said)
    with pytest.raises(SchemaError):
        unpack(tmp_path / "bad.zip", tmp_path / "target")


def test_a_newer_form_is_refused_naming_both(tmp_path: Path) -> None:
    made_up(tmp_path / "new.zip", [("a", b"one")], form=FORMAT_VERSION + 1)
    with pytest.raises(SchemaError, match=rf"schema {FORMAT_VERSION + 1}; .* up to {FORMAT_VERSION}"):
        unpack(tmp_path / "new.zip", tmp_path / "target")


@pytest.mark.parametrize("data", [b"", b"PK", b"nothing of the kind" * 99, b'{"form": 1, "files": {}}'])
def test_what_is_no_archive(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(SchemaError, match="not a complete backup"):
        unpack(tmp_path / "file", tmp_path / "target")


def test_somebody_else_s_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(SchemaError, match="no list"):
        unpack(tmp_path / "photos.zip", tmp_path / "target")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="no file"):
        unpack(tmp_path / "none.zip", tmp_path / "target")


def test_a_write_that_fails_leaves_what_was_there(
    packed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, archive = packed
    before = contents(archive.parent)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match="Free some space"):
        write_archive(archive, root, list(FILES), {}, lambda _: None)
    assert contents(archive.parent) == before


def test_what_the_dead_have_left_is_cleared(packed: tuple[Path, Path]) -> None:
    root, archive = packed
    dead, other = (
        archive.with_name(".out.zip.99999999.partial"),
        archive.with_name(".else.zip.99999999.partial"),
    )
    mine = archive.with_name(f".out.zip.{os.getppid()}.partial")
    for path in (dead, other, mine):
        path.write_bytes(b"half")
    write_archive(archive, root, list(FILES), {}, lambda _: None)
    assert not dead.exists()
    assert other.exists()
    assert mine.exists()  # of a process that lives
