"""The train stage: a model trained on some of the products, for a shop of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modiste.cli import main
from modiste.errors import BadOption
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.train import train_shop
from modiste.shop.shop import Shop
from modiste.vae.training.settings import PRESETS

pytest.importorskip("torch")


def test_model_trained_on_a_subset_encodes_every_product(shop_copy: Path) -> None:
    ids = Shop.open(shop_copy).catalogue.ids
    config = train_shop(shop_copy, photos=40, epochs=2, latent=4)
    assert config.training["products"] == 40 < len(ids)
    assert len(config.validation_ids) == 2
    assert "- 38 photos of the shop" in next(shop_copy.glob(f"models/{config.model_id}/README.md")).read_text()
    encode_shop(shop_copy)
    shop = Shop.open(shop_copy, need="encodings")
    assert len(shop.encodings.code) == len(ids)
    assert shop.manifest.training["photos"] == 40


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("bound", [("--epochs", "2"), ("--minutes", "0.01"), ()], ids="".join)
def test_every_preset_trains_on_a_subset_with_every_bound(
    shop_copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    preset: str,
    bound: tuple[str, ...],
) -> None:
    monkeypatch.setattr("modiste.vae.training.schedule.DEFAULT_PHOTOS_SEEN", 1)
    monkeypatch.setattr("modiste.vae.training.schedule.MIN_EPOCHS", 2)
    options = ("--preset", preset, "--photos", "40", "--latent", "4")
    assert main(["train", "--shop", str(shop_copy), *options, *bound, "--json"]) == 0
    config = json.loads(capsys.readouterr().out)
    assert config["training"]["products"] == 40
    assert (config["preset"], config["latent"]) == (preset, 4)
    shop = Shop.open(shop_copy, need="model")
    assert shop.model.model_id == config["model"]
    assert shop.manifest.training["photos"] == 40


@pytest.mark.slow
def test_limit_above_the_catalogue_trains_the_same_model(shop_copy: Path) -> None:
    count = len(Shop.open(shop_copy).catalogue.ids)
    config = train_shop(shop_copy, photos=count, epochs=2, latent=4)
    all_ = train_shop(shop_copy, epochs=2, latent=4)
    assert config.files == all_.files
    assert config.training["products"] == count


def test_too_few_photos_are_rejected_and_change_nothing(shop_copy: Path) -> None:
    before = Shop.open(shop_copy).version
    with pytest.raises(BadOption, match="photos is 3"):
        train_shop(shop_copy, photos=3)
    assert Shop.open(shop_copy).version == before
