"""Incremental updates of encodings, clusters, index and map give the same results as a full build."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modiste.errors import StaleError
from modiste.images.photo import to_png
from modiste.latent.clusters import Clusters
from modiste.pipeline import incremental_update, product_changes
from modiste.pipeline.cluster import cluster_shop, write_clusters
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.incremental_update import REBUILD_SHARE, update_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.map import make_map
from modiste.pipeline.product_changes import next_step, put_products, refresh_shop, remove_products
from modiste.search.index import METHODS
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.storage.backup import restore_shop
from modiste.storage.json_files import read_json
from tests.small import SMALL


def record(id_: str, seed: int, category: str, **attributes: Any) -> Record:
    """Return a product with a photo drawn by its seed."""
    photo = np.random.default_rng(seed).integers(0, 255, (24, 16, 3), dtype=np.uint8)
    return Record(id_, category, to_png(photo), attributes)


def category_of(path: Path) -> str:
    return Shop.open(path, need="catalogue").catalogue.categories[0]


def count_encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of photos of every run of the encoder."""
    counts: list[int] = []
    encode = incremental_update.encode_jpegs

    def counted(engine: Any, jpegs: Any) -> Any:
        counts.append(len(jpegs))
        return encode(engine, jpegs)

    monkeypatch.setattr(incremental_update, "encode_jpegs", counted)
    return counts


def fail_if_called(*_: Any, **__: Any) -> Any:
    raise AssertionError("all products are encoded, clustered or laid out again")


@pytest.fixture
def without_rebuilds(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop whose stages are never rebuilt from all products, for any number of changes."""
    monkeypatch.setattr(product_changes, "REBUILD_SHARE", 1e9)
    for name in ("encode_shop", "cluster_shop", "make_sliders", "make_map"):
        monkeypatch.setattr(product_changes, name, fail_if_called)
    return small


def test_only_new_photos_are_encoded(without_rebuilds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, category = count_encoded(monkeypatch), category_of(without_rebuilds)
    put_products(without_rebuilds, [record("a", 1, category)])
    assert refresh_shop(without_rebuilds) == ["update"]
    put_products(without_rebuilds, [record("a", 1, category, year=2021)])
    assert refresh_shop(without_rebuilds) == ["update"]
    put_products(without_rebuilds, [record("a", 2, category, year=2021), record("b", 3, category)])
    assert refresh_shop(without_rebuilds) == ["update"]
    remove_products(without_rebuilds, ["b"])
    assert refresh_shop(without_rebuilds) == ["update"]
    assert refresh_shop(without_rebuilds) == []
    assert counts == [1, 2]
    shop = Shop.open(without_rebuilds, need="map")
    assert shop.catalogue.attributes(shop.catalogue.row("a")) == {"year": 2021}
    assert shop.similar(shop.code_of("a"), 1, "fixed-epsilon", "catalogue")[0].id == "a"
    assert shop.map.changed == 4  # a came and got another photo, b came and went
    assert shop.manifest.catalogue["count"] == len(shop.catalogue) == 25


def test_unchanged_products_keep_their_values(without_rebuilds: Path) -> None:
    before, model = Shop.open(without_rebuilds, need="map"), Shop.open(without_rebuilds, need="model").model.model_id
    clusters, map_ = before.clusters, before.map
    sliders = before.files.sliders(model).read_bytes()
    kept = [id_ for id_ in before.catalogue.ids if id_ != map_.opening_product]
    put_products(without_rebuilds, [record("a", 1, category_of(without_rebuilds))])
    remove_products(without_rebuilds, [map_.opening_product])
    refresh_shop(without_rebuilds)
    after = Shop.open(without_rebuilds, need="map")
    np.testing.assert_array_equal(after.clusters.centres, clusters.centres)
    assert after.clusters.labels == clusters.labels
    assert after.files.sliders(model).read_bytes() == sliders
    assert (after.map.thresholds, after.map.neighbour_distances) == (map_.thresholds, map_.neighbour_distances)
    rows = [before.catalogue.row(id_) for id_ in kept], [after.catalogue.row(id_) for id_ in kept]
    np.testing.assert_array_equal(after.map.positions[rows[1]], map_.positions[rows[0]])
    assert after.map.opening_product in after.catalogue.ids


def test_new_product_is_placed_near_its_neighbour_on_the_map(without_rebuilds: Path) -> None:
    shop = Shop.open(without_rebuilds, need="map")
    photo = shop.photo(shop.catalogue.ids[3]).copy()
    photo[0, 0] ^= 1  # another photo, and nearly the same code
    put_products(without_rebuilds, [Record("twin", category_of(without_rebuilds), to_png(photo), {})])
    refresh_shop(without_rebuilds)
    after = Shop.open(without_rebuilds, need="map")
    pair = [after.catalogue.row(id_) for id_ in (shop.catalogue.ids[3], "twin")]
    gap = np.linalg.norm(np.diff(after.map.positions[pair], axis=0))
    assert gap < 0.1
    assert after.map.positions.min() >= 0.0
    assert after.map.positions.max() <= 1.0


def test_many_changes_rebuild_clusters_and_map(small: Path) -> None:
    category, count = category_of(small), len(Shop.open(small, need="catalogue").catalogue)
    few = int(REBUILD_SHARE * count)
    put_products(small, [record(f"new-{seed}", seed, category) for seed in range(few)])
    assert refresh_shop(small) == ["update"]
    put_products(small, [record("more", 100, category)])
    assert refresh_shop(small) == ["update", "clusters", "map"]
    assert refresh_shop(small) == []


def test_full_stages_reset_the_count_of_changes(small: Path) -> None:
    category = category_of(small)
    for seed in range(3):
        put_products(small, [record(f"new-{seed}", seed, category)])
        update_shop(small)
        cluster_shop(small)
        make_map(small)
        assert Shop.open(small, need="map").map.changed == 0
        assert incremental_update.clusters_changed(Shop.open(small)) == 0
        assert next_step(small) is None


def test_new_or_removed_category_rebuilds_the_clusters(small: Path) -> None:
    cluster_shop(small, method="category")
    put_products(small, [record("hat", 1, "hats")])
    assert "clusters" in refresh_shop(small)
    assert "hats" in Shop.open(small, need="map").clusters.labels
    remove_products(small, ["hat"])
    assert "clusters" in refresh_shop(small)
    assert "hats" not in Shop.open(small, need="map").clusters.labels


def test_clusters_and_map_of_other_encodings_are_not_updated(small: Path) -> None:
    put_products(small, [record("a", 1, category_of(small))])
    encode_shop(small)  # from here on nobody knows how many products have changed since the clusters
    update_shop(small)
    with pytest.raises(StaleError):
        Shop.open(small, need="clusters")
    assert refresh_shop(small) == ["clusters", "map"]


def test_update_continues_after_every_failed_write(without_rebuilds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of an update fails once; the next update ends with the same shop."""
    put_products(without_rebuilds, [record("a", 1, category_of(without_rebuilds))])
    whole = without_rebuilds.with_name("whole")
    shutil.copytree(without_rebuilds, whole)
    refresh_shop(whole)
    expected = Shop.open(whole, need="map")
    for name in ("write_clusters", "write_map", "_save_manifest", "save_index"):
        path = without_rebuilds.with_name(name)
        shutil.copytree(without_rebuilds, path)
        with monkeypatch.context() as broken:
            broken.setattr(incremental_update, name, fail_if_called)
            with pytest.raises(AssertionError):
                update_shop(path)
        assert refresh_shop(path)[0] == "update"
        shop = Shop.open(path, need="map")
        assert shop.catalogue.ids == expected.catalogue.ids
        np.testing.assert_array_equal(shop.encodings.code, expected.encodings.code)
        np.testing.assert_array_equal(shop.map.positions, expected.map.positions)
        np.testing.assert_array_equal(shop.clusters.centres, expected.clusters.centres)
        assert shop.manifest == expected.manifest


def test_earlier_version_can_be_opened_until_the_update_is_written(without_rebuilds: Path) -> None:
    put_products(without_rebuilds, [record("a", 1, category_of(without_rebuilds))])
    refresh_shop(without_rebuilds)  # the snapshot of 0.1.0 does not say which version it is of
    before = Shop.open(without_rebuilds, need="map")
    gone = before.catalogue.ids[0]
    photo = before.jpeg(gone)
    put_products(without_rebuilds, [record("b", 2, category_of(without_rebuilds))])
    remove_products(without_rebuilds, [gone])
    with pytest.raises(StaleError):
        Shop.open(without_rebuilds, need="map")
    earlier = Shop.open(without_rebuilds, need="map", earlier=True)
    assert earlier.version == before.version
    assert earlier.catalogue.ids == before.catalogue.ids
    assert earlier.jpeg(gone) == photo
    assert [match.id for match in earlier.similar(before.code_of(gone), 3)] == [
        match.id for match in before.similar(before.code_of(gone), 3)
    ]
    assert product_changes.pending_step(earlier) == "update"
    refresh_shop(without_rebuilds)
    assert "b" in Shop.open(without_rebuilds, need="map").catalogue.ids


def test_shop_of_0_1_0_has_no_earlier_version(small: Path) -> None:
    put_products(small, [record("a", 1, category_of(small))])
    with pytest.raises(StaleError, match="before the last change"):
        Shop.open(small, need="map", earlier=True)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "words", "refresh"]), st.integers(0, 5), st.integers(0, 40)),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=CHANGES)
def test_answers_equal_a_full_build(changes: list[tuple[str, int, int]]) -> None:
    """The model and the cluster centres are the same."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_changes, "REBUILD_SHARE", 1e9)
        path, rebuilt = Path(folder) / "shop", Path(folder) / "rebuilt"
        restore_shop(SMALL, path)
        category = category_of(path)
        for what, name, seed in changes:
            ids = Shop.open(path, need="catalogue").catalogue.ids
            if what == "put":
                put_products(path, [record(f"p{name}", 1000 * name + seed, category)])
            elif what == "words":
                put_products(path, [record(f"p{name}", 1000 * name, category, number=seed)])
            elif what == "remove":
                remove_products(path, [ids[seed % len(ids)]])
            else:
                refresh_shop(path)
        refresh_shop(path)
        shutil.copytree(path, rebuilt)
        encode_shop(rebuilt)
        again, files = Shop.open(rebuilt, need="encodings"), Shop.open(rebuilt, need="model").files
        raw = read_json(files.clusters(again.model.model_id))
        made_from = {"model": again.model.model_id, "catalogue_hash": again.store.hash()}
        write_clusters(files.clusters(again.model.model_id), made_from, Clusters.from_dict(raw["clusters"]))
        index_shop(rebuilt)
        shop, again = Shop.open(path, need="map"), Shop.open(rebuilt, need="map")
        assert shop.catalogue.ids == again.catalogue.ids
        np.testing.assert_array_equal(shop.assignments, again.assignments)
        for seed in range(3):
            design = again.random_design(seed)
            for method in METHODS:
                matches = shop.similar(design, 5, method, "catalogue")
                wanted = again.similar(design, 5, method, "catalogue")
                assert [match.id for match in matches] == [match.id for match in wanted]
                np.testing.assert_allclose(
                    [match.score for match in matches], [match.score for match in wanted], rtol=1e-3, atol=1e-3
                )


def test_changed_count_of_the_map_is_optional(small: Path) -> None:
    path = Shop.open(small, need="model").files
    model = Shop.open(small, need="model").model.model_id
    assert "changed" not in json.loads(path.map(model).read_text())
    assert Shop.open(small, need="map").map.changed == 0
