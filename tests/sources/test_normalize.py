"""Names and types that tables give, and the ones that records have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from modiste.sources.normalize import (
    infer_column_parsers,
    normalize_category,
    parse_attributes,
    snake_case,
)


@pytest.mark.parametrize(
    ("given", "name"),
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
def test_snake_case(given: str, name: str) -> None:
    assert snake_case(given) == name
    assert snake_case(name) == name


@pytest.mark.parametrize(
    ("value", "category"),
    [
        (" Bags ", "bags"),
        ("", "uncategorised"),
        (None, "uncategorised"),
        (float("nan"), "uncategorised"),
        (3, "3"),
    ],
)
def test_category_name(value: object, category: str) -> None:
    assert normalize_category(value) == category


def test_a_column_has_one_type() -> None:
    rows = [
        ["1", "1", "0.5", "true", "007", "", "inf", "12345678901234567890"],
        ["-2", "x", "3", "False", "8", "NA", "1", "1"],
        ["too", "short"],
    ]
    readers = infer_column_parsers(rows, 8)
    assert [read(value) for read, value in zip(readers, rows[0], strict=True)] == [
        1, "1", 0.5, True, "007", "", "inf", 12345678901234567890.0,
    ]  # fmt: skip


def test_attributes_are_plain_values_under_names_of_their_own() -> None:
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
