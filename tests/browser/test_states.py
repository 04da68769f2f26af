"""States of the page: loading, server down and up again, a width of 320 pixels, touch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import opened
from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.shops import BY_KL, edited_copy
from tests.browser.slider_actions import InterceptedRequests, at_rest, centred, design, dial, put, ready

pytestmark = pytest.mark.browser

FIRST = BY_KL[0]
REFUSED = ("Failed to load resource", "ERR_CONNECTION_REFUSED", "ERR_FAILED")
WIDTH = "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
BANNER = "() => !document.querySelector('#banner').hidden"
NO_BANNER = "() => document.querySelector('#banner').hidden"
# How far anything that one can use reaches beyond the page, by what it is.
BEYOND = """
() => [...document.querySelectorAll("button, input, select, a, h2, h3, p, img")]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden, #history, .chips, .scroll, canvas"))
  .filter((each) => !each.matches(".visually-hidden"))
  .map((each) => [each.getBoundingClientRect(), each])
  .filter(([box]) => box.width && (box.right > innerWidth + 1 || box.left < -1))
  .map(([box, each]) => `${each.tagName} ${each.id || each.className}: ${box.left} to ${box.right}`)
"""


@pytest.fixture
def narrow(chromium: Any, studio: Server) -> Iterator[Any]:
    """A page as narrow as a small phone."""
    yield from opened(chromium, studio.url, viewport={"width": 320, "height": 640})


@pytest.fixture
def phone(chromium: Any, studio: Server) -> Iterator[Any]:
    """A page on a phone with a touch screen."""
    yield from opened(chromium, studio.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


def test_placeholders_are_shown_while_the_shop_and_products_load(chromium: Any, studio: Server) -> None:
    tab = chromium.new_page(viewport={"width": 1280, "height": 900})
    shop, similar = InterceptedRequests(tab, "**/v1/shop"), InterceptedRequests(tab, "**/v1/similar")
    tab.goto(studio.url)
    until(tab, "() => document.readyState === 'complete'")
    empty = tab.locator("#stage").bounding_box()
    assert empty["height"] > 200, "a shape where the product will be"
    shop.release()
    until(tab, "() => document.querySelectorAll('#similar .skeleton').length > 3")
    assert tab.locator("#similar").get_attribute("aria-busy") == "true"
    assert tab.locator("#similar .skeleton[aria-hidden=true]").count() > 3, "nothing for a screen reader to read"
    until(tab, "() => document.querySelector('#frame').naturalWidth > 0")
    similar.release()
    ready(tab)
    assert tab.locator("#similar .skeleton").count() == 0
    tab.close()


def test_page_keeps_its_last_frame_and_recovers_when_the_server_returns(
    chromium: Any, built: Path, tmp_path: Path
) -> None:
    server = Server(edited_copy(built, tmp_path / "shop"))
    server.start()
    pages = opened(chromium, server.url, expect=REFUSED)
    page = next(pages)
    try:
        centred(page)
        put(page, FIRST, 60)
        page.evaluate("() => scrollTo(0, 0)")
        last, shown = pixels(page), design(page)
        server.stop()
        dial(page, FIRST).focus()
        page.keyboard.press("ArrowLeft")  # not to where the strip has been already
        until(page, BANNER)
        assert "does not answer" in page.locator("#banner").inner_text()
        assert page.locator("#banner").get_attribute("role") == "alert"
        assert design(page) == shown, "the last frame stays"
        assert page.evaluate("() => document.querySelector('#frame').naturalWidth") > 0
        page.evaluate("() => scrollTo(0, 0)")
        assert (pixels(page) == last).mean() > 0.97  # without the offer of nearer details on it
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
            page.wait_for_timeout(50)  # each is asked for, in vain
        assert int(dial(page, FIRST).input_value()) == shown[FIRST] - 6, "the hand goes on"
        assert page.locator("#similar .card").count() > 0, "the products of before stay too"
        server.start()
        back = time.monotonic()
        until(page, NO_BANNER)
        assert time.monotonic() - back < 10, "moving on meanwhile does not put its return off"
        after = at_rest(page)
        assert after[FIRST] == shown[FIRST] - 6, "what was asked for meanwhile, once the server is back"
        assert (pixels(page) != last).any()
        until(page, "() => !document.querySelector('#results .problem:not([hidden])')")
    finally:
        pages.close()
        server.stop()


def test_page_opened_without_a_server_loads_once_it_answers(chromium: Any, studio: Server) -> None:
    tab = chromium.new_page()

    def refuse(route: Any) -> None:
        route.abort()

    tab.route("**/v1/shop", refuse)
    tab.goto(studio.url)
    until(tab, BANNER)
    assert "cannot be reached" in tab.locator("#banner").inner_text()
    tab.unroute("**/v1/shop")
    ready(tab)
    assert not tab.locator("#banner").is_visible()
    tab.close()


def test_page_reports_that_the_server_has_a_new_model(chromium: Any, studio: Server) -> None:
    pages = opened(chromium, studio.url, expect=("404",))
    page = next(pages)
    centred(page)

    def unknown(route: Any) -> None:
        body = '{"code": "unknown_render_id", "status": 404, "title": "", "detail": "gone", "remedy": ""}'
        route.fulfill(status=404, content_type="application/problem+json", body=body)

    page.route("**/v1/render.jpg*", unknown)
    dial(page, FIRST).focus()
    page.keyboard.press("End")
    until(page, BANNER)
    assert "new model" in page.locator("#banner").inner_text()
    page.unroute("**/v1/render.jpg*")
    page.locator("#banner button").click()
    ready(page)
    assert not page.locator("#banner").is_visible()
    pages.close()


def test_page_of_320_pixels_does_not_scroll_sideways(narrow: Any) -> None:
    ready(narrow)
    assert narrow.evaluate(WIDTH) == 0
    assert narrow.evaluate(BEYOND) == []
    assert dial(narrow, FIRST).bounding_box()["width"] >= 100, "a slider that a finger can move"
    for opener, dialog in (
        ("#start-open", "#start"),
        ("#photo-open", "#start"),
        ("#nearby", "#nearby-dialog"),
        ("#share-open", "#share"),
        ("#help-open", "#help"),
        ("#card-open", "#card"),
    ):
        narrow.locator(opener).click()
        box = narrow.locator(f"{dialog} .sheet").bounding_box()
        assert box["x"] >= 0, opener
        assert box["x"] + box["width"] <= 320, opener
        assert narrow.locator(f"{dialog} .sheet").evaluate("each => each.scrollWidth <= each.clientWidth + 1"), opener
        assert narrow.evaluate(BEYOND) == [], opener
        narrow.locator(f"{dialog} .sheet-close").click()
    for tab in ("#set-attributes", "#tab-between", "#tab-map", "#tab-shop"):
        narrow.locator(tab).click()
        until(narrow, "() => !document.querySelector('[aria-busy=true]')")
        assert narrow.evaluate(WIDTH) == 0, tab
        assert narrow.evaluate(BEYOND) == [], tab


def test_picture_stays_in_view_on_a_narrow_page(narrow: Any) -> None:
    ready(narrow)
    for latent in (BY_KL[0], BY_KL[-1]):
        dial(narrow, latent).scroll_into_view_if_needed()
        dial(narrow, latent).focus()
        narrow.keyboard.press("End")
        at_rest(narrow)
        box = narrow.locator("#frame").bounding_box()
        assert box["y"] + box["height"] > 40, "one sees what the slider does"
        assert box["y"] < 640


def test_design_can_be_made_by_touch(phone: Any) -> None:
    centred(phone)
    assert phone.evaluate(WIDTH) == 0
    before = pixels(phone)
    dial(phone, FIRST).scroll_into_view_if_needed()
    box = dial(phone, FIRST).bounding_box()
    phone.touchscreen.tap(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert at_rest(phone)[FIRST] > 170
    touch = phone.context.new_cdp_session(phone)
    box = dial(phone, FIRST).bounding_box()
    y = box["y"] + box["height"] / 2
    for kind, place in (("Start", 0.8), ("Move", 0.6), ("Move", 0.4), ("Move", 0.2)):
        point = {"x": box["x"] + box["width"] * place, "y": y}
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert at_rest(phone)[FIRST] < 85, "the thumb follows the finger"
    phone.locator("#nearby").tap()
    there = design(phone, "#nearby-grid button:nth-child(2) img")
    phone.locator("#nearby-grid button").nth(1).tap()
    assert at_rest(phone) == there
    phone.locator("#nearby-dialog .sheet-close").tap()
    phone.locator("#start-open").tap()
    phone.locator("#start-product .grid-item[data-product]").nth(2).tap()
    at_rest(phone)
    assert pixels(phone).shape == before.shape
    assert (pixels(phone) != before).any()


def test_theme_is_kept_after_a_reload(page: Any) -> None:
    ready(page)

    def ground() -> str:
        return str(page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor"))

    seen = [ground()]
    for _ in range(2):
        page.locator("#theme").click()
        seen.append(ground())
    assert len(set(seen)) >= 2
    assert "dark" in page.locator("#theme").get_attribute("aria-label")
    page.reload()
    ready(page)
    assert ground() == seen[-1]
