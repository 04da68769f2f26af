"""The commands evaluate and demo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from modiste.cli import main
from modiste.sources.sample import SampleSource
from tests.small import FRAME


def test_evaluate_prints_json(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--shop", str(built), "--per-category", "5", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    result = json.loads(out)
    for features in ("code", "mean"):
        assert set(result["clusters"][features]) == {"per_class", "macro_f1"}
    for scope in ("catalogue", "cluster"):
        for method in ("likelihood", "fixed-epsilon", "mean"):
            assert list(result["retrieval"][scope][method]) == ["10", "25", "50", "500"]
    assert set(result["attributes"]) >= {"article_type", "base_colour"}
    assert set(result["reconstruction"]) == {"psnr", "mse", "sharpness", "mosaic"}
    assert set(result["baselines"]["pca"]) >= {"retrieval", "attributes", "reconstruction"}


def test_evaluate_prints_tables_with_the_papers_figures(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--shop", str(built), "--per-category", "5"]) == 0
    out = capsys.readouterr().out
    for text in ("macro-F1", "cluster scope", "catalogue scope", "article_type", "PSNR", "0.955"):
        assert text in out
    for baseline in ("PCA (pca)", "RGB histogram (histogram)", "chance (random)"):
        assert baseline in out


def test_evaluate_rejects_zero_queries(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--shop", str(built), "--per-category", "0"]) == 2
    assert "per-category" in capsys.readouterr().err


def test_evaluate_with_unseen_photos_writes_report_and_sheet(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, report, sheet = tmp_path / "unseen", tmp_path / "report.html", tmp_path / "sheet.png"
    for record in SampleSource(count=12, seed=99, size=FRAME).records():
        assert isinstance(record.photo, bytes)
        (source / record.category).mkdir(parents=True, exist_ok=True)
        (source / record.category / f"{record.id}.png").write_bytes(record.photo)
    words = ["evaluate", "--shop", str(built), "--queries", str(source), "--per-category", "3", "--json"]
    assert main([*words, "--report", str(report), "--sheet", str(sheet)]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == str(source)
    page = report.read_text(encoding="utf-8")
    assert "data:image/" in page
    with Image.open(sheet) as picture:
        assert min(picture.size) > 200
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_demo_builds_a_shop_and_writes_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["demo", "--shop", str(tmp_path / "demo"), "--no-serve", "--json", "--minutes", "0.2"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["products"] >= 2900
    assert len(result["results"]) == 5
    assert len(result["recommendations"]) == 2
    assert (tmp_path / "demo-report.html").is_file()
