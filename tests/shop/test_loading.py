"""Incomplete, stale and damaged shops raise an error with a remedy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from modiste import Shop
from modiste.errors import BadCount, BadOption, SchemaError, ShopError, ShopIncomplete, StaleError
from modiste.pipeline.build import build
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.train import train_shop
from modiste.shop.info import describe_shop
from modiste.shop.loading import Stage
from modiste.sources.record import Record
from modiste.storage.manifest import Manifest
from tests.small import FRAME, Listed


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [({"model": None}, "modiste train"), ({"encodings": {}}, "modiste encode"), ({"clusters": {}}, "modiste cluster")],
)
def test_missing_stage_names_its_command(shop_copy: Path, changes: dict[str, object], remedy: str) -> None:
    Manifest.load(shop_copy).with_changes(**changes).save(shop_copy)
    with pytest.raises(ShopIncomplete, match=remedy):
        Shop.open(shop_copy)


def test_each_stage_can_be_opened_without_the_next(shop_copy: Path) -> None:
    Manifest.load(shop_copy).with_changes(clusters={}).save(shop_copy)
    shop = Shop.open(shop_copy, need="encodings")
    assert shop.code_of(shop.catalogue.ids[0]).shape == (8,)
    assert "cluster" not in shop.products.columns
    with pytest.raises(ShopIncomplete, match="modiste cluster"):
        shop.similar(shop.random_design(0))


@pytest.mark.parametrize("name", ["config.json", "encoder.onnx", "decoder.onnx"])
def test_missing_model_file_raises(shop_copy: Path, name: str) -> None:
    model = Manifest.load(shop_copy).model
    assert model is not None
    (shop_copy / "models" / model / name).unlink()
    with pytest.raises(ShopIncomplete, match=f"{name}.*modiste train"):
        _ = Shop.open(shop_copy).onnx_model


@pytest.mark.parametrize("name", ["config.json", "encoder.onnx", "decoder.onnx", "clusters.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\x01garbage"])
def test_damaged_model_file_raises(shop_copy: Path, name: str, content: bytes) -> None:
    model = Manifest.load(shop_copy).model
    assert model is not None
    (shop_copy / "models" / model / name).write_bytes(content)
    with pytest.raises(SchemaError, match=name):
        _ = Shop.open(shop_copy).onnx_model


def test_encoder_of_another_model_raises(shop_copy: Path) -> None:
    folder = shop_copy / "models" / str(Manifest.load(shop_copy).model)
    shutil.copy(folder / "decoder.onnx", folder / "encoder.onnx")
    with pytest.raises(SchemaError, match=r"encoder.onnx is damaged"):
        _ = Shop.open(shop_copy).onnx_model
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"files": {}}))  # a model without recorded hashes
    with pytest.raises(SchemaError, match="expected"):
        _ = Shop.open(shop_copy).onnx_model


def test_encodings_of_another_model_are_stale(shop_copy: Path) -> None:
    manifest = Manifest.load(shop_copy)
    manifest.with_changes(encodings=manifest.encodings | {"model": "0123456789ab"}).save(shop_copy)
    with pytest.raises(StaleError, match=r"0123456789ab.*modiste encode"):
        Shop.open(shop_copy)


def test_another_model_with_the_same_id_is_stale(shop_copy: Path) -> None:
    path = shop_copy / "models" / str(Manifest.load(shop_copy).model) / "config.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"epsilon": [5.0] * 8}))
    with pytest.raises(StaleError, match="modiste encode"):
        Shop.open(shop_copy)


def test_changed_catalogue_is_stale_until_encoded_and_clustered(shop_copy: Path, sample_records: list[Record]) -> None:
    other = Record("new", "hats", sample_records[0].photo, {})
    changed = Record(sample_records[0].id, "gloves", sample_records[0].photo, {})
    assert ingest(Listed([changed, other]), shop_copy).changed == 1
    with pytest.raises(StaleError, match=r"has changed.*modiste encode"):
        Shop.open(shop_copy)
    encode_shop(shop_copy)
    with pytest.raises(StaleError, match="modiste cluster"):
        Shop.open(shop_copy)
    cluster_shop(shop_copy, method="kmeans")
    assert len(Shop.open(shop_copy).similar(Shop.open(shop_copy).random_design(0), 5)) > 0
    assert describe_shop(shop_copy)["model"]["trained_on"] == "an earlier catalogue"


def test_model_of_another_frame_is_stale(shop_copy: Path) -> None:
    Manifest.load(shop_copy).with_changes(frame=(32, 32)).save(shop_copy)
    with pytest.raises(StaleError, match=r"48x64.*32x32"):
        Shop.open(shop_copy)


@pytest.mark.parametrize("need", ["catalogue", "model", "encodings", "clusters"])
def test_missing_store_raises(shop_copy: Path, need: Stage) -> None:
    shutil.rmtree(shop_copy / "store")
    with pytest.raises(ShopError):
        Shop.open(shop_copy, need=need)


@pytest.mark.parametrize("k", [0, 10_000])
def test_cluster_count_out_of_range_raises(shop_copy: Path, k: int) -> None:
    before = Manifest.load(shop_copy)
    with pytest.raises(BadCount, match=f"k is {k}"):
        cluster_shop(shop_copy, k=k)
    assert Manifest.load(shop_copy) == before


def test_every_method_and_feature_gives_clusters(shop_copy: Path) -> None:
    for method in ("kmeans", "mixture"):
        for features in ("code", "mean"):
            clusters = cluster_shop(shop_copy, k=2, features=features, method=method, seed=1)
            assert clusters.centres.shape == (2, 8)
            assert set(Shop.open(shop_copy).assignments) <= {0, 1}
    for wrong in ({"method": "dbscan"}, {"features": "photo"}):
        with pytest.raises(BadOption):
            cluster_shop(shop_copy, **wrong)  # type: ignore[arg-type]


def test_shop_with_categories_is_clustered_by_category(shop_copy: Path) -> None:
    clusters = cluster_shop(shop_copy)
    shop = Shop.open(shop_copy)
    assert clusters.method == shop.clusters.method == "category"
    assert list(shop.clusters.labels) == list(shop.catalogue.counts())
    labels = [shop.clusters.labels[number] for number in shop.assignments]
    assert labels == shop.catalogue.categories  # independent of the codes
    for each in shop.recommend(shop.code_of(shop.catalogue.ids[0]), 2):
        assert {match.category for match in each.matches} == {each.label}
    assert cluster_shop(shop_copy, k=3).method == "category"
    assert Manifest.load(shop_copy).clusters["method"] == "category"


def test_other_cluster_count_does_not_cluster_by_category(shop_copy: Path) -> None:
    assert cluster_shop(shop_copy, k=2).method != "category"
    with pytest.raises(BadCount, match="k is 2, but the shop has 3 categories"):
        cluster_shop(shop_copy, k=2, method="category")


def test_build_skips_current_stages(shop_copy: Path, sample_records: list[Record]) -> None:
    source = Listed(list(sample_records), "sample")
    options = {"frame": FRAME, "epochs": 10, "latent": 8, "cluster_method": "kmeans"}
    stages = ["train", "encode", "cluster", "sliders", "map"]
    assert build(source, shop_copy, **options)["kept"] == stages  # type: ignore[arg-type]
    again = build(source, shop_copy, **options, k=2)  # type: ignore[arg-type]
    assert again["kept"] == ["train", "encode", "sliders", "map"]
    manifest = Manifest.load(shop_copy)
    manifest.with_changes(encodings={}).save(shop_copy)
    once_more = build(source, shop_copy, **options, k=2)  # type: ignore[arg-type]
    assert once_more["kept"] == ["train", "cluster", "sliders", "map"]


def test_invalid_training_options_change_nothing(shop_copy: Path) -> None:
    before = Manifest.load(shop_copy)
    for wrong in ({"preset": "huge"}, {"epochs": 1, "minutes": 1.0}, {"latent": 0}, {"epochs": 0}):
        with pytest.raises(BadOption):
            train_shop(shop_copy, **wrong)  # type: ignore[arg-type]
    assert Manifest.load(shop_copy) == before
    Shop.open(shop_copy)
