"""The commands generate, similar, recommend and info."""

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


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """Run a command with --json and return its output."""
    code = main([str(each) for each in (*arguments, "--json")])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out)


def test_similar_prints_the_results_of_shop_similar(
    built: Path, product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_json(capsys, "similar", "--shop", built, "--product", product, "-k", 4)
    shop = Shop.open(built)
    code = shop.code_of(product)
    assert list(result) == ["query", "results"]
    assert list(result["query"]) == ["code", "cluster"]
    np.testing.assert_allclose(result["query"]["code"], code)
    assert result["query"]["cluster"] == shop.cluster_of(code)
    expected = shop.similar(code, 4, exclude=[product])
    assert result["results"] == [match.to_dict() for match in expected]
    assert list(result["results"][0]) == ["id", "category", "cluster", "score", "attributes"]


def test_similar_passes_its_options_to_shop_similar(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--method", "mean", "--metric", "manhattan", "--scope", "catalogue", "-k", 3)
    result = run_json(capsys, "similar", "--shop", built, "--random", "--seed", 5, *options)
    shop = Shop.open(built)
    expected = shop.similar(shop.random_design(5), 3, "mean", "catalogue", metric="manhattan")
    assert result["results"] == [match.to_dict() for match in expected]


def test_recommend_prints_the_results_of_shop_recommend(
    built: Path, product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_json(capsys, "recommend", "--shop", built, "--product", product, "--method", "fixed-epsilon")
    shop = Shop.open(built)
    expected = shop.recommend(shop.code_of(product), 3, "fixed-epsilon")
    assert list(result) == ["query", "recommendations"]
    assert result["recommendations"] == [each.to_dict() for each in expected]
    assert list(result["recommendations"][0]) == ["cluster", "label", "results"]


def test_recommend_accepts_every_transfer_and_method(
    built: Path, product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop.open(built)
    for method in ("transport", "shift", "shift:mean"):
        result = run_json(capsys, "recommend", "--shop", built, "--product", product, "--method", method)
        expected = shop.recommend(shop.code_of(product), 3, method)
        assert result["recommendations"] == [each.to_dict() for each in expected]
    assert run_json(capsys, "recommend", "--shop", built, "--product", product) == run_json(
        capsys, "recommend", "--shop", built, "--product", product, "--method", "transport:likelihood"
    )


def test_printed_code_can_be_queried(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_json(capsys, "similar", "--shop", built, "--random", "--seed", 1, "-k", 3)
    text = ",".join(str(number) for number in first["query"]["code"])
    assert run_json(capsys, "similar", "--shop", built, "--code", text, "-k", 3) == first


def test_photo_can_be_queried(built: Path, tmp_path: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(to_jpeg(Shop.open(built).photo(product), 100))
    result = run_json(capsys, "similar", "--shop", built, "--photo", path, "-k", 1, "--method", "fixed-epsilon")
    assert result["results"][0]["id"] == product


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_generate_writes_an_image_of_the_shops_size(
    built: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"design.{suffix}"
    result = run_json(capsys, "generate", "--shop", built, "--random", "--seed", 2, "--out", out)
    assert result["out"] == str(out)
    with Image.open(out) as picture:
        assert picture.size == (FRAME[1], FRAME[0])
        if suffix == "png":
            np.testing.assert_array_equal(np.asarray(picture), Shop.open(built).draw(result["code"]))


def test_generate_draws_the_details_that_are_asked_for(
    built: Path, product: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, photo = Shop.open(built), tmp_path / "photo.png"
    other = next(id_ for id_ in shop.catalogue.ids if id_ != product)
    Image.fromarray(shop.photo(other)).save(photo)
    for details, exemplar in (("auto", product), ("none", None), (other, other), (str(photo), shop.photo(other))):
        out = tmp_path / "design.png"
        result = run_json(capsys, "generate", "--shop", built, "--product", product, "--details", details, "--out", out)
        with Image.open(out) as picture:
            np.testing.assert_array_equal(np.asarray(picture), shop.draw(result["code"], exemplar))
            assert picture.info["XML:com.adobe.xmp"]


def test_generate_names_details_that_there_are_not(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--shop", str(built), "--random", "--details", "no-such", "--out", str(tmp_path / "x.png")]
    assert main([*words, "--json"]) != 0
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "unknown_product"
    assert "no-such" in error["message"]


def test_results_are_printed_as_tables(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["similar", "--shop", str(built), "--product", product]) == 0
    assert f"Similar to {product}" in capsys.readouterr().out
    assert main(["recommend", "--shop", str(built), "--product", product]) == 0
    assert "score" in capsys.readouterr().out


def test_contact_sheets_are_written(
    built: Path, tmp_path: Path, product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("similar", "recommend"):
        sheet = tmp_path / f"{command}.png"
        run_json(capsys, command, "--shop", built, "--product", product, "--sheet", sheet)
        with Image.open(sheet) as picture:
            assert picture.width > 500
            assert picture.convert("L").getextrema() != (255, 255)


def test_info_prints_stages_and_counts(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = run_json(capsys, "info", "--shop", built)
    assert info["stages"] == dict.fromkeys(STAGES, "ready")
    assert sum(info["categories"].values()) == info["products"] == sum(info["clusters"].values())
    assert main(["info", "--shop", str(built)]) == 0
    assert "48x64" in capsys.readouterr().out


def test_where_filters_the_results(built: Path, product: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--shop", built, "--product", product, "-k", 5, "--where", "pattern!=plain")
    result = run_json(capsys, "similar", *arguments, "--scope", "catalogue", "--where", "lightness<=0.7")
    assert result["results"]
    assert all(each["attributes"]["pattern"] != "plain" for each in result["results"])
    assert all(each["attributes"]["lightness"] <= 0.7 for each in result["results"])
    recommended = run_json(capsys, "recommend", *arguments)["recommendations"]
    assert all(each["attributes"]["pattern"] != "plain" for part in recommended for each in part["results"])
    assert main(["similar", "--shop", str(built), "--product", product, "--where", "pattern"]) == 2
    assert "name=value" in capsys.readouterr().err
