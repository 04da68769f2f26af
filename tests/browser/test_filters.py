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


def box(tab: Any, facet: str, value: str) -> Any:
    """Return the checkbox of a value."""
    fieldset = tab.locator(f'#filters fieldset[data-facet="{facet}"]')
    return fieldset.locator("label.value", has=tab.get_by_text(value, exact=True)).locator("input")


def shown_with(tab: Any, shop: Shop, where: dict[str, Any]) -> list[Any]:
    """Return the products of the cards, once they equal the API's results with a filter."""
    rested(tab)
    answer = shop.similar(tab, scope="catalogue", where=where)["results"]
    assert ids(tab) == [each["id"] for each in answer]
    assert answer
    return [shop.product(each) for each in ids(tab)]


def test_words_of_one_attribute_add_up_and_attributes_narrow(filters: Any, shop: Shop) -> None:
    box(filters, "material", "Leather").check()
    first = shown_with(filters, shop, {"material": ["Leather"]})
    assert {each["attributes"]["material"] for each in first} == {"Leather"}
    box(filters, "material", "Canvas").check()
    where: dict[str, Any] = {"material": ["Leather", "Canvas"]}
    second = shown_with(filters, shop, where)
    assert {each["attributes"]["material"] for each in second} == {"Leather", "Canvas"}
    box(filters, "category", "bags").check()
    third = shown_with(filters, shop, where | {"category": ["bags"]})
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
    shown_with(filters, shop, where | {"category": ["bags"]})


def test_a_chip_takes_one_filter_away_and_clear_takes_all(filters: Any, shop: Shop) -> None:
    box(filters, "material", "Leather").check()
    box(filters, "category", "bags").check()
    shown_with(filters, shop, {"material": ["Leather"], "category": ["bags"]})
    filters.get_by_role("button", name="Remove the filter Leather", exact=True).click()
    shown_with(filters, shop, {"category": ["bags"]})
    assert not box(filters, "material", "Leather").is_checked()
    assert filters.evaluate("document.activeElement.id") == "filters-toggle", "the focus is not lost"
    filters.click("#filters .clear")
    shown_with(filters, shop, {})
    assert not box(filters, "category", "bags").is_checked()
    assert filters.is_hidden("#filters .clear")


def test_a_range_of_numbers(filters: Any, shop: Shop) -> None:
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
        products = shown_with(filters, shop, {"lightness": where})
        assert all(low <= each["attributes"]["lightness"] for each in products)
    assert all(each["attributes"]["lightness"] <= high for each in products)
    assert filters.inner_text("#filters .chips").startswith(f"lightness {low} to {high}")


def test_yes_or_no(chromium: Any, few: Server) -> None:
    shop = Shop(few.url)
    for tab in opened(chromium, few.url):
        rested(tab)
        tab.select_option("#scope", "catalogue")
        tab.click("#filters-toggle")
        for value, word in ((True, "yes"), (False, "no")):
            box(tab, "in_stock", word).check()
            products = shown_with(tab, shop, {"in_stock": [value]})
            assert {each["attributes"]["in_stock"] for each in products} == {value}
            assert f"in stock: {word}" in tab.inner_text("#filters .chips")
            box(tab, "in_stock", word).uncheck()


def test_colours_have_the_swatches_that_the_shop_measured(filters: Any, shop: Shop) -> None:
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
    box(filters, "base_colour", chosen).check()
    products = shown_with(filters, shop, {"base_colour": [chosen]})
    assert {each["attributes"]["base_colour"] for each in products} == {chosen}
    swatch = filters.locator("#filters .chip .swatch")
    assert swatch.evaluate("each => getComputedStyle(each).backgroundColor") == painted[2][1]


def test_a_long_list_of_values_is_searched(filters: Any, shop: Shop) -> None:
    facet = next(each for each in shop.about["facets"] if each["name"] == "base_colour")
    fieldset = filters.locator('#filters fieldset[data-facet="base_colour"]')
    fieldset.locator(".value-search").fill("RE")
    left = [text.split("\n")[0] for text in fieldset.locator("label.value:visible").all_inner_texts()]
    assert left
    assert set(left) == {each["value"] for each in facet["values"] if "re" in each["value"].lower()}
    fieldset.locator(".value-search").fill("no such colour")
    assert fieldset.locator("label.value:visible").count() == 0
    assert fieldset.locator(".note").is_visible(), "it says that nothing fits"


def test_where_nothing_passes_it_says_so_and_offers_the_way_back(filters: Any, shop: Shop) -> None:
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
