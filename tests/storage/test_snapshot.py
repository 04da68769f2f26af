"""The snapshot equals the database, and is ignored once the catalogue has changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from modiste.storage.product_store import ProductStore, StoredProduct
from modiste.storage.snapshot import SNAPSHOT_COLUMNS, SNAPSHOT_FILE, read_snapshot


def product(number: int, category: str = "bags") -> StoredProduct:
    return StoredProduct(f"p{number}", category, b"jpeg", f"hash{number}", "source", {"colour": "red"})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    store = ProductStore.create(tmp_path / "store")
    store.upsert([product(number) for number in range(20)])
    store.save_snapshot()
    return tmp_path / "store"


def test_snapshot_equals_the_database(directory: Path) -> None:
    quick = ProductStore.open(directory)
    (directory / SNAPSHOT_FILE).unlink()
    slow = ProductStore.open(directory)
    assert quick.hash() == slow.hash()
    assert quick.count() == slow.count() == 20
    first, second = (each.table(SNAPSHOT_COLUMNS).sort_by("id").to_pydict() for each in (quick, slow))
    assert first == second
    assert quick.photos(["p3"]) == [b"jpeg"]


def test_long_attributes_are_written_in_batches(directory: Path) -> None:
    store = ProductStore.open(directory)
    numbers = range(20, 620)
    long = [replace(product(number), attributes={"text": f"{number:03d}" * 20_000}) for number in numbers]
    store.upsert(long)
    store.save_snapshot()
    snapshot = read_snapshot(directory, "products")
    assert snapshot is not None
    assert snapshot.table.column("id").num_chunks > 1
    wanted = {row["id"]: row for row in ProductStore.open(directory).table(SNAPSHOT_COLUMNS).to_pylist()}
    assert len(wanted) == 620
    for each in long:
        assert json.loads(wanted[each.id]["attributes"]) == each.attributes


def test_small_batches_are_merged(tmp_path: Path) -> None:
    store = ProductStore.create(tmp_path)
    for number in range(5):
        store.upsert([product(number)])
    store.save_snapshot()
    snapshot = read_snapshot(tmp_path, "products")
    assert snapshot is not None
    assert snapshot.table.column("id").num_chunks == 1
    assert sorted(snapshot.table.column("id").to_pylist()) == [f"p{number}" for number in range(5)]


def test_opening_with_a_snapshot_does_not_load_lancedb(directory: Path) -> None:
    program = (
        "import sys; from modiste.storage.product_store import ProductStore;"
        f"store = ProductStore.open({str(directory)!r}); store.hash(); print('lancedb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_snapshot_is_ignored_after_a_change(directory: Path) -> None:
    before = ProductStore.open(directory)
    old_hash = before.hash()
    ProductStore.open(directory).upsert([product(3, "eyewear"), product(99)])
    after = ProductStore.open(directory)
    assert after.count() == 21
    assert after.hash() != old_hash
    # An open store sees other processes' writes after `refresh`.
    assert before.count() == 20
    before.refresh()
    assert before.hash() == after.hash()


def test_store_sees_its_own_writes(directory: Path) -> None:
    store = ProductStore.open(directory)
    store.delete(["p0"])
    assert store.count() == 19
    assert "p0" not in store.table(["id"]).column("id").to_pylist()


def test_snapshot_of_a_recreated_table_is_ignored(directory: Path) -> None:
    shutil.rmtree(directory / "products.lance")
    store = ProductStore.create(directory)
    store.upsert([product(500)])
    assert ProductStore.open(directory).table(["id"]).column("id").to_pylist() == ["p500"]


def test_copied_store_has_a_valid_snapshot(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "copy")
    assert read_snapshot(tmp_path / "copy", "products") is not None


@pytest.mark.parametrize("damage", [b"", b"ARROW1", None])
def test_damaged_snapshot_is_ignored(directory: Path, damage: bytes | None) -> None:
    path = directory / SNAPSHOT_FILE
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    assert ProductStore.open(directory).count() == 20
