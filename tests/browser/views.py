"""Every view of the studio, one after another in one page, for tests of all views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modiste.server.design_codec import to_base64url
from tests.browser.page_api import Shop, go_to, ids, rested
from tests.browser.page_state import slider, until


def views(tab: Any, shop: Shop) -> Iterator[str]:
    """Show each view and yield its name; what a view opens is closed before the next."""
    yield "as it opens"
    yield from _shaping(tab)
    yield from _products(tab)
    yield from _filtered(tab)
    go_to(tab, shop, to_base64url(bytes([0, 255] * (len(shop.ranges) // 2))))
    yield "far from the shop's products"
    yield from _look(tab)
    yield from _between(tab, shop)
    yield from _map(tab)
    yield from _dialogs(tab)
    yield from _gone(tab)


def _shaping(tab: Any) -> Iterator[str]:
    slider(tab, 0).focus()
    tab.wait_for_selector("#strip:not([hidden]) img")
    tab.locator("#controls button.lock").first.click()
    if tab.locator("#more").count():
        tab.locator("#more summary").click()
    yield "a slider in focus, one locked, all unfolded"
    tab.click("#set-attributes")
    yield "sliders by attribute"
    tab.click("#set-latents")


def _products(tab: Any) -> Iterator[str]:
    if tab.is_visible(".show-all"):
        tab.click(".show-all")
    card = tab.locator("#similar .card").first
    card.locator(".score summary").click()
    card.evaluate("card => card.scrollIntoView()")  # below what is sticky
    card.hover()
    yield "a card under the pointer, its score asked for"
    tab.locator("#goes-with .keep").first.click()
    tab.click("#compare")
    tab.wait_for_selector("#compare-view li[data-product]")
    rested(tab)
    yield "two methods compared, a row kept"
    tab.click("#compare")
    card.locator(".enlarge").click()
    tab.wait_for_selector("#photo-view[open]")
    yield "a photo looked at closely"
    tab.keyboard.press("Escape")


def _filtered(tab: Any) -> Iterator[str]:
    tab.click("#filters-toggle")
    tab.locator("#filters input[type=checkbox]").first.check()
    numbers = tab.locator("#filters .measurements summary")
    if numbers.count():
        numbers.click()
    rested(tab)
    yield "the filters open, one chosen"
    if numbers.count():
        yield from _empty(tab)
    tab.click("#filters .clear")
    tab.click("#filters-toggle")
    rested(tab)


def _empty(tab: Any) -> Iterator[str]:
    with tab.expect_request("**/v1/similar"):
        tab.locator("#filters input[type=number]").first.fill("999")
    rested(tab)
    tab.wait_for_selector(".similar .empty")
    yield "nothing passes"
    tab.locator("#filters .measurements summary").click()


def _look(tab: Any) -> Iterator[str]:
    tab.fill("#look-name", "For Sunday")
    tab.click("#look-save")
    tab.wait_for_selector("#look .saved li")
    yield "a look saved"


def _between(tab: Any, shop: Shop) -> Iterator[str]:
    tab.click("#tab-between")
    tab.wait_for_selector("#between")
    yield "nothing pinned"
    tab.click("#pin-a")
    go_to(tab, shop, to_base64url(bytes([128] * len(shop.ranges))))
    tab.click("#pin-b")
    until(tab, "() => document.querySelector('#between-frame').naturalWidth > 0")
    yield "between two"


def _map(tab: Any) -> Iterator[str]:
    tab.click("#tab-map")
    tab.wait_for_selector("#map-canvas")
    yield "the map"
    tab.locator("#map-listing summary").click()
    tab.locator(".map-list button").first.click()
    tab.wait_for_selector("#map-card .card")
    until(tab, "() => !/^sample-/.test(document.querySelector('.map-list button').textContent)")
    yield "a product of the map, and the list beside it"
    tab.click("#tab-shop")


def _dialogs(tab: Any) -> Iterator[str]:
    tab.click("#start-open")
    tab.wait_for_selector("#start-product .grid-item[data-product]")
    for kind in ("product", "photo", "average", "link"):
        tab.click(f"#start-tab-{kind}")
        yield f"beginnings: {kind}"
    tab.click("#start .sheet-close")
    for button, shown in (
        ("#share-open", "#share[open]"),
        ("#help-open", "#help[open]"),
        ("#card-open", "#card[open] #card-text h3"),
        ("#nearby", "#nearby-grid button"),
    ):
        tab.click(button)
        tab.wait_for_selector(shown)
        yield f"the dialog of {button}"
        tab.keyboard.press("Escape")
    assert ids(tab)


def _gone(tab: Any) -> Iterator[str]:
    for path in ("**/v1/**", "**/readyz"):
        tab.route(path, lambda route: route.abort())
    slider(tab, 1).focus()
    tab.keyboard.press("End")
    tab.wait_for_selector("#banner:not([hidden])")
    yield "the server gone"
    tab.unroute_all()
