from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from modiste.errors import StorageError
from modiste.evaluate import evaluate
from modiste.evaluate.report.html import render_report, write_report
from modiste.evaluate.report.tables import format_figure, result_tables
from modiste.shop.shop import Shop

VOID = {"meta", "img", "br"}


class Nesting(HTMLParser):
    """Parser that checks that every tag is closed in order, and collects the addresses of images."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def shop(built: Path) -> Shop:
    return Shop.open(built)


@pytest.fixture(scope="module")
def result(shop: Shop) -> dict[str, Any]:
    return evaluate(shop, per_category=10)


@pytest.fixture(scope="module")
def page(shop: Shop, result: dict[str, Any]) -> str:
    return render_report(shop, result)


def test_report_is_self_contained_and_well_formed(page: str) -> None:
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    assert parser.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in parser.sources)
    assert "<script" not in page
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)


def test_report_has_every_section(page: str) -> None:
    for part in (
        "Held-out photos",
        "Similar products",
        "Recommendations",
        "The effect of each latent",
        "The latent map",
        "Training",
        "Clusters",
        "mAP@500",
        "Attribute agreement",
        "Reconstruction",
    ):
        assert part in page
    assert "prefers-color-scheme: dark" in page


def test_untrusted_text_is_escaped(shop: Shop, result: dict[str, Any]) -> None:
    evil = "<script>alert('&\"')</script>"
    written = render_report(shop, result | {"source": evil, "notes": [evil], "model": evil})
    assert evil not in written
    assert "&lt;script&gt;" in written


def test_rendering_is_deterministic(shop: Shop, result: dict[str, Any], page: str) -> None:
    assert render_report(shop, result) == page


def test_missing_output_directory_raises_storage_error(shop: Shop, result: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_report(shop, result, tmp_path / "nowhere" / "report.html")


def test_written_report_equals_the_rendered_page(shop: Shop, result: dict[str, Any], page: str, tmp_path: Path) -> None:
    write_report(shop, result, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_every_table_row_has_one_cell_per_column(result: dict[str, Any]) -> None:
    for each in result_tables(result):
        assert each.rows
        assert {len(row) for row in each.rows} == {len(each.columns)}


def test_figures_are_formatted_with_their_intervals() -> None:
    assert format_figure(None) == "–"
    assert format_figure(1234) == "1,234"
    assert format_figure(0.12345, [0.1, 0.2]) == "0.123 [0.100, 0.200]"
