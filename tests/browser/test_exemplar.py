"""The details of a real product: whose they are, how they are changed, and that links and history keep them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import opened
from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.slider_actions import frame_bytes, ready, source

pytestmark = pytest.mark.browser


def exemplar(page: Any, selector: str = "#frame") -> str | None:
    """Return the id of the product whose details a picture has, from the picture's URL."""
    return parse_qs(urlsplit(source(page, selector)).query).get("exemplar", [None])[0]


HAS_EXEMPLAR = """
(id) => {
  const image = document.querySelector("#frame");
  return image?.naturalWidth > 0 && new URL(image.src).searchParams.get("exemplar") === id;
}
"""


def wait_for_exemplar(page: Any, id_: str | None) -> None:
    """Wait until the picture is drawn with these details."""
    until(page, HAS_EXEMPLAR, id_)


def test_first_design_has_its_own_details(tab: Any, studio: Server) -> None:
    first = tab.request.get(f"{studio.url}/v1/sliders").json()["first"]
    assert exemplar(tab) == first["id"]
    assert tab.locator("#details").inner_text().startswith("Drawn with its own details")


def test_details_can_be_removed_and_undone(tab: Any) -> None:
    own, with_details = exemplar(tab), pixels(tab)
    tab.locator("#details-none").click()
    wait_for_exemplar(tab, None)
    assert tab.locator("#details").inner_text().startswith("Drawn without details")
    assert (pixels(tab) != with_details).any()
    assert tab.locator("#details-none").is_hidden()
    tab.locator("#undo").click()
    wait_for_exemplar(tab, own)


def test_another_product_of_the_dialog_gives_its_details(tab: Any) -> None:
    tab.locator("#details-change").click()
    tiles = tab.locator("#details-grid button")
    until(tab, "() => document.querySelectorAll('#details-grid img').length > 2")
    offered = [exemplar(tab, f"#details-grid button:nth-child({i}) img") for i in (1, 2, 3)]
    assert len(set(offered)) == 3
    chosen = next(i for i, each in enumerate(offered) if each != exemplar(tab))
    tiles.nth(chosen).click()
    wait_for_exemplar(tab, offered[chosen])
    assert tab.locator("#details-dialog").is_hidden()


def test_card_gives_its_details_and_the_link_keeps_them(tab: Any) -> None:
    card = tab.locator("#similar .card").nth(1)
    id_ = card.get_attribute("data-product")
    card.locator(".use-details").click()
    wait_for_exemplar(tab, id_)
    until(tab, "id => new URLSearchParams(location.hash.slice(1)).get('e') === id", id_)
    picture, link = frame_bytes(tab), tab.url
    tab.goto("about:blank")
    tab.goto(link)
    wait_for_exemplar(tab, id_)
    assert frame_bytes(tab) == picture


def test_link_without_details_gets_those_of_the_nearest_product(tab: Any) -> None:
    tab.locator("#similar .use-details").first.click()
    until(tab, "() => location.hash.includes('e=')")
    link = tab.url
    tab.goto("about:blank")
    address, fragment = link.split("#")
    tab.goto(f"{address}#" + "&".join(part for part in fragment.split("&") if not part.startswith("e=")))
    ready(tab)
    until(tab, "() => new URL(document.querySelector('#frame').src).searchParams.has('exemplar')")


def test_changed_photo_of_the_exemplar_does_not_stop_the_picture(chromium: Any, studio: Server) -> None:
    for tab in opened(chromium, studio.url, expect=("404",)):
        ready(tab)

        def answer(route: Any) -> None:
            """Ask for a photo that the product does not have any longer."""
            route.continue_(url=re.sub("photo_hash=\\w+", "photo_hash=0123", route.request.url))

        tab.route("**/v1/render.jpg*", answer)
        tab.locator("#controls [data-latent] input[type=range]").first.focus()
        for _ in range(4):
            tab.keyboard.press("PageUp")
            tab.wait_for_timeout(200)
        wait_for_exemplar(tab, None)
