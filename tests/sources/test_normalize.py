"""Names, types and categories of table columns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from modiste.sources.normalize import infer_column_parsers, normalize_category, parse_attributes, snake_case


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("articleType", "article_type"),
        ("Article Type", "article_type"),
        ("article-type ", "article_type"),
        ("baseColour", "base_colour"),
        ("SKUCode", "sku_code"),
        ("id", "id"),
        ("price (€)", "price"),
        ("size2Width", "size2_width"),
        ("Größe", "größe"),
    ],
)
def test_snake_case(column: str, name: str) -> None:
    assert snake_case(column) == name
    assert snake_case(name) == name


@pytest.mark.parametrize(
    ("value", "category"),
    [(" Bags ", "bags"), ("", "uncategorised"), (None, "uncategorised"), (float("nan"), "uncategorised"), (3, "3")],
)
def test_normalize_category(value: object, category: str) -> None:
    assert normalize_category(value) == category


def test_values_of_a_column_have_one_type() -> None:
    rows = [
        ["1", "1", "0.5", "true", "007", "", "inf", "12345678901234567890"],
        ["-2", "x", "3", "False", "8", "NA", "1", "1"],
        ["too", "short"],
    ]
    parsers = infer_column_parsers(rows, 8)
    assert [parse(value) for parse, value in zip(parsers, rows[0], strict=True)] == [
        1, "1", 0.5, True, "007", "", "inf", 12345678901234567890.0,
    ]  # fmt: skip


def test_attributes_are_plain_values_with_unique_names() -> None:
    row = {
        "id": 7,
        "category": "Bags",
        "cluster": "c",
        "productDisplayName": "Tote",
        "price": Decimal("9.5"),
        "since": date(2020, 1, 2),
        "tags": ["a", "b"],
        "empty": " ",
        "nothing": None,
        "nan": float("nan"),
        "raw": b"\0",
        "sale": True,
        "": "nameless",
    }
    assert parse_attributes(row, without=["id"]) == {
        "source_category": "Bags",
        "source_cluster": "c",
        "name": "Tote",
        "price": 9.5,
        "since": "2020-01-02",
        "tags": '["a", "b"]',
        "sale": True,
    }
