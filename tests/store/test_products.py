"""The product database keeps what it was given, replaces by id, and refuses damage."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from modiste.errors import SchemaError, ShopIncomplete, UnknownProduct
from modiste.store.products import ProductStore, StoredProduct


def product(number: int, photo: bytes = b"jpeg", category: str = "bags") -> StoredProduct:
    name = f"it's {number}"
    return StoredProduct(
        name, category, photo + bytes([number % 256]), f"h{number}", "s", {"name": 'für "Élise"'}
    )


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    made = ProductStore.create(tmp_path / "store")
    made.upsert([product(number) for number in range(20)])
    return made


def test_what_goes_in_comes_out(store: ProductStore) -> None:
    again = ProductStore.open(store.directory)
    assert again.count() == 20
    assert again.get("it's 7") == product(7)
    assert again.photos(["it's 9", "it's 3"]) == [product(9).photo, product(3).photo]
    assert len(again.photos()) == 20
    assert again.table(["category", "id"]).column_names == ["category", "id"]


def test_upsert_replaces_by_id(store: ProductStore) -> None:
    before = store.hash()
    store.upsert([StoredProduct("it's 7", "shoes", b"new", "other", "s", {})])
    assert store.count() == 20
    assert store.get("it's 7").photo == b"new"
    assert store.hash() != before


def test_the_hash_is_of_content_not_of_history(store: ProductStore, tmp_path: Path) -> None:
    other = ProductStore.create(tmp_path / "other")
    for number in reversed(range(20)):
        other.upsert([product(number)])
    assert other.hash() == store.hash()
    other.optimize()
    assert other.hash() == store.hash()
    assert other.count() == 20


def test_deleting(store: ProductStore) -> None:
    store.delete(["it's 1", "unknown"])
    assert store.count() == 19
    with pytest.raises(UnknownProduct, match="it's 1"):
        store.get("it's 1")
    with pytest.raises(UnknownProduct):
        store.photos(["it's 2", "it's 1"])


def test_encodings_are_replaced_whole(store: ProductStore) -> None:
    ids = [f"it's {number}" for number in range(20)]
    mean = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    store.write_encodings("m1", ids[:5], mean[:5], mean[:5] + 1, mean[:5] + 2)
    store.write_encodings("m1", ids, mean, mean + 1, mean + 2)
    found = ProductStore.open(store.directory).read_encodings("m1")
    assert found.ids == ids
    assert np.array_equal(found.mean, mean)
    assert np.array_equal(found.std, mean + 1)
    assert np.array_equal(found.code, mean + 2)
    assert found.catalogue_hash == store.hash()
    with pytest.raises(ShopIncomplete, match="m2"):
        store.read_encodings("m2")


def test_missing_and_damaged(store: ProductStore, tmp_path: Path) -> None:
    with pytest.raises(ShopIncomplete):
        ProductStore.open(tmp_path / "nowhere")
    for path in (store.directory / "products.lance" / "_versions").iterdir():
        path.write_bytes(b"damage")
    with pytest.raises(SchemaError, match="cannot be read"):
        ProductStore.open(store.directory)


def test_readers_see_a_whole_version_while_another_writes(store: ProductStore) -> None:
    reader = ProductStore.open(store.directory)
    store.upsert([product(number) for number in range(20, 40)])
    assert reader.count() in (20, 40)
    assert ProductStore.open(store.directory).count() == 40


def test_two_processes_do_not_duplicate_rows(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    ProductStore.create(directory)
    script = textwrap.dedent(f"""
        from modiste.store.products import ProductStore, StoredProduct
        store = ProductStore.open({str(directory)!r})
        for turn in range(5):
            store.upsert([StoredProduct(str(n), "bags", b"x", "h", "s", {{}}) for n in range(50)])
    """)
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) for _ in range(2)
    ]
    for process in processes:
        process.wait()
    table = ProductStore.open(directory).table(["id"])
    assert sorted(table.column("id").to_pylist()) == sorted(str(n) for n in range(50))
