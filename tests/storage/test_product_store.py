"""Products and encodings round-trip, writes are atomic, and invalid input is rejected."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modiste.errors import BadCode, SchemaError, ShopBusy, ShopIncomplete, StaleError, UnknownProduct
from modiste.storage import database
from modiste.storage.locks import write_lock
from modiste.storage.product_store import ProductStore, StoredProduct


def product(id_: str, category: str = "bags", photo: bytes = b"jpeg", **attributes: Any) -> StoredProduct:
    return StoredProduct(id_, category, photo, f"pixels of {photo!r}", f"source of {id_}", attributes)


def vectors(rows: int, n: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    mean, std = random.normal(size=(rows, n)), random.uniform(0.1, 1, (rows, n))
    return mean.astype(np.float32), std.astype(np.float32), (mean + std).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path) -> ProductStore:
    store = ProductStore.create(tmp_path / "store")
    store.upsert([product(f"p{i}", photo=bytes([i]) * 9, colour="red", size=i) for i in range(5)])
    return store


def test_new_store_is_empty(tmp_path: Path) -> None:
    store = ProductStore.create(tmp_path / "store")
    assert store.count() == 0
    assert len(store.table()) == 0
    assert store.photos() == []
    assert store.hash() == ProductStore.open(tmp_path / "store").hash()


def test_round_trip(store: ProductStore) -> None:
    assert store.count() == 5
    assert store.get("p3") == product("p3", photo=b"\x03" * 9, colour="red", size=3)
    assert store.photos(["p4", "p0", "p4"]) == [b"\x04" * 9, b"\x00" * 9, b"\x04" * 9]
    assert store.photos() == [bytes([i]) * 9 for i in range(5)]
    assert store.photos([]) == []
    assert sorted(store.table(["id"]).column("id").to_pylist()) == [f"p{i}" for i in range(5)]
    assert "photo" not in store.table().column_names


def test_reopened_store_reads_the_same_products(store: ProductStore) -> None:
    other = ProductStore.open(store.directory)
    assert other.get("p1") == store.get("p1")
    assert other.hash() == store.hash()


def test_upsert_replaces_by_id_and_the_last_duplicate_wins(store: ProductStore) -> None:
    store.upsert([product("p1", "footwear", b"a"), product("new"), product("p1", "eyewear", b"b")])
    assert store.count() == 6
    assert store.get("p1").category == "eyewear"
    assert store.photos(["p1"]) == [b"b"]
    store.upsert([])
    assert store.count() == 6


def test_delete_removes_all_or_nothing(store: ProductStore) -> None:
    with pytest.raises(UnknownProduct, match="'gone'"):
        store.delete(["p0", "gone"])
    assert store.count() == 5
    store.delete(["p0", "p2", "p0"])
    store.delete([])
    assert sorted(store.table(["id"]).column("id").to_pylist()) == ["p1", "p3", "p4"]


def test_unknown_ids_raise_unknown_product(store: ProductStore) -> None:
    with pytest.raises(UnknownProduct):
        store.get("p9")
    with pytest.raises(UnknownProduct):
        store.photos(["p1", "p9"])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), min_size=1, max_size=8, unique=True))
def test_any_text_is_a_valid_id(store: ProductStore, ids: list[str]) -> None:
    ids = [f"any {id_}" for id_ in ids]
    store.upsert([product(id_, photo=id_.encode(), name=id_) for id_ in ids])
    assert store.photos(ids) == [id_.encode() for id_ in ids]
    assert store.get(ids[-1]).attributes == {"name": ids[-1]}
    store.delete(ids)
    assert store.count() == 5


@pytest.mark.parametrize("hostile", ["'; DROP TABLE products; --", "a' OR '1'='1", '"', "\\", "\\'", "%", "\n"])
def test_hostile_ids_are_escaped(store: ProductStore, hostile: str) -> None:
    store.upsert([product(hostile, photo=b"mine")])
    assert store.photos([hostile]) == [b"mine"]
    store.delete([hostile])
    assert store.count() == 5


def test_thousands_of_ids_are_read_and_deleted(tmp_path: Path) -> None:
    store = ProductStore.create(tmp_path / "store")
    ids = [f"{i:05}" for i in range(5001)]
    store.upsert([product(id_, photo=id_.encode()) for id_ in ids])
    assert store.photos(ids[::-1]) == [id_.encode() for id_ in ids[::-1]]
    store.delete(ids[:4500])
    assert store.count() == 501


def test_hash_ignores_write_order_and_attributes(tmp_path: Path, store: ProductStore) -> None:
    other = ProductStore.create(tmp_path / "other")
    for i in reversed(range(5)):
        other.upsert([product(f"p{i}", photo=bytes([i]) * 9, colour="blue")])
    assert other.hash() == store.hash()  # the hash excludes attributes, because models do not use them
    other.upsert([product("p0", "footwear", bytes([0]) * 9)])
    changed = other.hash()
    assert changed != store.hash()
    other.upsert([product("p0", photo=b"other pixels")])
    assert other.hash() not in (changed, store.hash())


def test_encodings_round_trip_with_their_catalogue_hash(store: ProductStore) -> None:
    ids = ["p4", "p0", "p3", "p1", "p2"]
    mean, std, code = vectors(5)
    store.write_encodings("m1", ids, mean, std, code)
    encodings = ProductStore.open(store.directory).read_encodings("m1")
    assert encodings.ids == ids
    for part, given_ in ((encodings.mean, mean), (encodings.std, std), (encodings.code, code)):
        np.testing.assert_array_equal(part, given_)
        assert part.dtype == np.float32
    assert encodings.catalogue_hash == store.hash()
    store.upsert([product("p0", "footwear")])
    assert store.read_encodings("m1").catalogue_hash != store.hash()


def test_encodings_are_replaced_per_model(store: ProductStore) -> None:
    ids = [f"p{i}" for i in range(5)]
    store.write_encodings("m1", ids, *vectors(5, 4, 0))
    store.write_encodings("m2", ids, *vectors(5, 7, 1))
    store.delete(["p4"])
    store.write_encodings("m1", ids[:4], *vectors(4, 9, 2))
    assert store.read_encodings("m1").mean.shape == (4, 9)
    assert store.read_encodings("m1").catalogue_hash == store.hash()
    assert store.read_encodings("m2").mean.shape == (5, 7)
    with pytest.raises(ShopIncomplete, match="modiste encode"):
        store.read_encodings("m3")


def test_invalid_encodings_are_rejected(store: ProductStore) -> None:
    ids = [f"p{i}" for i in range(5)]
    mean, std, code = vectors(5)
    for wrong in (ids[:4], [*ids[:4], "p9"], [*ids[:4], "p0"]):
        with pytest.raises(StaleError):
            store.write_encodings("m", wrong, mean[: len(wrong)], std[: len(wrong)], code[: len(wrong)])
    for parts in ((mean[:4], std, code), (mean, std[:, :2], code), (mean[:, 0], std[:, 0], code[:, 0])):
        with pytest.raises(BadCode):
            store.write_encodings("m", ids, *parts)
    for spoil in (np.nan, 0.0, -1.0):
        spoilt = std.copy()
        spoilt[2, 1] = spoil
        with pytest.raises(BadCode):
            store.write_encodings("m", ids, mean, spoilt, code)
    assert list(store.directory.glob("encodings-*")) == []


def test_missing_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("nothing", "empty"):
        with pytest.raises(ShopIncomplete, match="modiste ingest"):
            ProductStore.open(tmp_path / place)
    assert not (tmp_path / "nothing").exists()


def test_table_without_a_schema_version_is_rejected(tmp_path: Path) -> None:
    lancedb.connect(tmp_path).create_table("products", data=pa.table({"id": ["a"]}))
    with pytest.raises(SchemaError, match="schema None"):
        ProductStore.open(tmp_path)


def test_damaged_store_is_rejected(store: ProductStore) -> None:
    for manifest in (store.directory / "products.lance" / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"rubbish")
    with pytest.raises(SchemaError, match="Table products"):
        ProductStore.open(store.directory)


def test_damaged_photos_are_reported(store: ProductStore) -> None:
    for file in (store.directory / "products.lance" / "data").iterdir():
        file.write_bytes(b"rubbish")
    with pytest.raises(SchemaError, match="Table products"):
        ProductStore.open(store.directory).photos(["p1"])


def test_second_writer_is_rejected_and_readers_are_not_blocked(store: ProductStore) -> None:
    with write_lock(store.directory):
        for write in (
            lambda: store.upsert([product("x")]),
            lambda: store.delete(["p0"]),
            lambda: store.write_encodings("m", [f"p{i}" for i in range(5)], *vectors(5)),
            lambda: ProductStore.create(store.directory),
        ):
            with pytest.raises(ShopBusy, match="Another process"):
                write()
        assert ProductStore.open(store.directory).photos(["p1"]) == store.photos(["p1"])
    store.upsert([product("x")])
    assert store.count() == 6


def test_creating_an_existing_store_keeps_its_products(store: ProductStore) -> None:
    assert ProductStore.create(store.directory).count() == 5


def test_small_writes_are_compacted(store: ProductStore) -> None:
    for i in range(30):
        store.upsert([product("p0", photo=f"{i}".encode())])
    data = list((store.directory / "products.lance" / "data").iterdir())
    assert store.photos(["p0"]) == [b"29"]
    assert store.count() == 5
    assert len(data) < 60


def test_reader_of_a_removed_version_reads_the_newest(store: ProductStore, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ProductStore.open(store.directory)
    monkeypatch.setattr("modiste.storage.database.VERSION_RETENTION", timedelta(milliseconds=1))
    monkeypatch.setattr("modiste.storage.product_store.COMPACT_EVERY_VERSIONS", 1)
    old = set((store.directory / "products.lance" / "data").iterdir())
    for each in (b"later", b"latest"):
        time.sleep(0.05)
        store.upsert([product("p0", photo=each)])
    assert not old & set((store.directory / "products.lance" / "data").iterdir())
    assert reader.photos(["p1", "p0"]) == [b"\x01" * 9, b"latest"]


def test_reader_keeps_its_version_after_a_temporary_error(store: ProductStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary error must not move a reader to another version."""
    reader = ProductStore.open(store.directory)
    before = reader.photos(["p0"])
    store.upsert([product("p0", photo=b"later")])
    real, failed = database._query, []

    def query(*args: Any) -> Any:
        if not failed:
            failed.append(args)
            raise OSError("connection reset by peer")
        return real(*args)

    monkeypatch.setattr(database, "_query", query)
    assert reader.photos(["p0"]) == before != [b"later"]
    assert failed
    assert ProductStore.open(store.directory).photos(["p0"]) == [b"later"]


def test_replaced_encodings_are_deleted_from_the_disk(store: ProductStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("modiste.storage.database.REPLACED_RETENTION", timedelta(milliseconds=1))
    ids = [f"p{number}" for number in range(store.count())]
    for seed in range(4):
        time.sleep(0.05)
        store.write_encodings("m", ids, *vectors(len(ids), seed=seed))
    assert len(list((store.directory / "encodings-m.lance" / "data").iterdir())) == 1
