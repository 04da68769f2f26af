from __future__ import annotations

import os
from pathlib import Path

import pytest

from modiste.errors import SchemaError, ShopBusy, ShopIncomplete, ShopNotFound, StorageError
from modiste.storage.atomic import write_file
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from tests.contents import edit


def test_round_trip(tmp_path: Path) -> None:
    manifest = Manifest((240, 180), "white", {"hash": "h"}, "m1", {"seed": 0}, {"model": "m1"}, {"k": 3})
    manifest.save(tmp_path)
    assert Manifest.load(tmp_path) == manifest


def test_missing_shop_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ShopNotFound, match="modiste build"):
        Manifest.load(tmp_path)


def test_file_instead_of_a_directory_raises_shop_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ShopNotFound):
        Manifest.load(tmp_path / "file")


def test_interrupted_first_ingest_is_reported(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(ShopIncomplete, match="modiste ingest"):
        Manifest.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff", '{"schema": 1}', '"shop"'])
def test_damaged_manifest_is_rejected(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SchemaError):
        Manifest.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 2),
        ("schema", "1"),
        ("frame", [240]),
        ("frame", [240, 0]),
        ("frame", [240, True]),
        ("frame", "240x180"),
        ("background", "blue"),
        ("model", 7),
        ("encodings", None),
    ],
)
def test_error_names_the_invalid_field(tmp_path: Path, name: str, value: object) -> None:
    Manifest((240, 180)).save(tmp_path)
    edit(tmp_path / "shop.json", **{name: value})
    with pytest.raises(SchemaError, match=name):
        Manifest.load(tmp_path)


def test_deep_nesting_is_rejected_and_missing_fields_get_defaults(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text("[" * 100_000)
    with pytest.raises(SchemaError, match="too deep"):
        Manifest.load(tmp_path)
    Manifest((240, 180)).save(tmp_path)
    edit(tmp_path / "shop.json", model=...)
    assert Manifest.load(tmp_path) == Manifest((240, 180))


def test_source_name_that_is_not_utf8_round_trips(tmp_path: Path) -> None:
    """A folder's name can have another encoding."""
    manifest = Manifest((240, 180), catalogue={"source": os.fsdecode(b"caf\xe9 \xc3\xa9")})
    manifest.save(tmp_path)
    assert Manifest.load(tmp_path) == manifest


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match=r"No space.*Free some space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_second_writer_raises_shop_busy(tmp_path: Path) -> None:
    with shop_write_lock(tmp_path), pytest.raises(ShopBusy, match="Another process"), shop_write_lock(tmp_path):
        pass
    with shop_write_lock(tmp_path):
        pass
