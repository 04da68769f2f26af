"""The commands build, ingest, train, encode and cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modiste.cli import main
from modiste.cli.options import parse_categories, parse_size
from modiste.errors import BadOption
from modiste.sources.record import Record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_records: list[Record]) -> Path:
    """Return a folder with the sample photos, a subfolder per category."""
    root = tmp_path_factory.mktemp("photos")
    for record in sample_records:
        assert isinstance(record.photo, bytes)
        (root / record.category).mkdir(exist_ok=True)
        suffix = "png" if record.photo.startswith(b"\x89PNG") else "jpg"
        (root / record.category / f"{record.id}.{suffix}").write_bytes(record.photo)
    return root


@pytest.mark.integration
def test_shop_is_built_stage_by_stage(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = str(tmp_path / "shop")
    stages = (
        ("ingest", str(folder), "--size", "48x64"),
        ("train", "--epochs", "2", "--latent", "4"),
        ("encode",),
        ("cluster", "--k", "2", "--method", "kmeans"),
    )
    printed = []
    for stage in stages:
        assert main([*stage, "--shop", shop, "--json"]) == 0, stage
        out, err = capsys.readouterr()
        assert err == ""
        printed.append(json.loads(out))
    summary, model, encoded, clustered = printed
    assert summary["added"] == summary["products"] == encoded["count"]
    assert model["latent"] == 4
    assert encoded["model"] == model["model"]
    assert sum(each["products"] for each in clustered["clusters"]) == encoded["count"]
    assert (clustered["k"], clustered["method"]) == (2, "kmeans")
    assert main(["cluster", "--shop", shop, "--json"]) == 0
    by_category = json.loads(capsys.readouterr().out)
    assert by_category["method"] == "category"
    assert {each["label"]: each["products"] for each in by_category["clusters"]} == summary["categories"]
    assert main(["similar", "--shop", shop, "--random", "--json"]) == 0


@pytest.mark.slow
@pytest.mark.integration
def test_build_prints_text_and_resumes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = tmp_path / "shop"
    words = ["build", str(folder), "--shop", str(shop), "--size", "48x64", "--epochs", "2", "--latent", "4"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "Done: ingest, train, encode, cluster, sliders, map" in out
    assert f"modiste similar --shop {shop}" in out
    assert main(words) == 0
    assert "Kept: train, encode, cluster, sliders, map" in capsys.readouterr().out


def test_parse_size_reads_the_width_first() -> None:
    assert parse_size("180x240") == (240, 180)
    assert parse_size(None) is None
    for text in ("180", "x", "180x", "-1x5", "180x240x3", "a x b"):
        with pytest.raises(BadOption, match="180x240"):
            parse_size(text)


def test_parse_categories_splits_at_commas() -> None:
    assert parse_categories("all") is None
    assert parse_categories("footwear, bags") == ["footwear", "bags"]
