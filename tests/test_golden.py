"""Shops that released versions made open, and give the results of that time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste import Shop
from modiste.pipeline.doctor.check import check_shop
from modiste.storage.backup import restore_shop
from tests.small import GOLDEN

VERSIONS = sorted(path.stem for path in GOLDEN.glob("shop-*.zip"))


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The directory of a restored shop, and its answers when it was made."""
    root = tmp_path / "shop"
    restore_shop(GOLDEN / f"{request.param}.zip", root)
    return root, json.loads((GOLDEN / f"{request.param}.json").read_text(encoding="utf-8"))


def test_golden_shop_exists_and_every_backup_is_small() -> None:
    assert "shop-0.1.0" in VERSIONS
    assert all((GOLDEN / f"{name}.zip").stat().st_size < 500_000 for name in VERSIONS)


@pytest.mark.parametrize("indexed", [True, False])
def test_golden_shop_gives_its_recorded_answers(golden: tuple[Path, dict[str, Any]], indexed: bool) -> None:
    root, wanted = golden
    if not indexed:  # by its encodings alone
        shutil.rmtree(root / "models" / wanted["model"] / "index")
    shop = Shop.open(root, need="map")
    product = wanted["product"]
    code = shop.code_of(product)
    assert len(shop.catalogue) == wanted["products"]
    assert shop.store.hash() == wanted["catalogue_hash"]
    assert shop.model.model_id == wanted["model"]
    assert list(shop.clusters.labels) == wanted["clusters"]
    assert shop.catalogue.attributes(shop.catalogue.row(product)) == wanted["attributes"]
    np.testing.assert_array_equal(code, np.array(wanted["code"], np.float32))
    np.testing.assert_allclose(shop.encode(shop.photo(product)).mean, wanted["encoded"], atol=1e-3)
    for method, expected in wanted["similar"].items():
        answer = shop.similar(code, len(expected), method, "catalogue")
        assert [match.id for match in answer] == [id_ for id_, _ in expected]
        np.testing.assert_allclose([match.score for match in answer], [score for _, score in expected], rtol=1e-5)
    recommended = {each.label: [match.id for match in each.matches] for each in shop.recommend(code, 2)}
    assert recommended == wanted["recommend"]
    np.testing.assert_allclose(shop.decode(code).mean(axis=(0, 1)), wanted["drawn"], atol=1.0)
    assert [slider.name for slider in shop.sliders.latents] == wanted["sliders"]
    np.testing.assert_allclose(shop.map.positions[0], wanted["place"], atol=1e-6)


def test_doctor_finds_nothing_broken_in_a_golden_shop(golden: tuple[Path, dict[str, Any]]) -> None:
    assert [fault for fault in check_shop(golden[0]) if fault.broken] == []


def test_golden_shop_contains_no_local_paths(golden: tuple[Path, dict[str, Any]]) -> None:
    for path in golden[0].rglob("*"):
        if path.is_file():
            assert not any(word in path.read_bytes() for word in (b"site-packages", b"/home/", b"/tmp/", b"/root/"))
