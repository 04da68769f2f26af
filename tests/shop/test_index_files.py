"""Index files: stored with the model, used while they match the shop, and otherwise rebuilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from modiste import Shop
from modiste.errors import BadOption, SchemaError
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.index import index_shop
from modiste.shop.loading import read_indexed_encodings
from tests.contents import edit


def index_of(root: Path) -> Path:
    shop = Shop.open(root)
    return shop.files.index(shop.model.model_id)


def test_index_from_clustering_gives_the_same_answers(shop_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        # Neither the encodings' table nor a new layout is needed.
        patched.setattr("modiste.storage.product_store.ProductStore.read_encodings", None)
        patched.setattr("modiste.shop.shop.build_index", None)
        quick = Shop.open(shop_copy)
        code = quick.code_of(quick.catalogue.ids[5])
        found = [quick.similar(code, 7, method) for method in ("likelihood", "fixed-epsilon", "mean")]
    directory = index_of(shop_copy)
    shutil.rmtree(directory)
    slow = Shop.open(shop_copy)
    np.testing.assert_array_equal(slow.encodings.mean, quick.encodings.mean)
    np.testing.assert_array_equal(slow.encodings.code, quick.encodings.code)
    assert [slow.similar(code, 7, method) for method in ("likelihood", "fixed-epsilon", "mean")] == found
    assert not directory.exists()


def test_clustering_again_rebuilds_the_index(shop_copy: Path) -> None:
    before = (index_of(shop_copy) / "index.json").read_text()
    cluster_shop(shop_copy, k=2, method="kmeans")
    assert (index_of(shop_copy) / "index.json").read_text() != before
    shop = Shop.open(shop_copy)
    code = shop.code_of(shop.catalogue.ids[0])
    inside = shop.similar(code, 3)
    assert {match.cluster for match in inside} == {shop.cluster_of(code)}


@pytest.mark.parametrize("name", ["rows.npy", "mean.npy"])
def test_damaged_index_is_ignored(shop_copy: Path, name: str) -> None:
    shop = Shop.open(shop_copy)
    code = shop.code_of(shop.catalogue.ids[0])
    found = shop.similar(code, 5)
    (index_of(shop_copy) / name).write_bytes(b"nothing")
    assert Shop.open(shop_copy).similar(code, 5) == found


def test_index_of_another_size_is_not_used(shop_copy: Path) -> None:
    shop = Shop.open(shop_copy)
    args = (shop.files, shop.manifest, shop.store, shop.model.model_id)
    assert read_indexed_encodings(*args, len(shop.catalogue)) is not None
    assert read_indexed_encodings(*args, len(shop.catalogue) + 1) is None


def test_index_is_built_for_the_shops_tau(shop_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Shop.open(shop_copy)
    code = plain.code_of(plain.catalogue.ids[5])
    wanted = plain.similar(code, 20, scope="catalogue", tau=0.4)
    made = index_shop(shop_copy, tau=0.4)
    assert (made["tau"], made["products"]) == (0.4, len(plain.catalogue))
    assert made["bytes_per_product"]["likelihood"] > 100
    shop = Shop.open(shop_copy)
    with monkeypatch.context() as patched:
        patched.setattr("modiste.search.blocks._likelihood_terms", None)  # it is in the file
        assert shop.similar(code, 20, scope="catalogue") == wanted
    assert shop.similar(code, 20, scope="catalogue", tau=0.0) == plain.similar(code, 20, scope="catalogue")
    index_shop(shop_copy)  # says nothing of tau: it stays
    assert Shop.open(shop_copy).tau == 0.4
    with pytest.raises(BadOption):
        index_shop(shop_copy, tau=-1.0)
    assert Shop.open(shop_copy).tau == 0.4


@pytest.mark.parametrize("value", [{"tau": -1}, {"tau": "x"}, [], {"tau": True}])
def test_invalid_tau_raises(shop_copy: Path, value: object) -> None:
    edit(shop_copy / "shop.json", search=value)
    with pytest.raises(SchemaError, match="search"):
        Shop.open(shop_copy)


def test_manifest_without_tau_means_zero(shop_copy: Path) -> None:
    edit(shop_copy / "shop.json", search=...)
    assert Shop.open(shop_copy).tau == 0.0
