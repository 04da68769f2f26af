"""A short test of the studio in a real browser: it opens, moves and finds. The marker `browser` has the other tests."""

from __future__ import annotations

from typing import Any

from tests.browser.page_state import colours, pixels, settled, slider, until


def test_moving_a_slider_changes_the_picture_and_the_similar_products(page: Any) -> None:
    before = pixels(page)
    assert len(colours(before)) > 8, "a picture of a product, not an empty tile"
    with page.expect_response("**/v1/similar") as answer:
        slider(page, 0).focus()
        page.keyboard.press("Home")
        settled(page)
    assert (pixels(page) != before).any()
    ids = [each["id"] for each in answer.value.json()["results"]]
    page.wait_for_selector(f'#similar .card[data-product="{ids[0]}"]')
    shown = page.eval_on_selector_all("#similar .card", "cards => cards.map(card => card.dataset.product)")
    assert shown == ids


def test_same_link_draws_the_same_picture(page: Any, chromium: Any) -> None:
    slider(page, 1).focus()
    page.keyboard.press("End")
    settled(page)
    until(page, "() => location.hash.includes('z=')")
    again = page.context.new_page()
    again.goto(page.url)
    settled(again)
    assert (pixels(again) == pixels(page)).all()
    again.close()


def test_page_has_no_accessibility_violation(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_selector("#similar .card")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
