"""Sliders: the most important ones first, named in words, with mouse, keyboard and touch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.shops import BY_KL, HIGH, IDLE, LOW
from tests.browser.slider_actions import at_rest, design, dial, frame_bytes, number, put, ready, row, source

pytestmark = pytest.mark.browser

FIRST, SECOND = BY_KL[:2]


def test_sliders_are_ordered_by_kl_and_idle_ones_are_collapsed(page: Any) -> None:
    ready(page)
    order = page.eval_on_selector_all("#controls [data-latent]", "rows => rows.map(row => +row.dataset.latent)")
    assert tuple(order) == BY_KL + IDLE
    assert all(dial(page, latent).is_visible() for latent in BY_KL)
    assert not any(dial(page, latent).is_visible() for latent in IDLE)
    assert page.locator("#more [data-latent]").count() == len(IDLE)
    page.locator("#more summary").click()
    assert all(dial(page, latent).is_visible() for latent in IDLE)


def test_default_slider_ranges_span_nearly_all_products(built: Path) -> None:
    from modiste.shop.shop import Shop

    shop = Shop.open(built, need="sliders")
    order = [each.kl for each in shop.sliders.latents]
    assert order == sorted(order, reverse=True)
    percentiles = np.percentile(shop.encodings.mean, [1, 99], axis=0).T
    np.testing.assert_allclose(shop.sliders.ranges, percentiles, rtol=1e-5)


def test_slider_ends_are_the_ends_of_its_range(table: Any, studio: Server) -> None:
    latents = table.request.get(f"{studio.url}/v1/sliders").json()["latents"]
    about = next(each for each in latents if each["latent"] == FIRST)
    for key, end in (("End", "maximum"), ("Home", "minimum")):
        dial(table, FIRST).focus()
        with table.expect_request("**/v1/similar") as request:
            table.keyboard.press(key)
        assert request.value.post_data_json["code"][FIRST] == pytest.approx(about[end], rel=1e-5)
        at_rest(table)


def test_moving_a_slider_changes_the_pixels_and_one_latent(table: Any) -> None:
    before, at = pixels(table), design(table)
    after = put(table, FIRST, 100)
    assert (pixels(table) != before).any()
    assert after[FIRST] == 255
    assert [each for i, each in enumerate(after) if i != FIRST] == [each for i, each in enumerate(at) if i != FIRST]


def test_number_box_moves_the_slider(table: Any) -> None:
    for typed, byte in (("-100", 0), ("20", 153), ("50", 191), ("900", 255)):
        number(table, FIRST).fill(typed)
        table.keyboard.press("Enter")
        assert at_rest(table)[FIRST] == byte
        assert number(table, FIRST).input_value() == str(min(int(typed), 100))
    number(table, FIRST).fill("")
    number(table, SECOND).focus()
    assert number(table, FIRST).input_value() == "100", "emptied, it says again where the slider is"


def test_double_click_resets_only_its_slider(page: Any) -> None:
    ready(page)
    page.locator("#start-open").click()
    page.locator("#start .grid-item[data-product]").first.click()
    begun = at_rest(page)
    first, second = (100 if begun[each] < 128 else -100 for each in (FIRST, SECOND))
    put(page, FIRST, first)
    moved = put(page, SECOND, second)
    assert moved[FIRST] != begun[FIRST]
    dial(page, FIRST).dblclick()
    back = at_rest(page)
    assert back[FIRST] == begun[FIRST]
    assert back[SECOND] == moved[SECOND] != begun[SECOND]
    row(page, SECOND).locator(".ends").dblclick()
    assert at_rest(page) == begun


def test_buttons_step_a_slider_to_its_end(table: Any) -> None:
    up, down = (row(table, FIRST).locator(f".step-{each}") for each in ("up", "down"))
    up.click()
    assert at_rest(table)[FIRST] > 128
    down.click()
    assert at_rest(table)[FIRST] == 128
    put(table, FIRST, 99)
    up.click()
    assert at_rest(table)[FIRST] == 255
    up.click()
    assert at_rest(table)[FIRST] == 255


def test_slider_describes_its_position_in_words(table: Any) -> None:
    low, high = f"low end {SECOND}", f"high end {SECOND}"
    name = dial(table, SECOND).get_attribute("aria-label")
    assert low in name
    assert high in name

    def live_text() -> str:
        return str(dial(table, SECOND).get_attribute("aria-valuetext"))

    assert live_text() == "in the middle"
    put(table, SECOND, -100)
    assert live_text() == f"100 towards {low}"
    put(table, SECOND, 35)
    assert live_text() == f"35 towards {high}"


def test_edited_slider_names_are_shown(page: Any) -> None:
    ready(page)
    assert row(page, FIRST).locator(".low").inner_text() == LOW
    assert row(page, FIRST).locator(".high").inner_text() == HIGH
    assert LOW in dial(page, FIRST).get_attribute("aria-label")


def test_strip_button_moves_to_the_picture_it_shows(table: Any) -> None:
    dial(table, FIRST).focus()
    until(table, "() => document.querySelectorAll('#strip:not([hidden]) img').length === 7")
    stops = [design(table, f"#strip button:nth-child({i}) img")[FIRST] for i in range(1, 8)]
    assert stops == pytest.approx([0, 42.5, 85, 127.5, 170, 212.5, 255], abs=0.5)
    for place, number_ in ((1, -100), (6, 67)):
        there = f"#strip button:nth-child({place}) img"
        promised, picture = source(table, there), frame_bytes(table, there)
        table.locator(there).click()
        moved = at_rest(table)
        assert source(table) == promised
        assert frame_bytes(table) == picture
        assert moved[SECOND] == 128, "all else as it was"
        assert number(table, FIRST).input_value() == str(number_)
        assert table.locator("#strip [aria-current]").count() == 1
        assert design(table, "#strip [aria-current] img")[FIRST] == moved[FIRST]


def test_strip_follows_the_focus_and_can_be_hidden(table: Any) -> None:
    dial(table, FIRST).focus()
    until(table, f"() => document.querySelector('[data-latent=\"{FIRST}\"] #strip:not([hidden])') !== null")
    dial(table, SECOND).focus()
    until(table, f"() => document.querySelector('[data-latent=\"{SECOND}\"] #strip:not([hidden])') !== null")
    ends = [design(table, f"#strip button:nth-child({i}) img") for i in (1, 7)]
    assert [each[SECOND] for each in ends] == [0, 255]
    table.locator("#strip-toggle").click()
    assert not table.locator("#strip").is_visible()


def test_attribute_slider_moves_the_latents_of_its_direction(table: Any) -> None:
    table.locator("#set-attributes").click()
    rows = table.locator("#controls [data-direction]")
    assert rows.count() == 2
    assert rows.nth(0).locator(".low").inner_text() == "darker"
    assert "red" in rows.nth(1).locator(".high").inner_text().lower()
    assert rows.nth(1).locator(".dot").count() == 1, "a colour has its swatch"
    before = pixels(table)
    rows.nth(0).locator("input[type=range]").focus()
    table.keyboard.press("End")
    moved = at_rest(table)
    assert moved[FIRST] > 128
    assert moved[SECOND] > 128
    assert {each for i, each in enumerate(moved) if i not in (FIRST, SECOND)} == {128}
    assert (pixels(table) != before).any()
    table.locator("#set-latents").click()
    assert int(number(table, FIRST).input_value()) > 0


def test_attribute_slider_does_not_move_a_locked_latent(table: Any) -> None:
    row(table, FIRST).locator(".lock").click()
    table.locator("#set-attributes").click()
    table.locator("#controls [data-direction] input[type=range]").first.focus()
    table.keyboard.press("End")
    moved = at_rest(table)
    assert moved[FIRST] == 128
    assert moved[SECOND] == 255
