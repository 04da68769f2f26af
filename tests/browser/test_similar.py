"""Similar products: the cards show the API's results for the design in the address, and each can move the design."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.page_api import Shop, ids, moves, rested, start_from
from tests.browser.page_state import slider
from tests.browser.shops import BY_KL

pytestmark = pytest.mark.browser


def number_in(text: str) -> float:
    """Return the number of a sentence, which may have a typographic minus."""
    match = re.search(r"−?\d+(\.\d+)?(e[+−]?\d+)?", text)
    assert match, text
    return float(match[0].replace("−", "-"))


def test_cards_show_the_results_of_the_api_for_the_design(tab: Any, shop: Shop) -> None:
    seen = set()
    for method in shop.about["methods"]:
        for scope in shop.about["scopes"]:
            tab.select_option("#method", method)
            tab.select_option("#scope", scope)
            rested(tab)
            answer = shop.similar(tab, method=method, scope=scope)["results"]
            assert ids(tab) == [each["id"] for each in answer], (method, scope)
            seen.add(tuple(ids(tab)))
    assert len(seen) > 1, "no choice changed anything, so this proved nothing"
    tab.select_option("#metric", "manhattan")
    rested(tab)
    answer = shop.similar(tab, method=method, scope=scope, metric="manhattan")["results"]
    assert ids(tab) == [each["id"] for each in answer]
    slider(tab, 0).focus()
    moves(tab, lambda: tab.keyboard.press("End"))
    answer = shop.similar(tab, method=method, scope=scope, metric="manhattan")["results"]
    assert ids(tab) == [each["id"] for each in answer]


def test_metric_is_shown_only_for_methods_that_use_it(tab: Any) -> None:
    assert tab.is_hidden("#metric"), "a likelihood measures no distance"
    tab.select_option("#method", "mean")
    assert tab.is_visible("#metric")
    assert tab.is_enabled("#metric")


def test_cards_show_closeness_and_the_score_on_demand(tab: Any, shop: Shop) -> None:
    tab.select_option("#scope", "catalogue")
    rested(tab)
    for method in ("likelihood", "mean"):
        tab.select_option("#method", method)
        rested(tab)
        answer = shop.similar(tab, method=method, scope="catalogue")["results"]
        cards = tab.locator("#similar .card")
        if tab.is_visible(".show-all"):
            tab.click(".show-all")
        words = [text.strip() for text in cards.locator(".closeness").all_inner_texts()]
        assert words == [each["closeness"] for each in answer]
        first = cards.first.locator(".score")
        assert first.locator("p").is_hidden(), "the score waits until it is asked for"
        first.locator("summary").click()
        assert first.locator("p").is_visible()
        assert number_in(first.locator("p").inner_text()) == pytest.approx(answer[0]["score"], rel=2e-3)
        first.locator("summary").click()
    names = cards.locator(".name").all_inner_texts()
    assert names == [each["title"] for each in answer]


def test_narrow_page_shows_all_cards_after_one_click(tab: Any) -> None:
    tab.set_viewport_size({"width": 320, "height": 640})
    # The first design's cluster may hold fewer than the twelve that are asked for.
    every, seen = (tab.locator(f"#similar .card{which}").count() for which in ("", ":visible"))
    assert 0 < seen < every <= 12
    tab.click(".show-all")
    assert tab.locator("#similar .card:visible").count() == every
    assert tab.is_hidden(".show-all")
    assert tab.evaluate("document.activeElement.closest('.card') !== null"), "the focus goes on, not away"


def test_start_from_a_card_uses_the_code_of_its_product(tab: Any, shop: Shop) -> None:
    chosen = ids(tab)[2]
    z = moves(tab, lambda: tab.locator("#similar .card").nth(2).locator(".start-from").click())
    assert z == shop.z_of(shop.product(chosen)["code"])
    assert shop.product(chosen)["title"] in tab.inner_text("#stage .origin")


def test_more_and_less_like_this_move_only_unlocked_sliders(tab: Any, shop: Shop) -> None:
    tab.select_option("#scope", "catalogue")
    base = start_from(tab, shop, ids(tab)[3])
    product = ids(tab)[8]
    there = shop.bytes_of(shop.z_of(shop.product(product)["code"]))
    here = shop.bytes_of(base)

    def press(button: str) -> NDArray[np.int64]:
        """Press the button of a product's card and return the new design; then return to the base design."""
        card = tab.locator(f'#similar .card[data-product="{product}"]')
        moved = moves(tab, lambda: card.locator(button).click())
        assert moves(tab, lambda: tab.click("#undo")) == base
        return shop.bytes_of(moved)

    more, less = press(".more-like"), press(".less-like")
    assert np.linalg.norm(there - more) < np.linalg.norm(there - here) < np.linalg.norm(there - less)
    assert ((more - here) * (there - here) >= 0).all(), "no latent moves away"
    assert ((less - here) * (there - here) <= 0).all(), "no latent moves nearer"

    # The idle sliders are folded away, and their locks with them.
    locked = max(BY_KL, key=lambda latent: abs(there[latent] - here[latent]))
    assert more[locked] != here[locked]
    tab.locator(f'[data-latent="{locked}"] button.lock').click()
    more, less = press(".more-like"), press(".less-like")
    assert more[locked] == less[locked] == here[locked]


def test_compare_shows_two_methods_and_their_overlap(tab: Any, shop: Shop) -> None:
    tab.select_option("#scope", "catalogue")
    rested(tab)
    tab.click("#compare")
    tab.wait_for_selector("#compare-view .ranked li[data-product]")
    rested(tab)

    def check() -> None:
        lists = []
        for side in ("left", "right"):
            method = tab.input_value(f"#compare-{side}")
            shown = ids(tab, f"#compare-view .column:has(#compare-{side}) li")
            answer = shop.similar(tab, method=method, scope="catalogue")["results"]
            assert shown == [each["id"] for each in answer], method
            lists.append(shown)
        both = set(lists[0]) & set(lists[1])
        assert tab.inner_text("#compare-view .overlap") == f"{len(both)} of 12 in both"
        assert set(ids(tab, "#compare-view li.both")) == both

    check()
    tab.select_option("#compare-right", "mean")
    rested(tab)
    check()
    tab.select_option("#compare-right", tab.input_value("#compare-left"))
    rested(tab)
    assert tab.inner_text("#compare-view .overlap") == "12 of 12 in both"
    tab.select_option("#compare-right", "mean")
    slider(tab, 0).focus()
    moves(tab, lambda: tab.keyboard.press("Home"))
    check()
    tab.click("#compare")
    assert tab.is_visible("#similar")
    assert tab.is_hidden("#compare-view")


def test_enlarged_photo_shows_the_attributes_of_the_product(tab: Any, shop: Shop) -> None:
    product = shop.product(ids(tab)[1])
    tab.locator("#similar .card").nth(1).locator(".enlarge").click()
    tab.wait_for_selector("#photo-view[open]")
    assert tab.inner_text("#photo-view-title") == product["title"]
    values = tab.locator("#photo-view dd").all_inner_texts()
    assert product["category"] in values
    assert product["attributes"]["material"] in values
    z = moves(tab, lambda: tab.click("#photo-view button.main"))
    assert z == shop.z_of(product["code"])
    assert tab.is_hidden("#photo-view")
