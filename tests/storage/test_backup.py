"""Backup and restore: the restored shop gives the same results, and incomplete files are rejected."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modiste import Shop
from modiste.errors import BadOption, SchemaError, ShopBusy, ShopIncomplete, ShopNotFound, StorageError
from modiste.storage.archive import Archive
from modiste.storage.backup import backup_shop, restore_shop
from modiste.storage.locks import shop_write_lock
from modiste.storage.product_store import ProductStore
from tests.contents import contents, edit
from tests.small import SMALL


def test_restored_shop_gives_the_same_results(built: Path, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    result = backup_shop(built, tmp_path / "shop.zip", on_progress=events.append)
    assert result["bytes"] == (tmp_path / "shop.zip").stat().st_size
    restored = restore_shop(tmp_path / "shop.zip", tmp_path / "again", on_progress=events.append)
    assert {event["stage"] for event in events} == {"backup", "restore"}
    assert all(event["done"] <= event["total"] for event in events)
    before, after = Shop.open(built, need="map"), Shop.open(tmp_path / "again", need="map")
    assert restored["products"] == result["products"] == len(after.catalogue) == len(before.catalogue)
    code = before.random_design(3)
    assert after.similar(code, 9) == before.similar(code, 9)
    assert after.recommend(code) == before.recommend(code)
    assert (after.decode(code) == before.decode(code)).all()
    assert after.store.photos() == before.store.photos()


def test_backup_excludes_training_state(built: Path, tmp_path: Path) -> None:
    backup_shop(built, tmp_path / "shop.zip")
    restore_shop(tmp_path / "shop.zip", tmp_path / "again")
    whole, restored_files = contents(built), contents(tmp_path / "again")
    assert restored_files.items() <= whole.items()
    left_out = {name.split("/")[1] for name in set(whole) - set(restored_files)}
    assert "prepared" in left_out
    assert all(name == "prepared" or name.startswith("run-") for name in left_out)
    text = zipfile.ZipFile(tmp_path / "shop.zip").namelist()
    assert not any(name.startswith("/") or ".." in name for name in text)


def test_restored_shop_is_writable(small: Path) -> None:
    store = ProductStore.open(small / "store")
    ids = store.table(["id"]).column("id").to_pylist()
    store.delete(ids[:1])
    assert ProductStore.open(small / "store").count() == len(ids) - 1


def test_backup_of_a_restored_shop_is_the_same(small: Path, tmp_path: Path) -> None:
    backup_shop(small, tmp_path / "again.zip")
    with Archive.open(SMALL) as first, Archive.open(tmp_path / "again.zip") as second:
        assert first.files == second.files


def test_backup_and_writer_exclude_each_other(small: Path, tmp_path: Path) -> None:
    with shop_write_lock(small), pytest.raises(ShopBusy):
        backup_shop(small, tmp_path / "shop.zip")
    with ProductStore.open(small / "store")._database.exclusive_write("a test"), pytest.raises(ShopBusy):
        backup_shop(small, tmp_path / "shop.zip")
    assert not (tmp_path / "shop.zip").exists()
    shop = Shop.open(small)

    def ask(event: dict[str, Any]) -> None:  # during the backup, the shop answers and is not writable
        assert len(shop.similar(shop.random_design(1), 3)) == 3
        with pytest.raises(ShopBusy), shop_write_lock(small):
            pass

    backup_shop(small, tmp_path / "shop.zip", on_progress=ask)


def test_backup_replaces_an_earlier_file(small: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.zip").write_bytes(b"the one before")
    backup_shop(small, tmp_path / "shop.zip")
    restore_shop(tmp_path / "shop.zip", tmp_path / "again")


def test_shop_with_a_symbolic_link_is_rejected(small: Path, tmp_path: Path) -> None:
    shutil.move(small / "models", tmp_path / "elsewhere")
    (small / "models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SchemaError, match=r"models is a link"):
        backup_shop(small, tmp_path / "shop.zip")
    assert not (tmp_path / "shop.zip").exists()


def test_invalid_shop_or_target_of_a_backup_is_rejected(small: Path, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="inside the shop"):
        backup_shop(small, small / "shop.zip")
    with pytest.raises(ShopNotFound):
        backup_shop(tmp_path / "none", tmp_path / "shop.zip")
    with pytest.raises(StorageError):
        backup_shop(small, tmp_path / "no" / "such" / "folder.zip")
    (small / "shop.json").unlink()
    with pytest.raises(ShopIncomplete):
        backup_shop(small, tmp_path / "shop.zip")
    assert not (tmp_path / "none").exists()
    assert list(tmp_path.glob("*.zip")) == []


@pytest.mark.parametrize("there", ["file", "shop", "something"])
def test_restore_over_existing_files_is_rejected(there: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    if there == "file":
        target.write_text("x")
    elif there == "shop":
        restore_shop(SMALL, target)
    else:
        target.mkdir()
        (target / "letter.txt").write_text("x")
    before = contents(tmp_path)
    with pytest.raises(BadOption, match="something at"):
        restore_shop(SMALL, target)
    assert contents(tmp_path) == before


def test_empty_working_directory_can_be_restored_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    restore_shop(SMALL, ".")
    assert len(Shop.open(tmp_path / "empty").catalogue) == 24
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_truncated_backup_makes_no_shop(share: float, tmp_path: Path) -> None:
    whole = SMALL.read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SchemaError, match="not a complete backup"):
        restore_shop(tmp_path / "cut.zip", tmp_path / "shop")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.zip"]


def test_damaged_backup_makes_no_shop(tmp_path: Path) -> None:
    whole = bytearray(SMALL.read_bytes())
    place = whole.index(b"decoder.onnx") + 5000
    whole[place] ^= 1
    (tmp_path / "bad.zip").write_bytes(whole)
    with pytest.raises(SchemaError, match=r"decoder\.onnx"):
        restore_shop(tmp_path / "bad.zip", tmp_path / "shop")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_shop_of_a_newer_version_is_rejected(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(small / "shop.json", schema=2)
    with monkeypatch.context() as newer:
        newer.setattr("modiste.storage.manifest.migrate", lambda raw, source: raw)
        backup_shop(small, tmp_path / "new.zip")
    with pytest.raises(SchemaError, match="schema 2; this Modiste reads up to 1"):
        restore_shop(tmp_path / "new.zip", tmp_path / "shop")
    assert not (tmp_path / "shop").exists()
