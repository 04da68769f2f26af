"""The command sliders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from modiste import Shop
from modiste.cli import main


def test_sliders_are_printed_as_tables_and_drawn_on_a_sheet(
    shop_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sliders.png"
    assert main(["sliders", "--shop", str(shop_copy), "--sheet", str(sheet)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    sliders = Shop.open(shop_copy, need="map").sliders
    for each in (*sliders.latents, *sliders.attributes):
        assert each.name in out
    assert "sliders.json" in out
    with Image.open(sheet) as picture:
        assert picture.height > 60 * len(sliders.latents)


def test_sliders_are_printed_as_json(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sliders", "--shop", str(shop_copy), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    printed = json.loads(out)
    opened = Shop.open(shop_copy, need="map")
    assert printed["render_id"] == printed["model"] == opened.model.model_id
    assert printed["copy"] is None
    assert [each["name"] for each in printed["latents"]] == [each.name for each in opened.sliders.latents]
    assert [each["name"] for each in printed["attributes"]] == [each.name for each in opened.sliders.attributes]


def test_edited_sliders_are_backed_up(shop_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = Shop.open(shop_copy, need="map")
    file = opened.files.sliders(opened.model.model_id)
    file.write_text(file.read_text().replace(opened.sliders.latents[0].low, "inky"))
    assert main(["sliders", "--shop", str(shop_copy)]) == 0
    out = capsys.readouterr().out
    assert f"{file.name} was edited by hand" in out
    assert "sliders.json.bak" in out


def test_invalid_arguments_fail(shop_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sliders", "--shop", str(shop_copy), "--sheet", "sliders.txt"]) == 2
    assert main(["sliders", "--shop", str(tmp_path / "none"), "--json"]) == 4
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["error"]["code"] == "shop_not_found"
