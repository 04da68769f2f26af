from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modiste import Shop
from modiste.cli import main
from modiste.images.photo import to_jpeg
from modiste.shop.loading import STAGES
from tests.small import FRAME


@pytest.fixture
def product(built: Path) -> str:
    return Shop.open(built).catalogue.ids[0]


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """What a command prints with --json, after it has ended well."""
    code = main([str(each) for each in (*arguments, "--json")])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out)


def test_similar_gives_the_shop_s_answer(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "similar", "--shop", built, "--product", product, "-k", 4)
    shop = Shop.open(built)
    code = shop.code_of(product)
    assert list(found) == ["query", "results"]
    assert list(found["query"]) == ["code", "cluster"]
    np.testing.assert_allclose(found["query"]["code"], code)
    assert found["query"]["cluster"] == shop.cluster_of(code)
    expected = shop.similar(code, 4, exclude=[product])
    assert found["results"] == [match.to_dict() for match in expected]
    assert list(found["results"][0]) == ["id", "category", "cluster", "score", "attributes"]


def test_similar_takes_every_option(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--method", "mean", "--metric", "manhattan", "--scope", "catalogue", "-k", 3)
    found = answer(capsys, "similar", "--shop", built, "--random", "--seed", 5, *options)
    shop = Shop.open(built)
    expected = shop.similar(shop.random_design(5), 3, "mean", "catalogue", metric="manhattan")
    assert found["results"] == [match.to_dict() for match in expected]


def test_recommend_gives_the_shop_s_answer(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "recommend", "--shop", built, "--product", product, "--method", "fixed-epsilon")
    shop = Shop.open(built)
    expected = shop.recommend(shop.code_of(product), 3, "fixed-epsilon")
    assert list(found) == ["query", "recommendations"]
    assert found["recommendations"] == [each.to_dict() for each in expected]
    assert list(found["recommendations"][0]) == ["cluster", "label", "results"]


def test_recommend_takes_the_way(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop.open(built)
    for method in ("transport", "shift", "shift:mean"):
        found = answer(capsys, "recommend", "--shop", built, "--product", product, "--method", method)
        expected = shop.recommend(shop.code_of(product), 3, method)
        assert found["recommendations"] == [each.to_dict() for each in expected]
    assert answer(capsys, "recommend", "--shop", built, "--product", product) == answer(
        capsys, "recommend", "--shop", built, "--product", product, "--method", "transport:likelihood"
    )


def test_a_code_is_taken_back(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = answer(capsys, "similar", "--shop", built, "--random", "--seed", 1, "-k", 3)
    text = ",".join(str(number) for number in first["query"]["code"])
    assert answer(capsys, "similar", "--shop", built, "--code", text, "-k", 3) == first


def test_a_photo_can_ask(built: Path, tmp_path: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(to_jpeg(Shop.open(built).photo(product), 100))
    found = answer(capsys, "similar", "--shop", built, "--photo", path, "-k", 1, "--method", "fixed-epsilon")
    assert found["results"][0]["id"] == product


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_generate_draws_at_the_frame(
    built: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"design.{suffix}"
    found = answer(capsys, "generate", "--shop", built, "--random", "--seed", 2, "--out", out)
    assert found["out"] == str(out)
    with Image.open(out) as picture:
        assert picture.size == (FRAME[1], FRAME[0])
        if suffix == "png":
            np.testing.assert_array_equal(np.asarray(picture), Shop.open(built).decode(found["code"]))


def test_tables_are_for_people(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["similar", "--shop", str(built), "--product", product]) == 0
    assert f"Similar to {product}" in capsys.readouterr().out
    assert main(["recommend", "--shop", str(built), "--product", product]) == 0
    assert "score" in capsys.readouterr().out


def test_sheets_are_pictures(built: Path, tmp_path: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("similar", "recommend"):
        sheet = tmp_path / f"{command}.png"
        answer(capsys, command, "--shop", built, "--product", product, "--sheet", sheet)
        with Image.open(sheet) as picture:
            assert picture.width > 500
            assert picture.convert("L").getextrema() != (255, 255)


def test_info_says_what_there_is(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = answer(capsys, "info", "--shop", built)
    assert held["stages"] == dict.fromkeys(STAGES, "ready")
    assert sum(held["categories"].values()) == held["products"] == sum(held["clusters"].values())
    assert main(["info", "--shop", str(built)]) == 0
    assert "48x64" in capsys.readouterr().out


def test_only_products_that_fit(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--shop", built, "--product", product, "-k", 5, "--where", "pattern!=plain")
    found = answer(capsys, "similar", *arguments, "--scope", "catalogue", "--where", "lightness<=0.7")
    assert found["results"]
    assert all(each["attributes"]["pattern"] != "plain" for each in found["results"])
    assert all(each["attributes"]["lightness"] <= 0.7 for each in found["results"])
    recommended = answer(capsys, "recommend", *arguments)["recommendations"]
    assert all(each["attributes"]["pattern"] != "plain" for part in recommended for each in part["results"])
    assert main(["similar", "--shop", str(built), "--product", product, "--where", "pattern"]) == 2
    assert "name=value" in capsys.readouterr().err
