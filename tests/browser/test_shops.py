"""The page with different shops: very small, four categories or twelve, 4 or 64 latents, hostile texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import opened
from tests.browser.page_state import until
from tests.browser.server import Server
from tests.browser.shops import HOSTILE, NAME
from tests.browser.slider_actions import at_rest, design, ready

pytestmark = pytest.mark.browser

WIDTH = "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
TWO = """
() => !document.querySelector("#start-product [aria-busy]")
  && document.querySelectorAll("#start-product .grid-item[data-product]").length === 2
"""
# Nothing of the texts became part of the page: no element that only they name, no script that ran.
HARM = """
() => window.pwned || document.querySelector(
  "img[src='x'], b, i:not([class], .dots > i), body > script, #main script, dialog script, [onerror]"
)?.outerHTML || null
"""


@pytest.fixture
def small(chromium: Any, few: Server) -> Iterator[Any]:
    """A page of the very small shop."""
    yield from opened(chromium, few.url)


@pytest.fixture
def large(chromium: Any, many: Server) -> Iterator[Any]:
    """A page of the shop with many categories and latents; browser dialogs fail the test."""
    yield from opened(chromium, many.url)


def move_far(page: Any, place: int) -> bytes:
    """Move a slider, by its position, far from its value; return the new design."""
    box = page.locator("#controls [data-latent] input[type=number]").nth(place)
    box.fill("-100" if int(box.input_value()) > 0 else "100")
    page.keyboard.press("Enter")
    return at_rest(page)


def test_very_small_shop_has_all_features(small: Any) -> None:
    ready(small)
    assert small.locator("#controls [data-latent]:visible").count() == 4, "though all of them are idle"
    before = design(small)
    after = move_far(small, 0)
    assert len(after) == 4
    assert after != before
    small.select_option("#scope", "catalogue")
    until(small, "() => document.querySelectorAll('#similar .card').length === 8")
    small.keyboard.press("9")  # there is no ninth slider
    small.locator("#start-open").click()
    until(small, "() => document.querySelectorAll('#start-product .grid-item[data-product]').length === 8")
    assert small.locator("#start .chip").count() == 1 + 4
    assert small.locator("#start-product .pager button:enabled").count() == 0
    small.locator("#start-tab-average").click()
    assert small.locator("#start-average .grid-item").count() == 1 + 4
    small.locator("#start-average .grid-item").nth(3).click()
    at_rest(small)
    small.locator("#nearby").click()
    small.locator("#nearby-grid button").nth(0).click()
    at_rest(small)
    small.keyboard.press("Escape")
    with small.expect_response(lambda answer: "sort=random" in answer.url):
        small.locator("#surprise").click()
    at_rest(small)
    assert small.evaluate(WIDTH) == 0


def test_twelve_categories_and_64_latents_are_shown(large: Any) -> None:
    ready(large)
    rows = large.locator("#controls [data-latent]")
    assert rows.count() == 64
    assert len(move_far(large, 0)) == 64
    unfolded = rows.evaluate_all("rows => rows.filter(row => !row.closest('#more')).length")
    folded = large.locator("#more [data-latent]").count()
    assert unfolded + folded == 64
    large.locator("#start-open").click()
    assert large.locator("#start .chip").count() == 1 + 12
    large.locator("#start-tab-average").click()
    assert large.locator("#start-average .grid-item").count() == 1 + 12
    large.keyboard.press("Escape")
    large.locator("#share-open").click()
    link = large.locator("#share-link").input_value()
    other = large.context.new_page()
    other.goto(link)
    ready(other)
    assert design(other) == design(large)
    other.close()


def test_hostile_texts_are_not_interpreted(large: Any) -> None:
    dialogs: list[str] = []
    large.on("dialog", lambda box: dialogs.append(box.message))
    ready(large)
    assert NAME in large.locator("#header").inner_text()
    large.locator("#start-open").click()
    until(large, "() => document.querySelectorAll('#start-product .grid-item[data-product]').length === 24")
    titles = large.eval_on_selector_all("#start-product .grid-item", "all => all.map(each => each.title)")
    chips = large.locator("#start .chip").all_inner_texts()
    for each in HOSTILE:
        assert any(each.strip() in title for title in titles), each[:40]
        assert any(each.strip()[:200] in chip for chip in chips), each[:40]
    for place in range(1, 13):
        with large.expect_response("**/v1/products?*"):
            large.locator("#start .chip").nth(place).click()
        until(large, TWO)
    product = large.locator("#start-product .grid-item").first
    title = product.get_attribute("title")
    product.click()
    until(large, "title => document.querySelector('#stage .origin').textContent.includes(title)", title)
    at_rest(large)
    for tab in ("#tab-between", "#tab-map", "#tab-shop"):
        large.locator(tab).click()
        until(large, "() => !document.querySelector('[aria-busy=true]')")
        assert large.evaluate(HARM) is None, tab
        assert large.evaluate(WIDTH) == 0, f"{tab}: no text is wider than the page"
    assert dialogs == []


def test_hostile_texts_do_not_widen_a_narrow_page(chromium: Any, many: Server) -> None:
    pages = opened(chromium, many.url, viewport={"width": 320, "height": 640})
    page = next(pages)
    ready(page)
    assert page.evaluate(WIDTH) == 0
    page.locator("#start-open").click()
    until(page, "() => document.querySelectorAll('#start-product .grid-item[data-product]').length === 24")
    wide = page.eval_on_selector_all(
        "#start .sheet, #start .chip, #start .grid-item",
        "all => Math.max(...all.map(each => each.getBoundingClientRect().right))",
    )
    assert wide <= 320
    page.locator("#start-product .grid-item[data-product]").nth(5).click()
    at_rest(page)
    assert page.evaluate(WIDTH) == 0
    pages.close()
