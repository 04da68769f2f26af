"""Every kind of damage to a shop is found and reported with its file; files that only cost time are not faults."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from modiste import Shop
from modiste.errors import ShopNotFound
from modiste.pipeline.doctor.check import check_shop
from modiste.storage import array_files, snapshot
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from tests.contents import edit


def model_of(root: Path) -> Path:
    return ShopPaths(root).model(str(Manifest.load(root).model))


def change(path: Path, place: int = -200) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_intact_shop_has_no_faults(small: Path) -> None:
    reports: list[dict[str, Any]] = []
    assert check_shop(small, reports.append) == []
    assert reports[-1] == {"stage": "examine", "done": 24, "total": 24}


def test_missing_shop_raises(tmp_path: Path) -> None:
    with pytest.raises(ShopNotFound):
        check_shop(tmp_path)


def product_twice(root: Path) -> None:
    store = ProductStore.open(root / "store")
    store.refresh()
    store._table.add(store._table.search().limit(1).to_arrow())


def product_with(**values: Any) -> Callable[[Path], None]:
    def broken(root: Path) -> None:
        store = ProductStore.open(root / "store")
        product = store.get(store.table(["id"]).column("id").to_pylist()[0])
        store.upsert([replace(product, **values)])

    return broken


def bad_attributes(root: Path) -> None:
    store = ProductStore.open(root / "store")
    store.refresh()
    store._table.update(where="id = 'sample-00001'", values={"attributes": "{"})


def pages(root: Path) -> None:
    for path in (root / "store" / "products.lance" / "data").iterdir():
        path.write_bytes(b"nothing")


def lost(name: str) -> Callable[[Path], None]:
    return lambda root: shutil.rmtree(root / name)


def other_encodings(root: Path) -> None:
    store = ProductStore.open(root / "store")
    model = str(Manifest.load(root).model)
    encodings = store.read_encodings(model)
    epsilon = np.array(json.loads((root / "models" / model / "config.json").read_text())["epsilon"], np.float32)
    mean = encodings.mean[::-1]
    store.write_encodings(model, encodings.ids, mean, encodings.std, mean + encodings.std * epsilon)


def swapped_clusters(root: Path) -> None:
    path = model_of(root) / "clusters.json"
    raw = json.loads(path.read_text())
    raw["clusters"]["labels"] = raw["clusters"]["labels"][::-1]
    edit(path, clusters=raw["clusters"])


BROKEN: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no manifest": (lambda root: (root / "shop.json").unlink(), "shop", "shop.json"),
    "a manifest cut short": (lambda root: os.truncate(root / "shop.json", 90), "shop", "shop.json"),
    "a newer manifest": (lambda root: edit(root / "shop.json", schema=9), "shop", "shop.json"),
    "no store": (lost("store"), "products", "store"),
    "a table that cannot be read": (pages, "products", "store"),
    "a product twice": (product_twice, "products", "store/products.lance"),
    "a photo that is none": (product_with(photo=b"\xff\xd8 no"), "products", "store/products.lance"),
    "no category": (product_with(category=""), "products", "store/products.lance"),
    "attributes that are none": (bad_attributes, "products", "store/products.lance"),
    "another catalogue": (product_with(category="hats"), "catalogue", "shop.json"),
    "a changed encoder": (lambda root: change(model_of(root) / "encoder.onnx"), "model", "encoder.onnx"),
    "a changed decoder": (lambda root: change(model_of(root) / "decoder.onnx"), "model", "decoder.onnx"),
    "changed weights": (lambda root: change(model_of(root) / "model.safetensors"), "model", "model.safetensors"),
    "no weights": (lambda root: (model_of(root) / "model.safetensors").unlink(), "model", "model.safetensors"),
    "no model": (lambda root: shutil.rmtree(model_of(root)), "model", "shop.json"),
    "another epsilon": (lambda root: edit(model_of(root) / "config.json", epsilon=[1.0] * 4), "encodings", "lance"),
    "encodings of other products": (other_encodings, "encodings", "lance"),
    "no clusters": (lambda root: (model_of(root) / "clusters.json").unlink(), "clusters", "clusters.json"),
    "clusters cut short": (lambda root: os.truncate(model_of(root) / "clusters.json", 90), "clusters", "json"),
    "clusters of another name": (swapped_clusters, "clusters", "clusters.json"),
    "numbers of the index": (lambda root: change(model_of(root) / "index" / "mean.npy", 130), "index", "index"),
    "bounds of the index": (lambda root: change(model_of(root) / "index" / "code_box.npy", 131), "index", "index"),
    "sliders cut short": (lambda root: os.truncate(model_of(root) / "sliders.json", 90), "sliders", "sliders.json"),
    "a map cut short": (lambda root: os.truncate(model_of(root) / "map.json", 90), "map", "map.json"),
    "a map of another catalogue": (
        lambda root: edit(model_of(root) / "map.json", catalogue_hash="0"),
        "map",
        "map.json",
    ),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_damage_is_found_and_named(damage: str, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        array_files, "MAX_VERIFIED_BYTES", 0
    )  # as large as if its sums were not checked each time it is opened
    hurt, part, where = BROKEN[damage]
    hurt(small)
    broken = [fault for fault in check_shop(small) if fault.broken]
    assert part in {fault.part for fault in broken}
    assert any(where in fault.where for fault in broken)
    assert all(fault.message and fault.remedy for fault in broken)
    assert all("modiste " in fault.remedy or "copy" in fault.remedy or "newer" in fault.remedy for fault in broken)


def test_snapshot_that_differs_from_the_table_is_broken(small: Path) -> None:
    path = small / "store" / snapshot.SNAPSHOT_FILE
    table = ipc.open_file(pa.py_buffer(path.read_bytes()[snapshot.CHECKSUM_BYTES :])).read_all()
    about = json.loads(table.schema.metadata[snapshot.METADATA_KEY])
    words = table.set_column(1, "category", pa.array(["bags"] * len(table)))
    with path.open("wb") as file:
        snapshot.write_snapshot(file, words.to_batches(), about["hash"], about["stamp"], 1)
    (fault,) = check_shop(small)
    assert (fault.part, fault.broken) == ("snapshot", True)


def old_model(root: Path) -> None:
    shutil.copytree(model_of(root), root / "models" / "0123456789ab")
    (root / "models" / "0123456789ab" / "model.safetensors").unlink()


MISSING_CACHES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no snapshot": (lambda root: (root / "store" / snapshot.SNAPSHOT_FILE).unlink(), "snapshot"),
    "a snapshot cut short": (lambda root: os.truncate(root / "store" / snapshot.SNAPSHOT_FILE, 99), "snapshot"),
    "no index": (lambda root: shutil.rmtree(model_of(root) / "index"), "index"),
    "an index cut short": (lambda root: os.truncate(model_of(root) / "index" / "rows.npy", 140), "index"),
    "no sliders": (lambda root: (model_of(root) / "sliders.json").unlink(), "sliders"),
    "no map": (lambda root: (model_of(root) / "map.json").unlink(), "map"),
    "a file left": (lambda root: (root / ".shop.json.1.partial").write_text("{"), "leftover"),
    "a directory left": (lambda root: (root / "models" / ".run-1.writing").mkdir(), "leftover"),
    "an old model without its weights": (old_model, "model"),
}


@pytest.mark.parametrize("loss", MISSING_CACHES)
def test_missing_caches_are_not_broken(loss: str, small: Path) -> None:
    before = Shop.open(small).similar(Shop.open(small).random_design(0), 3)
    lose, part = MISSING_CACHES[loss]
    lose(small)
    assert [(fault.part, fault.broken) for fault in check_shop(small)] == [(part, False)]
    assert Shop.open(small).similar(Shop.open(small).random_design(0), 3) == before


@pytest.mark.parametrize("stage", ["model", "encodings", "clusters"])
def test_incomplete_shop_is_not_broken(stage: str, small: Path) -> None:
    nothing = {"model": {"model": None}, "encodings": {"encodings": {}}, "clusters": {"clusters": {}}}
    Manifest.load(small).with_changes(**nothing[stage]).save(small)
    faults = [fault for fault in check_shop(small) if fault.part == stage]
    assert [fault.broken for fault in faults] == [False]
    assert "modiste" in faults[0].remedy


def test_graph_of_an_older_version_is_ignored(small: Path) -> None:
    (model_of(small) / "graph").mkdir()
    (model_of(small) / "graph" / "graph.json").write_text("{")
    assert check_shop(small) == []
    assert Shop.open(small).similar(Shop.open(small).random_design(0), 3)


def test_shop_locked_by_another_writer_is_reported(small: Path) -> None:
    (small / ".shop.json.1.partial").write_text("{")  # may be its own
    with shop_write_lock(small):
        (fault,) = check_shop(small)
    assert (fault.part, fault.where, fault.broken) == ("shop", ".", False)


def test_check_changes_nothing(small: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*") if path.is_file()}
    check_shop(small)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_shop_on_a_read_only_disk_can_be_checked(small: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    done = subprocess.run(["mount", "--bind", str(small), str(mount)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("mounting needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(mount)], check=True)
        assert check_shop(mount) == []
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)
