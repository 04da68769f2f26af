"""Keep it realistic: the sliders that were not set follow; what was set, locked or undone stays exactly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.page_state import until
from tests.browser.shops import BY_KL
from tests.browser.slider_actions import at_rest, design, number, put, row

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = BY_KL[:3]


def wait_for_mixture(page: Any) -> None:
    """Wait until the page has loaded what realism needs."""
    until(page, "() => performance.getEntriesByName(`${location.origin}/v1/mixture`).length > 0")
    page.wait_for_timeout(100)


def moved(before: bytes, after: bytes) -> set[int]:
    """Return the latents that differ."""
    return {latent for latent, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]}


def test_free_sliders_follow_and_set_ones_stay(realistic: Any) -> None:
    wait_for_mixture(realistic)
    before = design(realistic)
    first = put(realistic, FIRST, 60)
    assert len(moved(before, first)) > 2, "the others follow"
    second = put(realistic, SECOND, -50)
    assert second[FIRST] == first[FIRST], "what was set stays"
    assert number(realistic, FIRST).input_value() == "60"
    realistic.locator("#undo").click()
    assert at_rest(realistic) == first
    realistic.locator("#undo").click()
    assert at_rest(realistic) == before


def test_locked_sliders_do_not_follow(realistic: Any) -> None:
    wait_for_mixture(realistic)
    before = design(realistic)
    row(realistic, THIRD).locator(".lock").click()
    after = put(realistic, FIRST, 70)
    assert after[THIRD] == before[THIRD]
    assert SECOND in moved(before, after)


def test_switched_off_only_one_slider_moves(realistic: Any) -> None:
    wait_for_mixture(realistic)
    before = design(realistic)
    realistic.locator("#realism").uncheck()
    assert moved(before, put(realistic, FIRST, 60)) == {FIRST}


def test_attribute_slider_lets_others_follow(realistic: Any) -> None:
    wait_for_mixture(realistic)
    before = design(realistic)
    realistic.get_by_role("tab", name="By attribute").click()
    slider = realistic.locator("#controls [data-direction] input[type=range]").first
    slider.focus()
    realistic.keyboard.press("PageUp")
    after = at_rest(realistic)
    assert len(moved(before, after)) > 2, "more than the two latents of the direction"
