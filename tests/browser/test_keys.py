"""Keyboard use: every slider, every tool by one key, and no shortcut while a person types."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.page_state import pixels, until
from tests.browser.shops import BY_KL
from tests.browser.slider_actions import at_rest, design, dial, ready, row

pytestmark = pytest.mark.browser

FIRST, SECOND = BY_KL[:2]
FOCUS = "() => document.activeElement?.id || document.activeElement?.className || ''"


def tab_to(page: Any, selector: str, most: int = 60) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{most} tabs do not lead to {selector}")


def test_arrow_page_and_end_keys_move_the_focused_slider(table: Any) -> None:
    dial(table, FIRST).focus()
    for key, byte in (("ArrowRight", 129), ("ArrowUp", 130), ("ArrowLeft", 129), ("ArrowDown", 128)):
        table.keyboard.press(key)
        assert at_rest(table)[FIRST] == byte
    table.keyboard.press("PageUp")
    assert at_rest(table)[FIRST] >= 128 + 8, "a big step"
    table.keyboard.press("PageDown")
    assert at_rest(table)[FIRST] == pytest.approx(128, abs=1)
    table.keyboard.press("End")
    assert at_rest(table)[FIRST] == 255
    table.keyboard.press("Home")
    assert at_rest(table)[FIRST] == 0


def test_digit_focuses_the_slider_with_that_number(table: Any) -> None:
    table.keyboard.press("3")
    assert dial(table, BY_KL[2]).evaluate("each => each === document.activeElement")
    table.keyboard.press("1")
    table.keyboard.press("ArrowRight")
    assert at_rest(table)[FIRST] == 129
    table.locator("#set-attributes").click()
    table.keyboard.press("2")
    assert dial(table, SECOND).is_visible(), "from the other set too"
    assert dial(table, SECOND).evaluate("each => each === document.activeElement")
    table.keyboard.press("8")
    assert table.locator("#more").get_attribute("open") is not None, "an idle one is unfolded"


def test_design_can_be_made_with_the_keyboard_alone(page: Any) -> None:
    ready(page)
    before = pixels(page)
    tab_to(page, "#start-open")
    page.keyboard.press("Enter")
    until(
        page, "() => document.querySelector('#start').open && document.querySelector('#start .grid-item[data-product]')"
    )
    tab_to(page, "#start-product .grid-item")
    page.keyboard.press("Enter")
    begun = at_rest(page)
    assert (pixels(page) != before).any()
    assert not page.locator("#start").is_visible()
    tab_to(page, f'[data-latent="{FIRST}"] input[type=range]')
    page.keyboard.press("Home")
    page.keyboard.press("l")
    assert row(page, FIRST).locator(".lock").get_attribute("aria-pressed") == "true"
    moved = at_rest(page)
    with page.expect_response(lambda answer: "sort=random" in answer.url):
        page.keyboard.press("r")
    until(page, "z => !document.querySelector('#frame').src.endsWith(z)", page.url.partition("z=")[2].partition("&")[0])
    surprised = at_rest(page)
    assert surprised[FIRST] == moved[FIRST] == 0
    page.keyboard.press("u")
    assert at_rest(page) == moved
    page.keyboard.press("Control+z")
    assert at_rest(page) == begun
    page.keyboard.press("Control+Shift+z")
    assert at_rest(page) == moved


def test_letters_open_dialogs_and_escape_restores_the_focus(table: Any) -> None:
    dial(table, FIRST).focus()
    for key, dialog in (("n", "#nearby-dialog"), ("s", "#share"), ("?", "#help")):
        table.keyboard.press(key)
        assert table.locator(dialog).is_visible()
        table.keyboard.press("r")  # no key works through an open dialog
        table.keyboard.press("Escape")
        assert not table.locator(dialog).is_visible()
        assert dial(table, FIRST).evaluate("each => each === document.activeElement")
    assert design(table) == bytes([128] * 8)


def test_help_lists_the_keys_and_can_disable_single_keys(table: Any) -> None:
    table.keyboard.press("?")
    listed = table.locator("#help dl").inner_text()
    for key in ("Page Up", "Home", "1 … 9", "L", "R", "N", "U", "Ctrl+Z", "S", "?", "Esc"):
        assert key in listed
    table.locator("#keys-on").uncheck()
    table.keyboard.press("Escape")
    table.keyboard.press("n")
    assert not table.locator("#nearby-dialog").is_visible()
    dial(table, FIRST).focus()
    table.keyboard.press("End")
    assert at_rest(table)[FIRST] == 255
    table.keyboard.press("Control+z")
    until(table, "latent => document.querySelector(latent).value < 255", f"#slider-latent-{FIRST}")
    assert at_rest(table)[FIRST] == 128, "Ctrl+Z is no single key: it stays"
    table.reload()
    ready(table)
    table.keyboard.press("n")
    assert not table.locator("#nearby-dialog").is_visible(), "kept from visit to visit"


def test_single_keys_do_nothing_in_text_fields(table: Any) -> None:
    table.locator(f'[data-latent="{FIRST}"] input[type=number]').focus()
    table.keyboard.type("50")
    table.keyboard.press("Enter")
    assert at_rest(table)[FIRST] == pytest.approx(191, abs=1), "the digits are a number there, no jump"
    table.locator("#start-open").click()
    table.locator("#start-search").fill("")
    table.locator("#start-search").focus()
    table.keyboard.type("rnsu?1")
    assert table.locator("#start-search").input_value() == "rnsu?1"
    for dialog in ("#nearby-dialog", "#share", "#help"):
        assert not table.locator(dialog).is_visible()


def test_arrow_keys_move_between_tabs(table: Any) -> None:
    table.locator("#set-latents").focus()
    table.keyboard.press("ArrowRight")
    assert table.locator("#set-attributes").get_attribute("aria-selected") == "true"
    assert table.evaluate(FOCUS) == "set-attributes"
    table.keyboard.press("ArrowRight")
    assert table.evaluate(FOCUS) == "set-latents"
    assert table.locator("#set-attributes").get_attribute("tabindex") == "-1"


def test_changes_are_announced_in_a_polite_live_region(table: Any) -> None:
    assert table.locator("#live").get_attribute("aria-live") == "polite"
    table.locator("#surprise").click()
    until(table, "() => document.querySelector('#live').textContent !== ''")
    title = table.locator("#stage .origin").inner_text()
    assert title.startswith("Started from")
