"""A shop on object storage: same results, one writer, stable readers, and no lost or duplicated writes."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import BadOption, SchemaError, ShopBusy, ShopNotFound, SourceError, StorageError
from modiste.images.photo import to_png
from modiste.pipeline.build import build
from modiste.pipeline.doctor.repair import check_and_repair
from modiste.pipeline.index import index_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.product_changes import next_step, put_products, refresh_shop, remove_products
from modiste.shop.info import describe_shop
from modiste.sources.record import Record
from modiste.storage.backup import backup_shop, restore_shop
from modiste.storage.location import read_manifest, read_path, write_path
from modiste.storage.object_store import ObjectStore
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.remote import commit, lease
from modiste.storage.remote.cache import LocalCache
from tests import s3
from tests.small import FRAME, SMALL, Listed


@pytest.fixture
def on_other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that calls another with its own cache, as on another machine."""

    def call(work: Any, *args: Any, **kwargs: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setenv("MODISTE_CACHE", str(tmp_path / "elsewhere"))
            return work(*args, **kwargs)

    return call


def record(seed: int) -> Record:
    """Return a new product of the shop's frame size."""
    photo = np.random.default_rng(seed).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    return Record(f"new-{seed}", "bags", to_png(photo), {"year": seed})


def interrupt_write(url: str, work: Callable[[Path], object]) -> None:
    """Write to the shop at a URL, and interrupt the write before its end."""
    with suppress(KeyboardInterrupt), write_path(url) as root:
        work(root)
        raise KeyboardInterrupt


def ids_of(url: str) -> list[str]:
    return Shop.open(url, need="catalogue").catalogue.ids


def test_results_equal_those_of_a_shop_in_a_directory(there: str, small: Path) -> None:
    here, far = Shop.open(small, need="map"), Shop.open(there, need="map")
    assert far.path == there
    code = here.random_design(7)
    assert (far.random_design(7) == code).all()
    for method in ("likelihood", "fixed-epsilon", "mean"):
        assert far.similar(code, 5, method) == here.similar(code, 5, method)
    assert far.recommend(code, 2) == here.recommend(code, 2)
    assert (far.decode(code) == here.decode(code)).all()
    assert far.typicality(code) == here.typicality(code)
    assert far.store.photos() == here.store.photos()
    assert far.jpeg(far.catalogue.ids[3]) == here.jpeg(here.catalogue.ids[3])
    assert describe_shop(there) == describe_shop(small)


def test_opening_reads_the_index_and_no_table(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Shop.open(there)
    monkeypatch.setattr("modiste.storage.database.Database.__init__", None)  # any call fails
    shop = Shop.open(there, need="map")
    assert len(shop.similar(shop.random_design(1), 3)) == 3


def test_missing_shop_is_an_error(s3_url: str) -> None:
    for ask in (Shop.open, describe_shop, index_shop, refresh_shop, check_and_repair):
        with pytest.raises(ShopNotFound, match=s3_url) as raised:
            ask(s3_url)
        assert f"--shop {s3_url}" in raised.value.remedy
    assert list(ObjectStore(s3_url).list()) == []


def test_empty_ingest_makes_no_shop(s3_url: str, sample_records: list[Record]) -> None:
    with pytest.raises(SourceError):
        ingest(Listed([]), s3_url)
    with pytest.raises(ShopNotFound):
        Shop.open(s3_url, need="catalogue")
    ingest(Listed(list(sample_records[:12])), s3_url, frame=FRAME)
    assert len(ids_of(s3_url)) == 12


@pytest.mark.slow
def test_shop_built_at_a_url_equals_one_in_a_directory(built: Path, s3_url: str, sample_records: list[Record]) -> None:
    options: dict[str, Any] = {"frame": FRAME, "epochs": 10, "latent": 8, "cluster_method": "kmeans"}
    source = Listed(list(sample_records), "sample")
    result = build(source, s3_url, **options)
    assert result["done"] == ["ingest", "train", "encode", "cluster", "sliders", "map"]
    here, far = Shop.open(built, need="map"), Shop.open(s3_url, need="map")
    assert far.model.model_id == here.model.model_id
    for seed in range(5):
        code = here.random_design(seed)
        assert (far.random_design(seed) == code).all()
        assert far.similar(code, 9) == here.similar(code, 9)
        assert far.recommend(code) == here.recommend(code)
    assert far.store.photos() == here.store.photos()
    assert build(source, s3_url, **options)["kept"] == ["train", "encode", "cluster", "sliders", "map"]
    report = check_and_repair(s3_url)
    assert report["intact"]
    assert [fault for fault in report["faults"] if fault["part"] != "leftover"] == []


def test_reader_keeps_its_version(there: str, on_other_machine: Any) -> None:
    reader = Shop.open(there, need="map")
    before, code = reader.catalogue.ids, reader.random_design(1)
    answer, photos = reader.similar(code, 5, scope="catalogue"), reader.store.photos()
    assert on_other_machine(put_products, there, [record(1)])["added"] == 1
    on_other_machine(remove_products, there, before[:2])
    # Three of 24 products changed, which is more than REBUILD_SHARE.
    assert on_other_machine(refresh_shop, there) == ["update", "clusters", "map"]
    for _ in range(2):
        assert reader.similar(code, 5, scope="catalogue") == answer
        assert reader.store.photos() == photos
        assert reader.jpeg(before[0])
        reader.store.refresh()
    late = Shop(reader.files, reader.manifest, ProductStore.open(reader.files.store), 1)  # it has read nothing yet
    assert late.similar(code, 5, scope="catalogue") == answer
    assert ids_of(there) == sorted([*before[2:], "new-1"])
    now = Shop.open(there, need="map")
    assert now.similar(now.code_of("new-1"), 1, scope="catalogue")[0].id == "new-1"


def test_compaction_keeps_the_readers_version(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modiste.storage.database.VERSION_RETENTION", timedelta(milliseconds=1))
    photos = Shop.open(there).store.photos()

    def change(root: Path) -> None:
        store = ProductStore.open(ShopPaths(root).store)
        for turn in range(4):
            rows = [store.get(id_) for id_ in store.table(["id"]).column("id").to_pylist()[:3]]
            store.upsert([replace(row, photo=row.photo + bytes([turn])) for row in rows])
            store.compact()

    interrupt_write(there, change)
    assert Shop.open(there).store.photos() == photos
    reader = ProductStore.open(ShopPaths(read_path(there)).store)
    reader.refresh()
    versions = [each["version"] for each in reader._table.list_versions()]
    assert reader.version in versions
    assert max(versions) > reader.version + 4


def test_s3_specific_endpoint_takes_precedence(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", os.environ["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    shop = Shop.open(there)
    assert shop.jpeg(shop.catalogue.ids[0])


def test_second_writer_is_rejected_at_once(there: str, on_other_machine: Any) -> None:
    with write_path(there):
        with pytest.raises(ShopBusy, match=r"on .*, since") as raised:
            on_other_machine(put_products, there, [record(1)])
        assert "Wait" in raised.value.remedy
        with pytest.raises(ShopBusy, match=f"this machine is writing to {there}"):
            put_products(there, [record(1)])
        assert len(Shop.open(there).catalogue) == 24
    assert on_other_machine(put_products, there, [record(1)])["added"] == 1


def test_expired_lease_is_taken_over(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = ObjectStore(there)
    dead = {"holder": "another", "host": "far-away", "since": "2026-01-02T03:04:05", "beat": 7}
    objects.put("writer.json", json.dumps(dead).encode())
    with pytest.raises(ShopBusy, match="on far-away, since 2026-01-02T03:04:05 UTC, with its last heartbeat"):
        put_products(there, [record(1)])
    monkeypatch.setattr(lease, "EXPIRY_SECONDS", 0.0)
    assert put_products(there, [record(1)])["added"] == 1
    assert objects.get("writer.json") is None
    objects.put("writer.json", b"of nobody")
    assert put_products(there, [record(2)])["added"] == 1


def test_writer_sends_heartbeats(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)
    objects = ObjectStore(there)

    def beat() -> int:
        lease_object = objects.get("writer.json")
        return 0 if lease_object is None else int(json.loads(lease_object[0])["beat"])

    with write_path(there):
        first = beat()
        until = time.monotonic() + 20
        while beat() == first:
            assert time.monotonic() < until
    assert objects.get("writer.json") is None


def test_conflicting_writer_is_rejected_and_nothing_is_lost(
    there: str, on_other_machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids_of(there)

    class Slow(Listed):
        """Products that come while another writer, who takes this one for dead, brings its own."""

        def records(self) -> Iterator[Any]:
            yield from self.items
            with monkeypatch.context() as patched:
                patched.setattr(lease, "EXPIRY_SECONDS", 0.0)
                on_other_machine(put_products, there, [record(2)])

    with pytest.raises(ShopBusy, match="has written to") as raised:
        ingest(Slow([record(1)]), there)
    assert "again" in raised.value.remedy
    assert ids_of(there) == sorted([*before, "new-2"])
    assert ingest(Listed([record(1)]), there).products == len(before) + 2
    assert ids_of(there) == sorted([*before, "new-1", "new-2"])
    store = ProductStore.open(ShopPaths(read_path(there)).store)
    store.refresh()
    assert sorted(store.table(["id"]).column("id").to_pylist()) == sorted([*before, "new-1", "new-2"])


def test_failed_write_changes_nothing(there: str) -> None:
    head = ObjectStore(there).get("shop.json")
    interrupt_write(there, lambda root: ShopPaths(root).clusters(Shop.open(root).model.model_id).unlink())
    assert ObjectStore(there).get("shop.json") == head
    assert ObjectStore(there).get("writer.json") is None
    assert check_and_repair(there)["intact"]
    index_shop(there)  # replaces the unfinished write
    assert Shop.open(there).clusters.labels


def test_unchanged_shop_is_not_written(there: str) -> None:
    head = ObjectStore(there).get("shop.json")
    with write_path(there):
        pass
    assert ObjectStore(there).get("shop.json") == head


def test_writes_of_a_killed_writer_are_adopted(there: str, on_other_machine: Any) -> None:
    first = ids_of(there)[0]
    interrupt_write(there, lambda root: ProductStore.open(ShopPaths(root).store).delete([first]))
    assert len(Shop.open(there).catalogue) == 24  # readers have what shop.json names
    assert next_step(there) is None
    on_other_machine(put_products, there, [record(1)])
    assert len(ids_of(there)) == 24
    # The encodings of a shop of 0.1.0 have no photo hashes, and the killed writer left no version to compare with:
    # stages that cannot be updated are built again.
    assert on_other_machine(refresh_shop, there)[0] == "update"
    assert next_step(there) is None
    assert check_and_repair(there)["intact"]


@pytest.mark.parametrize("name", ["index/mean.npy", "decoder.onnx", "sliders.json"])
def test_damaged_cached_file_is_downloaded_again(there: str, name: str) -> None:
    shop = Shop.open(there, need="map")
    path = shop.files.model(shop.model.model_id) / name
    sound = path.read_bytes()
    path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    again = Shop.open(there, need="map")
    assert (again.files.model(again.model.model_id) / name).read_bytes() == sound
    assert len(again.similar(again.random_design(1), 3)) == 3
    path.unlink()
    Shop.open(there, need="map")
    assert path.read_bytes() == sound


def test_changed_remote_file_is_an_error(there: str) -> None:
    model = Shop.open(there).model.model_id
    objects = ObjectStore(there)
    name = next(each.name for each in objects.list(f"files/models/{model}/decoder.onnx"))
    objects.put(name, b"something else")
    Shop.open(there)  # makes a cached copy
    for path in LocalCache(objects).files.iterdir():
        path.unlink()
    with pytest.raises(StorageError, match="do not match their hash"):
        Shop.open(there)
    objects.delete([name])
    with pytest.raises(StorageError, match="no longer exists"):
        Shop.open(there)


def test_damaged_shop_json_is_an_error(there: str, small: Path) -> None:
    objects = ObjectStore(there)
    response = objects.get("shop.json")
    assert response is not None
    manifest = json.loads(response[0])
    cases = {
        "checksum does not match": json.dumps(manifest | {"commit": "x"}),
        "reads up to": json.dumps({name: each for name, each in manifest.items() if name != "seal"} | {"form": 9}),
        "cannot be read": "{",
        "not a name of a file": json.dumps({"form": 1, "commit": "x", "manifest": {}, "tables": {}, "files": {
            "../x": {"bytes": 1, "sha256": "0" * 64}}}),
        "copied there": (small / "shop.json").read_text(),
    }  # fmt: skip
    for says, text in cases.items():
        objects.put("shop.json", text.encode())
        with pytest.raises(SchemaError, match=says):
            Shop.open(there)


def test_unreachable_store_is_an_error(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop.open(there)
    shop.store.refresh()  # the table is open
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="cannot be reached") as raised:
        Shop.open(there)
    assert raised.value.exit_code == 6
    with pytest.raises(StorageError, match="cannot be reached"):
        index_shop(there)


def test_backup_and_restore(there: str, s3_url: str, small: Path, tmp_path: Path) -> None:
    put_products(there, [record(1)])
    refresh_shop(there)
    # shop.json does not name this version, so it is not in a backup.
    interrupt_write(there, lambda root: ProductStore.open(ShopPaths(root).store).delete(["new-1"]))
    result = backup_shop(there, tmp_path / "shop.zip")
    assert (result["shop"], result["products"]) == (there, 25)
    restore_shop(tmp_path / "shop.zip", tmp_path / "again")
    here, far = Shop.open(tmp_path / "again", need="map"), Shop.open(there, need="map")
    assert here.path == tmp_path / "again"
    code = far.random_design(2)
    assert here.similar(code, 5) == far.similar(code, 5)
    assert here.store.photos() == far.store.photos()
    report = check_and_repair(tmp_path / "again")
    assert report["intact"]
    assert report["faults"] == []  # the index and the snapshot match, too
    put_products(tmp_path / "again", [record(2)])
    restore_shop(tmp_path / "shop.zip", f"{s3_url}-2")
    assert ids_of(f"{s3_url}-2") == ids_of(there)
    assert check_and_repair(f"{s3_url}-2")["faults"] == []


def test_removed_shop_can_be_created_again(there: str, sample_records: list[Record]) -> None:
    put_products(there, [record(1)])
    objects = ObjectStore(there)
    objects.delete([each.name for each in objects.list()])
    with pytest.raises(ShopNotFound):
        put_products(there, [record(2)])
    ingest(Listed(list(sample_records[:3])), there, frame=(32, 24))  # with another frame than the removed shop
    assert Shop.open(there, need="catalogue").frame == (32, 24)
    assert len(ids_of(there)) == 3
    assert read_manifest(there).model is None


def test_slow_reader_reads_the_next_version(there: str, on_other_machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "ORPHAN_RETENTION", -commit.ORPHAN_RETENTION)
    fetch, taus = LocalCache._download, [0.1, 0.2]

    def slow(self: LocalCache, missing: Any) -> None:
        coming = taus.copy()
        taus.clear()
        for tau in coming:
            on_other_machine(index_shop, there, tau=tau)
        fetch(self, missing)

    for path in LocalCache(ObjectStore(there)).files.iterdir():
        path.unlink()
    monkeypatch.setattr(LocalCache, "_download", slow)
    assert Shop.open(there).tau == 0.2


def test_restore_over_existing_shop_is_rejected(there: str, s3_url: str) -> None:
    with pytest.raises(BadOption, match="something at"):
        restore_shop(SMALL, there)
    objects = ObjectStore(f"{s3_url}-2")
    objects.put("store/products.lance/data/x.lance", b"of an ingest that was killed")
    with pytest.raises(BadOption, match="something at"):
        restore_shop(SMALL, objects.url)
    objects.put("restoring", b"")  # a killed restore leaves this object
    assert restore_shop(SMALL, objects.url)["products"] == 24
    assert check_and_repair(objects.url)["faults"] == []
    assert objects.get("restoring") is None
    assert objects.get("store/products.lance/data/x.lance") is None


def test_doctor_repairs_derived_files(there: str) -> None:
    with write_path(there) as root:
        files = ShopPaths(root)
        model = Shop.open(root).model.model_id
        (files.store / "products.snapshot").unlink()
        (files.index(model) / "index.json").unlink()
        files.map(model).unlink()
    report = check_and_repair(there)
    assert {fault["part"] for fault in report["faults"]} == {"snapshot", "index", "map"}
    assert all(there in fault["remedy"] or "DIR" in fault["remedy"] for fault in report["faults"])
    report = check_and_repair(there, repair=True)
    assert report["intact"]
    assert all(fault["repaired"] for fault in report["faults"])
    assert check_and_repair(there)["faults"] == []


def test_orphaned_files_are_deleted(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def indexes() -> int:
        return sum("index.json" in each.name for each in ObjectStore(there).list("files"))

    for tau in (0.1, 0.2, 0.3):
        index_shop(there, tau=tau)
    assert indexes() == 4
    monkeypatch.setattr(commit, "ORPHAN_RETENTION", -commit.ORPHAN_RETENTION)  # every file counts as old
    index_shop(there, tau=0.4)
    assert indexes() == 2  # the current and the previous one, for readers that have just read that
    assert check_and_repair(there)["intact"]


def test_store_without_conditional_writes_is_rejected(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3.running("--without-conditions") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(StorageError, match="ignores conditions"):
            restore_shop(SMALL, there)
        with pytest.raises(ShopNotFound):
            Shop.open(there)


def test_open_copies_are_not_evicted(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop.open(there)
    first = shop.files.root
    index_shop(there, tau=0.1)
    monkeypatch.setattr("modiste.storage.remote.cache.MAX_IDLE_SECONDS", -10.0)
    second = Shop.open(there)
    assert first.is_dir()
    assert shop.jpeg(shop.catalogue.ids[0])  # the first read of a photo
    assert len(shop.similar(shop.random_design(1), 3)) == 3
    del shop
    gc.collect()
    Shop.open(there)
    assert not first.exists()
    assert second.files.root.is_dir()


def test_unused_copies_are_evicted(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Shop.open(there)
    for tau in (0.1, 0.2):
        index_shop(there, tau=tau)
        Shop.open(there)
    trees = LocalCache(ObjectStore(there)).root / "trees"
    assert len(list(trees.iterdir())) == 3
    monkeypatch.setattr("modiste.storage.remote.cache.MAX_IDLE_SECONDS", -10.0)
    shop = Shop.open(there)
    assert list(trees.iterdir()) == [shop.files.root]
    assert all(
        path.stat().st_nlink > 1 for path in LocalCache(ObjectStore(there)).files.iterdir()
    )  # the others were evicted, too
    assert len(shop.similar(shop.random_design(1), 3)) == 3
