"""Filters by words, numbers, yes or no, and colours: the lists show exactly the products that pass."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import opened
from tests.browser.page_api import Shop, ids, moves, rested
from tests.browser.page_state import slider
from tests.browser.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def filters(tab: Any) -> Any:
    """The page with its filters open, and the scope set to the whole catalogue."""
    tab.select_option("#scope", "catalogue")
    tab.click("#filters-toggle")
    rested(tab)
    return tab


def value_checkbox(tab: Any, facet: str, value: str) -> Any:
    """Return the checkbox of a value."""
    fieldset = tab.locator(f'#filters fieldset[data-facet="{facet}"]')
    return fieldset.locator("label.value", has=tab.get_by_text(value, exact=True)).locator("input")


def filtered_products(tab: Any, shop: Shop, where: dict[str, Any]) -> list[Any]:
    """Return the products of the cards, once they equal the API's results with a filter."""
    rested(tab)
    answer = shop.similar(tab, scope="catalogue", where=where)["results"]
    assert ids(tab) == [each["id"] for each in answer]
    assert answer
    return [shop.product(each) for each in ids(tab)]


def test_values_combine_with_or_and_attributes_with_and(filters: Any, shop: Shop) -> None:
    value_checkbox(filters, "material", "Leather").check()
    first = filtered_products(filters, shop, {"material": ["Leather"]})
    assert {each["attributes"]["material"] for each in first} == {"Leather"}
    value_checkbox(filters, "material", "Canvas").check()
    where: dict[str, Any] = {"material": ["Leather", "Canvas"]}
    second = filtered_products(filters, shop, where)
    assert {each["attributes"]["material"] for each in second} == {"Leather", "Canvas"}
    value_checkbox(filters, "category", "bags").check()
    third = filtered_products(filters, shop, where | {"category": ["bags"]})
    assert {each["category"] for each in third} == {"bags"}
    assert {each["attributes"]["material"] for each in third} <= {"Leather", "Canvas"}
    assert filters.inner_text("#filters-toggle") == "Filters (3)"
    # What goes with the design passes too, but for the category, which its rows are about.
    beside = {each["category"]: each["results"] for each in shop.recommended(filters, where=where)}
    for row in filters.locator("#goes-with .goes-row").all():
        recommended = beside[row.get_attribute("data-category")]
        assert row.locator(".empty").is_visible() == (not recommended)
        if recommended:
            assert row.locator(".chosen").get_attribute("data-product") == recommended[0]["id"]
            assert recommended[0]["attributes"]["material"] in where["material"]
    slider(filters, 0).focus()
    moves(filters, lambda: filters.keyboard.press("End"))
    filtered_products(filters, shop, where | {"category": ["bags"]})


def test_chip_removes_its_filter_and_clear_removes_all(filters: Any, shop: Shop) -> None:
    value_checkbox(filters, "material", "Leather").check()
    value_checkbox(filters, "category", "bags").check()
    filtered_products(filters, shop, {"material": ["Leather"], "category": ["bags"]})
    filters.get_by_role("button", name="Remove the filter Leather", exact=True).click()
    filtered_products(filters, shop, {"category": ["bags"]})
    assert not value_checkbox(filters, "material", "Leather").is_checked()
    assert filters.evaluate("document.activeElement.id") == "filters-toggle", "the focus is not lost"
    filters.click("#filters .clear")
    filtered_products(filters, shop, {})
    assert not value_checkbox(filters, "category", "bags").is_checked()
    assert filters.is_hidden("#filters .clear")


def test_number_filter_limits_the_range(filters: Any, shop: Shop) -> None:
    filters.locator("#filters .measurements summary").click()
    facet = next(each for each in shop.about["facets"] if each["name"] == "lightness")
    low = round(facet["minimum"] + 0.3 * (facet["maximum"] - facet["minimum"]), 2)
    high = round(facet["minimum"] + 0.6 * (facet["maximum"] - facet["minimum"]), 2)
    for label, value, where in (
        ("lightness from", low, {"min": low}),
        ("lightness to", high, {"min": low, "max": high}),
    ):
        with filters.expect_request("**/v1/similar"):
            filters.get_by_label(label, exact=True).fill(str(value))
        products = filtered_products(filters, shop, {"lightness": where})
        assert all(low <= each["attributes"]["lightness"] for each in products)
    assert all(each["attributes"]["lightness"] <= high for each in products)
    assert filters.inner_text("#filters .chips").startswith(f"lightness {low} to {high}")


def test_boolean_filter_selects_yes_or_no(chromium: Any, few: Server) -> None:
    shop = Shop(few.url)
    for tab in opened(chromium, few.url):
        rested(tab)
        tab.select_option("#scope", "catalogue")
        tab.click("#filters-toggle")
        for value, word in ((True, "yes"), (False, "no")):
            value_checkbox(tab, "in_stock", word).check()
            products = filtered_products(tab, shop, {"in_stock": [value]})
            assert {each["attributes"]["in_stock"] for each in products} == {value}
            assert f"in stock: {word}" in tab.inner_text("#filters .chips")
            value_checkbox(tab, "in_stock", word).uncheck()


def test_colour_filters_show_the_measured_swatches(filters: Any, shop: Shop) -> None:
    facet = next(each for each in shop.about["facets"] if each["name"] == "base_colour")
    labels = filters.locator('#filters fieldset[data-facet="base_colour"] label.value')
    painted = labels.evaluate_all(
        "all => all.map(each => [each.querySelector('.text').textContent, "
        "getComputedStyle(each.querySelector('.swatch')).backgroundColor])"
    )
    assert painted == [
        [each["value"], "rgb({}, {}, {})".format(*bytes.fromhex(each["colour"][1:]))] for each in facet["values"]
    ]
    chosen = facet["values"][2]["value"]
    value_checkbox(filters, "base_colour", chosen).check()
    products = filtered_products(filters, shop, {"base_colour": [chosen]})
    assert {each["attributes"]["base_colour"] for each in products} == {chosen}
    swatch = filters.locator("#filters .chip .swatch")
    assert swatch.evaluate("each => getComputedStyle(each).backgroundColor") == painted[2][1]


def test_long_list_of_values_can_be_searched(filters: Any, shop: Shop) -> None:
    facet = next(each for each in shop.about["facets"] if each["name"] == "base_colour")
    fieldset = filters.locator('#filters fieldset[data-facet="base_colour"]')
    fieldset.locator(".value-search").fill("RE")
    left = [text.split("\n")[0] for text in fieldset.locator("label.value:visible").all_inner_texts()]
    assert left
    assert set(left) == {each["value"] for each in facet["values"] if "re" in each["value"].lower()}
    fieldset.locator(".value-search").fill("no such colour")
    assert fieldset.locator("label.value:visible").count() == 0
    assert fieldset.locator(".note").is_visible(), "it says that nothing fits"


def test_filter_without_matches_is_reported_and_can_be_cleared(filters: Any, shop: Shop) -> None:
    before = ids(filters)
    filters.locator("#filters .measurements summary").click()
    with filters.expect_request("**/v1/similar"):
        filters.get_by_label("lightness from", exact=True).fill("9")
    rested(filters)
    assert shop.similar(filters, scope="catalogue", where={"lightness": {"min": 9}})["results"] == []
    assert filters.is_hidden("#similar")
    nothing = filters.locator(".similar .empty")
    assert "No product passes" in nothing.inner_text()
    assert filters.locator("#goes-with .empty:visible").count() == filters.locator("#goes-with .goes-row").count()
    nothing.get_by_role("button", name="Clear the filters").click()
    rested(filters)
    assert ids(filters) == before
    assert filters.is_visible("#similar")
    assert filters.get_by_label("lightness from", exact=True).input_value() == ""
