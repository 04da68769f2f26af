"""Changes of a built shop: products are added, changed and removed, models and clusters replaced.

In any order, the shop gives the same results as a shop that was built that way.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from modiste.errors import BadOption, PhotoError, StaleError, UnknownProduct
from modiste.images.photo import to_png
from modiste.latent.likelihood import log_likelihood
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.product_changes import (
    model_ids,
    next_step,
    put_products,
    refresh_shop,
    remove_products,
    use_model,
)
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop
from modiste.sources.record import Record

INITIAL_COUNT = 14  # products that the state machine begins with


def record(id_: str, seed: int, category: str = "bags", **attributes: Any) -> Record:
    """Return a product with a photo drawn by its seed."""
    photo = np.random.default_rng(seed).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    return Record(id_, category, to_png(photo), attributes)


def test_put_stores_products_and_makes_stages_stale(shop_copy: Path) -> None:
    assert next_step(shop_copy) is None
    assert put_products(shop_copy, [record("a", 1, year=2020)]) == {"added": 1, "changed": 0, "unchanged": 0}
    assert put_products(shop_copy, [record("a", 1, year=2020)])["unchanged"] == 1
    assert put_products(shop_copy, [record("a", 2, year=2021)])["changed"] == 1
    with pytest.raises(StaleError):
        Shop.open(shop_copy, need="encodings")
    assert next_step(shop_copy) == "update"
    assert refresh_shop(shop_copy) == ["update"]
    assert refresh_shop(shop_copy) == []
    shop = Shop.open(shop_copy, need="map")
    assert shop.catalogue.attributes(shop.catalogue.row("a")) == {"year": 2021}
    assert shop.similar(shop.code_of("a"), 1, "fixed-epsilon", "catalogue")[0].id == "a"


def test_duplicate_photo_is_rejected(shop_copy: Path) -> None:
    put_products(shop_copy, [record("a", 1)])
    with pytest.raises(PhotoError) as caught:
        put_products(shop_copy, [record("b", 1), record("c", 2)])
    assert caught.value.reason == "duplicate_photo"
    assert "c" in Shop.open(shop_copy, need="catalogue").catalogue.ids


def test_invalid_removal_changes_nothing(shop_copy: Path) -> None:
    ids = Shop.open(shop_copy, need="catalogue").catalogue.ids
    with pytest.raises(UnknownProduct):
        remove_products(shop_copy, [ids[0], "none"])
    with pytest.raises(BadOption, match="without products"):
        remove_products(shop_copy, ids)
    assert next_step(shop_copy) is None
    assert remove_products(shop_copy, ids[:2]) == len(ids) - 2
    shop = Shop.open(shop_copy, need="catalogue")
    assert shop.catalogue.ids == ids[2:]
    assert shop.manifest.catalogue["count"] == len(ids) - 2


def test_outdated_manifest_is_updated(shop_copy: Path) -> None:
    shop = Shop.open(shop_copy, need="catalogue")
    shop.store.delete(shop.catalogue.ids[:1])  # killed before the manifest was written
    assert refresh_shop(shop_copy) == ["update"]
    opened = Shop.open(shop_copy, need="map")
    assert opened.manifest.catalogue["count"] == len(opened.catalogue) == len(shop.catalogue) - 1
    assert opened.manifest.catalogue["hash"] == opened.store.hash()


def test_unknown_model_raises(shop_copy: Path) -> None:
    for wrong in ("none", "..", "", "../models", "run-1"):
        with pytest.raises(BadOption, match="no model"):
            use_model(shop_copy, wrong)
    assert next_step(shop_copy) is None


@pytest.mark.slow
def test_previous_model_keeps_its_encodings(shop_copy: Path) -> None:
    first = Shop.open(shop_copy, need="map")
    other = train_shop(shop_copy, epochs=2, latent=8, seed=5).model_id
    refresh_shop(shop_copy)
    use_model(shop_copy, first.model.model_id)
    assert "encodings" not in refresh_shop(shop_copy)
    back = Shop.open(shop_copy, need="map")
    np.testing.assert_array_equal(back.encodings.code, first.encodings.code)
    assert set(model_ids(back.files)) == {first.model.model_id, other}


class Changes(RuleBasedStateMachine):
    """State machine of changes in any order; after each, results equal those of a scan of the expected products."""

    origin: Path  # a small shop with two models
    ids = Bundle("ids")

    @initialize(target=ids)
    def begin(self) -> Any:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "shop"
        shutil.copytree(self.origin, self.path)
        catalogue = Shop.open(self.path, need="catalogue").catalogue
        self.wanted = {id_: catalogue.categories[row] for row, id_ in enumerate(catalogue.ids)}
        self.seed, self.fresh = 1000, True
        return catalogue.ids[0]

    @rule(target=ids, name=st.integers(0, 4), category=st.sampled_from(["bags", "hats"]))
    def put(self, name: int, category: str) -> str:
        self.seed += 1
        put_products(self.path, [record(f"p{name}", self.seed, category)])
        self.wanted[f"p{name}"] = category
        self.fresh = False
        return f"p{name}"

    @precondition(lambda self: len(self.wanted) > 8)
    @rule(id_=consumes(ids))
    def remove(self, id_: str) -> None:
        if id_ not in self.wanted:
            with pytest.raises(UnknownProduct):
                remove_products(self.path, [id_])
            return
        remove_products(self.path, [id_])
        del self.wanted[id_]
        self.fresh = False

    @rule(which=st.integers(0, 1))
    def use(self, which: int) -> None:
        use_model(self.path, model_ids(Shop.open(self.path, need="catalogue").files)[which])
        self.fresh = False

    @precondition(lambda self: self.fresh)
    @rule(method=st.sampled_from(["kmeans", "category"]))
    def cluster(self, method: str) -> None:
        cluster_shop(self.path, k=2 if method == "kmeans" else None, method=method)
        self.fresh = False  # the map stays, but that is for `refresh` to say

    @precondition(lambda self: self.fresh)
    @rule(tau=st.sampled_from([0.0, 0.2]))
    def index(self, tau: float) -> None:
        index_shop(self.path, tau=tau)

    @rule()
    def refresh(self) -> None:
        refresh_shop(self.path)
        self.fresh = True

    @invariant()
    def catalogue_equals_the_expected_products(self) -> None:
        catalogue = Shop.open(self.path, need="catalogue").catalogue
        assert dict(zip(catalogue.ids, catalogue.categories, strict=True)) == self.wanted

    @invariant()
    def answers_equal_those_of_a_scan(self) -> None:
        if not self.fresh:
            return
        shop = Shop.open(self.path, need="map")
        code = shop.random_design(self.seed)
        matches = shop.similar(code, 5, scope="catalogue")
        scores = log_likelihood(code, shop.encodings.mean, shop.encodings.std, shop.tau)
        order = np.lexsort((np.arange(len(scores)), -scores))[:5]
        assert [match.id for match in matches] == [shop.catalogue.ids[row] for row in order]
        mean, std = shop.onnx_model.encode(np.stack([shop.photo(id_) for id_ in shop.catalogue.ids]))
        np.testing.assert_allclose(shop.encodings.mean, mean, atol=1e-4)
        np.testing.assert_allclose(shop.encodings.std, std, atol=1e-4)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


@pytest.fixture
def machine(shop_copy: Path) -> type[Changes]:
    ids = Shop.open(shop_copy, need="catalogue").catalogue.ids
    train_shop(shop_copy, epochs=2, latent=8, seed=5)
    remove_products(shop_copy, ids[INITIAL_COUNT:])
    refresh_shop(shop_copy)
    return type("OfThisShop", (Changes,), {"origin": shop_copy})


def test_answers_are_right_after_random_changes(machine: type[Changes]) -> None:
    hypothesis_settings = settings(max_examples=4, stateful_step_count=8, deadline=None, derandomize=True,
                    suppress_health_check=list(HealthCheck))  # fmt: skip
    tested: Any = machine.TestCase
    tested.settings = hypothesis_settings
    tested().runTest()


@pytest.mark.slow
def test_answers_are_right_after_many_random_changes(machine: type[Changes]) -> None:
    hypothesis_settings = settings(
        max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    tested: Any = machine.TestCase
    tested.settings = hypothesis_settings
    tested().runTest()
