"""The train stage: a model trained on some of the products, for a shop of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from modiste.errors import BadOption
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop

pytest.importorskip("torch")


def test_training_on_a_subset_encodes_all(shop_copy: Path) -> None:
    ids = Shop.open(shop_copy).catalogue.ids
    config = train_shop(shop_copy, photos=40, epochs=2, latent=4)
    assert config.training["products"] == 40 < len(ids)
    assert len(config.validation_ids) == 2
    assert "- 38 photos of the shop" in next(shop_copy.glob(f"models/{config.model_id}/README.md")).read_text()
    encode_shop(shop_copy)
    shop = Shop.open(shop_copy, need="encodings")
    assert len(shop.encodings.code) == len(ids)
    assert shop.manifest.training["photos"] == 40


def test_limit_above_the_catalogue_trains_the_same_model(shop_copy: Path) -> None:
    count = len(Shop.open(shop_copy).catalogue.ids)
    config = train_shop(shop_copy, photos=count, epochs=2, latent=4)
    all_ = train_shop(shop_copy, epochs=2, latent=4)
    assert config.files == all_.files
    assert config.training["products"] == count


def test_too_few_products_change_nothing(shop_copy: Path) -> None:
    before = Shop.open(shop_copy).version
    with pytest.raises(BadOption, match="photos is 3"):
        train_shop(shop_copy, photos=3)
    assert Shop.open(shop_copy).version == before
