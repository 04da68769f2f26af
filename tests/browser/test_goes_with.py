"""Recommendations in the page: a row for each other category, swap, keep and shuffle; and saved looks."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import opened
from tests.browser.page_api import Shop, drawn, go_to, moves, rested
from tests.browser.page_state import colours, until

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1"> & \u202etfel'


def chosen_products(tab: Any) -> dict[str, str]:
    """Return the product that each row shows large, by category."""
    rows = tab.locator("#goes-with .goes-row")
    return {
        row.get_attribute("data-category"): row.locator(".chosen").get_attribute("data-product") for row in rows.all()
    }


def look_products(tab: Any) -> list[str]:
    """Return the products in the look's picture, by their photos' URLs."""
    photos = tab.eval_on_selector_all("#look .look-items li:not(.own) img", "all => all.map(each => each.src)")
    return [photo.split("/v1/products/")[1].split("/")[0] for photo in photos]


def row(tab: Any, category: str) -> Any:
    return tab.locator(f'#goes-with .goes-row[data-category="{category}"]')


def first_recommendations(shop: Shop, z: str) -> dict[str, str]:
    """Return the first product of each row for a design, by the method of `rank_by_code`."""
    body = {"code": shop.code_of(z), "k": 12, "by": "category", "method": "fixed-epsilon"}
    rows = shop.post("/v1/recommend", body)["recommendations"]
    return {each["category"]: each["results"][0]["id"] for each in rows}


def rank_by_code(tab: Any) -> None:
    """Rank by codes, which distinguish this briefly trained shop's designs best."""
    tab.select_option("#method", "fixed-epsilon")
    rested(tab)


def another_design(tab: Any, shop: Shop) -> str:
    """Return the `z` of a design of the same category whose rows all begin with other products, by `rank_by_code`."""
    here = first_recommendations(shop, drawn(tab))
    for product in shop.get("/v1/products?size=90")["results"]:
        z = shop.z_of(shop.product(product["id"])["code"])
        there = first_recommendations(shop, z)
        if there.keys() == here.keys() and all(there[name] != here[name] for name in here):
            return z
    raise AssertionError("this shop has no such design")


def test_each_other_category_has_a_row_with_its_recommendations(tab: Any, shop: Shop) -> None:
    answer = shop.recommended(tab)
    own = shop.similar(tab)["query"]["cluster"]["category"]
    others = {each["name"] for each in shop.about["categories"]} - {own}
    assert {each["category"] for each in answer} == others
    assert chosen_products(tab) == {each["category"]: each["results"][0]["id"] for each in answer}
    rank_by_code(tab)
    assert chosen_products(tab) == first_recommendations(shop, drawn(tab))
    go_to(tab, shop, another_design(tab, shop))
    assert chosen_products(tab) == first_recommendations(shop, drawn(tab))


def test_swap_cycles_through_the_products_of_a_row(tab: Any, shop: Shop) -> None:
    answer = shop.recommended(tab)[0]
    category, ids = answer["category"], [each["id"] for each in answer["results"]]
    others = {name: product for name, product in chosen_products(tab).items() if name != category}
    seen = []
    for _ in ids:
        row(tab, category).locator(".swap").click()
        seen.append(chosen_products(tab)[category])
    assert seen == [*ids[1:], ids[0]]
    assert {name: product for name, product in chosen_products(tab).items() if name != category} == others


def test_click_chooses_another_product_of_a_row(tab: Any, shop: Shop) -> None:
    answer = shop.recommended(tab)[-1]
    category = answer["category"]
    row(tab, category).locator(".others button").nth(1).click()
    assert chosen_products(tab)[category] == answer["results"][2]["id"]
    assert answer["results"][2]["id"] in look_products(tab)


def test_kept_product_stays_while_other_rows_follow_the_design(tab: Any, shop: Shop) -> None:
    rank_by_code(tab)
    first, *rest = chosen_products(tab)
    target = another_design(tab, shop)
    row(tab, first).locator(".swap").click()
    kept = chosen_products(tab)[first]
    row(tab, first).locator(".keep").click()
    assert row(tab, first).locator(".keep").get_attribute("aria-pressed") == "true"
    before = chosen_products(tab)
    go_to(tab, shop, target)
    now = chosen_products(tab)
    assert now[first] == kept
    answer = first_recommendations(shop, target)
    assert rest
    for name in rest:
        assert now[name] == answer[name] != before[name]
    row(tab, first).locator(".keep").click()
    moves(tab, lambda: tab.click("#undo"))
    assert chosen_products(tab) == first_recommendations(shop, drawn(tab)), (
        "what is kept no longer follows the design again"
    )


def test_shuffle_changes_only_its_row(tab: Any, shop: Shop) -> None:
    answer = shop.recommended(tab)[0]
    category, near = answer["category"], {each["id"] for each in answer["results"]}
    others = {name: product for name, product in chosen_products(tab).items() if name != category}
    seen = [chosen_products(tab)[category]]
    for _ in range(6):
        row(tab, category).locator(".shuffle").click()
        seen.append(chosen_products(tab)[category])
    assert all(one != two for one, two in pairwise(seen)), "a roll that changes nothing"
    assert set(seen) <= near
    assert {name: product for name, product in chosen_products(tab).items() if name != category} == others


def test_look_is_saved_reopened_and_deleted(tab: Any, shop: Shop) -> None:
    rank_by_code(tab)
    row(tab, next(iter(chosen_products(tab)))).locator(".swap").click()
    wearing, z = look_products(tab), drawn(tab)
    assert sorted(wearing) == sorted(chosen_products(tab).values())
    tab.fill("#look-name", HOSTILE)
    tab.click("#look-save")
    go_to(tab, shop, another_design(tab, shop))
    assert look_products(tab) != wearing
    tab.reload()
    rested(tab)
    saved = tab.locator("#look .saved li")
    assert saved.locator("button").first.inner_text() == HOSTILE
    moves(tab, saved.locator("button").first.click)
    until(tab, "name => document.querySelector('#look-name').value === name", HOSTILE)
    rested(tab)
    assert (drawn(tab), sorted(look_products(tab))) == (z, sorted(wearing))
    saved.locator("button").nth(1).click()
    assert saved.count() == 0
    assert tab.evaluate("localStorage.getItem('modiste-looks')") == "[]"


def test_look_is_shared_by_link(tab: Any, shop: Shop, chromium: Any) -> None:
    row(tab, next(iter(chosen_products(tab)))).locator(".swap").click()
    tab.fill("#look-name", HOSTILE)
    tab.click("#look-share")
    until(tab, "() => document.querySelector('#live').textContent.includes('copied')")
    link = tab.evaluate("navigator.clipboard.readText()")
    for other in opened(chromium, link):
        rested(other)
        assert other.input_value("#look-name") == HOSTILE
        assert drawn(other) == drawn(tab)
        assert sorted(look_products(other)) == sorted(look_products(tab))
        assert other.title() != "1"
        assert other.locator("#look img[src=x]").count() == 0
        assert chosen_products(other) == chosen_products(tab)
        pressed = other.locator("#goes-with .keep[aria-pressed=true]").count()
        assert pressed == len(chosen_products(tab)), "a shared look does not change with the next move"


def test_look_reports_a_missing_product(tab: Any, shop: Shop, chromium: Any) -> None:
    present = next(iter(chosen_products(tab).values()))
    link = f"{shop.url}/#{shop.fragment(drawn(tab))}&look={present},no-such-product"
    for other in opened(chromium, link, expect=("404",)):
        rested(other)
        until(other, "() => document.querySelector('#live').textContent.startsWith('1 product of this look')")
        assert present in look_products(other)


def test_look_is_saved_as_a_picture(tab: Any, tmp_path: Path) -> None:
    tab.fill("#look-name", "Sunday: in the <park>")
    with tab.expect_download() as saving:
        tab.click("#look-picture")
    assert saving.value.suggested_filename == "Sunday in the park.png"
    with Image.open(io.BytesIO(Path(saving.value.path()).read_bytes()), formats=("PNG",)) as image:
        width, height = image.size
        assert min(width, height) >= 800
        large = image.convert("RGB").crop((60, 140, 560, 820))
    assert len(colours(np.asarray(large))) > 8, "the design itself is in the picture"


def test_photo_of_a_row_can_be_enlarged(tab: Any) -> None:
    category, product = next(iter(chosen_products(tab).items()))
    row(tab, category).locator(".chosen .enlarge").click()
    tab.wait_for_selector("#photo-view[open]")
    assert product in tab.get_attribute("#photo-view img", "src")
