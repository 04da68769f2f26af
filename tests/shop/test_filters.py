"""Attributes as columns: facets, and filters that are exact."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.errors import BadOption
from modiste.shop.filters import BATCH_ROWS, MAX_WORD_CHARS, Columns, column_kinds, parse_filter

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("shoes", {"base_colour": "Red", "heel": 3.5, "vegan": True, "name": "a", "kind": "Footwear"}),
    ("shoes", {"base_colour": "Black", "heel": 0, "vegan": False, "name": "b", "kind": "Footwear"}),
    ("shoes", {"base_colour": "Black", "heel": None, "vegan": True, "name": "c", "kind": "Footwear"}),
    ("bags", {"base_colour": "Red", "heel": float("nan"), "name": "d", "kind": "Things", "id": "x1"}),
    ("bags", {"base_colour": "Blue", "heel": 1, "vegan": True, "name": "e", "kind": "Things", "mixed": 3}),
    ("hats", {"heel": 7, "vegan": False, "name": "f", "kind": "Things", "mixed": "three"}),
]


def nested(depth: int) -> dict[str, Any]:
    """A filter within filters."""
    return {"not": nested(depth - 1)} if depth else {"base_colour": ["Red"]}


@pytest.fixture
def columns() -> Columns:
    return Columns([category for category, _ in ROWS], [json.dumps(attributes) for _, attributes in ROWS])


VALUES = st.sampled_from([None, True, 1, 2.5, float("nan"), "Red", "x" * (MAX_WORD_CHARS + 1)])
NAMES = st.sampled_from(["id", "colour", "size", "heel"])


@given(st.lists(st.dictionaries(NAMES, VALUES), max_size=8))
def test_column_kinds_equal_those_of_columns(drawn: list[dict[str, Any]]) -> None:
    texts = [json.dumps(each) for each in drawn]
    expected = Columns(["a"] * len(texts), texts).kinds
    assert list(column_kinds(texts).items()) == list(expected.items())


def rows(columns: Columns, where: dict[str, Any]) -> str:
    """The names of the products that fit."""
    return "".join(ROWS[row][1]["name"] for row in np.flatnonzero(columns.mask(where)))


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({}, "abcdef"),
        ({"base_colour": ["Red"]}, "ad"),
        ({"base_colour": ["Red", "Blue", "Green"]}, "ade"),
        ({"base_colour": []}, ""),
        ({"base_colour": ["red"]}, ""),
        ({"base_colour": {"not": ["Black"]}}, "adef"),
        ({"base_colour": ["Red", "Black"], "category": ["shoes"]}, "abc"),
        ({"category": {"not": ["shoes", "hats"]}}, "de"),
        ({"heel": {"min": 1}}, "aef"),
        ({"heel": {"min": 1, "max": 3.5}}, "ae"),
        ({"heel": {"max": 0}}, "b"),
        ({"heel": {"min": None, "max": 5}}, "abe"),
        ({"heel": {"min": 1, "not": [7]}}, "ae"),
        ({"heel": [0, 7]}, "bf"),
        ({"heel": ["3.5"]}, "a"),
        ({"vegan": [True]}, "ace"),
        ({"vegan": ["false"]}, "bf"),
        ({"vegan": {"not": [True]}}, "bdf"),
        ({"mixed": ["3"]}, "e"),
        ({"mixed": [3]}, "e"),
        ({"attribute_id": ["x1"]}, "d"),
        ({"any": [{"base_colour": ["Red"]}, {"heel": {"min": 7}}]}, "adf"),
        ({"any": []}, ""),
        ({"all": []}, "abcdef"),
        ({"all": [{"heel": {"min": 1}}, {"heel": {"max": 3.5}}], "vegan": [True]}, "ae"),
        ({"not": {"base_colour": ["Red"]}}, "bcef"),
        ({"not": {"any": [{"category": ["shoes"]}, {"not": {"base_colour": ["Red"]}}]}}, "d"),
    ],
)
def test_filters_select_the_expected_products(columns: Columns, where: dict[str, Any], names: str) -> None:
    assert rows(columns, where) == names


@pytest.mark.parametrize(
    "where",
    [
        {"colour": ["Red"]},
        {"base_colour": "Red"},
        {"base_colour": {"min": 1}},
        {"base_colour": {"max": "z"}},
        {"base_colour": [None]},
        {"base_colour": [["Red"]]},
        {"base_colour": {"like": ["R"]}},
        {"base_colour": {}},
        {"base_colour": {"not": "Red"}},
        {"base_colour": None},
        {"heel": ["high"]},
        {"heel": [True]},
        {"heel": {"min": "1"}},
        {"heel": {"min": float("nan")}},
        {"vegan": ["perhaps"]},
        {"vegan": [1]},
        {"x" * 10_000: ["Red"]},
        {"base_colour": "x" * 10_000},
        {"any": [{"colour": ["Red"]}]},
        {"any": "Red"},
        {"any": ["Red"]},
        {"not": ["Red"]},
        {"all": [3]},
        nested(20),
    ],
)
def test_invalid_conditions_raise(columns: Columns, where: dict[str, Any]) -> None:
    with pytest.raises(BadOption) as caught:
        columns.mask(where)
    assert caught.value.remedy
    assert len(str(caught.value)) < 500


def test_facets_are_useful_columns(columns: Columns) -> None:
    facets = {facet.name: facet for facet in columns.facets({"base_colour": {"Red": "#aa0000"}})}
    # Not the names, which are all different; nor `kind`, which the category tells; nor what few have.
    assert list(facets) == ["category", "base_colour", "vegan", "heel"]
    assert facets["category"].values == (("shoes", 3, None), ("bags", 2, None), ("hats", 1, None))
    assert facets["base_colour"].values == (("Black", 2, None), ("Red", 2, "#aa0000"), ("Blue", 1, None))
    assert facets["vegan"].values == ((True, 3, None), (False, 2, None))
    assert (facets["heel"].minimum, facets["heel"].maximum) == (0, 7)
    assert facets["heel"].to_dict()["kind"] == "number"


def test_columns_with_many_values_are_not_facets() -> None:
    many = range(200)
    texts = [json.dumps({"sku": 10_000 + i, "size": i % 7, "weight": i / 7, "code": f"c{i}"}) for i in many]
    names = {facet.name for facet in Columns(["x"] * 200, texts).facets({})}
    assert names == {"category", "size", "weight"}


def test_columns_with_long_texts_are_left_out() -> None:
    texts = [json.dumps({"about": "x" * length, "size": length}) for length in (3, MAX_WORD_CHARS + 1, 5)]
    columns = Columns(["x"] * 3, texts)
    assert set(columns.by_name) == {"category", "size"}
    with pytest.raises(BadOption, match="about"):
        columns.mask({"about": ["xxx"]})


def test_filter_spans_several_batches() -> None:
    count = 2 * BATCH_ROWS + 3
    columns = Columns(["x"] * count, [json.dumps({"n": number, "m": number % 3}) for number in range(count)])
    found = np.flatnonzero(columns.mask({"n": {"min": BATCH_ROWS - 1, "max": BATCH_ROWS + 1}}))
    assert found.tolist() == [BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1]


def test_product_without_attributes_can_be_filtered_by_category() -> None:
    one = Columns(["shoes"], ["{}"])
    assert [facet.name for facet in one.facets({})] == ["category"]
    assert one.mask({"category": ["shoes"]}).tolist() == [True]


def test_ten_thousand_products_are_fast() -> None:
    texts = [
        json.dumps({f"word_{j}": f"value {i % (3 + j)}" for j in range(8)} | {"year": 2000 + i % 9})
        for i in range(11_000)
    ]
    columns = Columns(["a", "b"] * 5500, texts)
    began = time.process_time()
    columns.facets({})
    assert time.process_time() - began < 2.0  # some 0.2 s on an idle machine
    began = time.process_time()
    columns.mask({"word_3": ["value 1"], "year": {"min": 2004}})
    assert time.process_time() - began < 0.05


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ([], "abcdef"),
        (["base_colour=Red, Blue"], "ade"),
        (["base_colour != Black", "heel>=1"], "aef"),
        (["heel<=0"], "b"),
        (["heel=0,7"], "bf"),
        (['{"any": [{"base_colour": ["Blue"]}, {"heel": {"min": 7}}]}', "vegan=true"], "e"),
    ],
)
def test_parsed_filters_select_the_expected_products(columns: Columns, texts: list[str], names: str) -> None:
    assert rows(columns, parse_filter(texts)) == names


@pytest.mark.parametrize("text", ["", "red", "=red", "heel>=tall", "{", "heel>3"])
def test_parse_filter_rejects_invalid_text(text: str) -> None:
    with pytest.raises(BadOption, match=r"filter|bounded"):
        parse_filter([text])


def test_attributes_named_any_and_not_can_be_filtered() -> None:
    columns = Columns(["a", "b"], ['{"any": "x", "not": 3}', '{"any": "y", "not": 5}'])
    assert columns.mask({"any": ["x"]}).tolist() == [True, False]
    assert columns.mask({"not": {"min": 4}}).tolist() == [False, True]
