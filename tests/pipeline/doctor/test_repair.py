"""Repair rebuilds derived files, and never changes products or models, even damaged ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modiste import Shop
from modiste.errors import ShopBusy, StaleError
from modiste.pipeline.doctor.repair import check_and_repair
from modiste.pipeline.product_changes import next_step, remove_products
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.snapshot import SNAPSHOT_FILE
from tests.contents import contents


def parts(report: dict, *, repaired: bool) -> set[str]:
    return {fault["part"] for fault in report["faults"] if fault["repaired"] is repaired}


def test_derived_parts_are_rebuilt(small: Path) -> None:
    files, shop = ShopPaths(small), Shop.open(small, need="map")
    model, code = shop.model.model_id, shop.random_design(0)
    answers, names = shop.similar(code, 5), [each.name for each in shop.sliders.latents]
    shutil.rmtree(files.index(model))
    for path in (files.store / SNAPSHOT_FILE, files.map(model), files.sliders(model)):
        path.unlink()
    (small / "models" / f".{model}.1.partial").mkdir()
    (small / "models" / f".{model}.1.partial" / "mean.npy").write_bytes(bytes(3_000_000))
    report = check_and_repair(small, repair=True)
    assert report["intact"]
    assert parts(report, repaired=False) == set()
    assert parts(report, repaired=True) == {"leftover", "snapshot", "index", "map", "sliders"}
    assert report["freed"] > 2_000_000
    again = Shop.open(small, need="map")
    assert again.similar(code, 5) == answers
    assert [each.name for each in again.sliders.latents] == names
    assert check_and_repair(small) == {
        "shop": str(small),
        "bytes": report["bytes"],
        "freed": 0,
        "faults": [],
        "intact": True,
    }


def test_damaged_index_is_rebuilt(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modiste.storage.array_files.MAX_VERIFIED_BYTES", 0)  # as of a large one
    shop = Shop.open(small)
    path = ShopPaths(small).index(shop.model.model_id) / "mean.npy"
    data = bytearray(path.read_bytes())
    data[131] ^= 1
    path.write_bytes(data)
    assert not check_and_repair(small)["intact"]
    report = check_and_repair(small, repair=True)
    assert report["intact"]
    assert parts(report, repaired=True) == {"index"}


def test_many_versions_are_compacted(small: Path) -> None:
    store = ProductStore.open(small / "store")
    (first,) = store.table(["id"]).column("id").to_pylist()[:1]
    for _ in range(6):
        store.upsert([store.get(first)])
    fragments = len(list((small / "store" / "products.lance" / "data").iterdir()))
    assert fragments > 6
    before = store.photos()
    report = check_and_repair(small, repair=True)
    assert report["intact"]
    opened = ProductStore.open(small / "store")
    assert opened.photos() == before
    assert opened._table.stats()["fragment_stats"]["num_fragments"] == 1


def test_interrupted_change_is_completed(small: Path) -> None:
    """Products were removed, but the derived files were not updated."""
    ids = Shop.open(small, need="catalogue").catalogue.ids
    remove_products(small, ids[:5])
    assert not check_and_repair(small)["intact"]
    with pytest.raises(StaleError):
        Shop.open(small)
    report = check_and_repair(small, repair=True)
    assert report["intact"], report
    assert parts(report, repaired=False) == set()
    assert "encodings" in parts(report, repaired=True)
    shop = Shop.open(small, need="map")
    assert shop.catalogue.ids == ids[5:]
    assert (shop.manifest.clusters["k"], len(shop.map.positions)) == (3, len(ids) - 5)
    assert next_step(small) is None


def test_wrong_counts_and_missing_stages_are_repaired(small: Path) -> None:
    store = ProductStore.open(small / "store")
    store.delete(Shop.open(small, need="catalogue").catalogue.ids[:1])  # killed between this and shop.json
    files, model = ShopPaths(small), str(Manifest.load(small).model)
    files.clusters(model).unlink()
    assert check_and_repair(small, repair=True)["intact"]
    assert Manifest.load(small).catalogue["count"] == 23
    assert next_step(small) is None


def test_repair_does_not_complete_a_new_shop(small: Path) -> None:
    manifest = Manifest.load(small)
    manifest.with_changes(encodings={}, clusters={}).save(small)
    shutil.rmtree(small / "store" / f"encodings-{manifest.model}.lance")
    check_and_repair(small, repair=True)
    assert Manifest.load(small).encodings == {}


def test_repair_stops_at_damaged_clusters(small: Path) -> None:
    path = ShopPaths(small).clusters(str(Manifest.load(small).model))
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    remove_products(small, Shop.open(small, need="catalogue").catalogue.ids[:1])
    assert not check_and_repair(small, repair=True)["intact"]
    assert path.read_bytes() == before
    assert next_step(small) == "clusters"


def test_edited_sliders_are_kept(small: Path) -> None:
    path = ShopPaths(small).sliders(str(Manifest.load(small).model))
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 1,,'))
    before = path.read_text()
    report = check_and_repair(small, repair=True)
    assert not report["intact"]
    assert parts(report, repaired=False) == {"sliders"}
    assert path.read_text() == before


@pytest.mark.parametrize("name", ["encoder.onnx", "model.safetensors", "clusters.json"])
def test_damaged_products_and_models_are_kept(name: str, small: Path) -> None:
    path = ShopPaths(small).model(str(Manifest.load(small).model)) / name
    path.write_bytes(path.read_bytes()[:-20])
    before = contents(small)
    report = check_and_repair(small, repair=True)
    assert not report["intact"]
    assert any(name in fault["where"] and fault["broken"] and not fault["repaired"] for fault in report["faults"])
    after = contents(small)
    kept = {each: value for each, value in before.items() if "_versions" not in each and "snapshot" not in each}
    assert kept.items() <= after.items()


def test_damaged_products_stop_the_repair(small: Path) -> None:
    for path in (small / "store" / "products.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[:-3000])
    before = contents(small)
    assert not check_and_repair(small, repair=True)["intact"]
    assert contents(small) == before


def test_repair_raises_if_another_process_writes(small: Path) -> None:
    with shop_write_lock(small), pytest.raises(ShopBusy):
        check_and_repair(small, repair=True)
