"""Lock, surprise, nearby, undo, redo and history: nothing is lost, and locked sliders stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.shops import BY_KL
from tests.browser.slider_actions import at_rest, bytes_of, design, dial, frame_bytes, opened_at, put, row, source

pytestmark = pytest.mark.browser

FIRST, SECOND = BY_KL[:2]


def press_surprise_me(page: Any) -> tuple[dict[str, Any], bytes]:
    """Press "Surprise me"; return the product that it started from, and the design."""
    with page.expect_response(lambda answer: "sort=random" in answer.url) as answer:
        page.locator("#surprise").click()
    product = answer.value.json()["results"][0]
    until(page, "title => document.querySelector('#stage .origin').textContent.includes(title)", product["title"])
    return product, at_rest(page)


def thumbnails(page: Any) -> Any:
    """Return the history's buttons, oldest first."""
    return page.locator("#history button")


def test_surprise_me_starts_from_a_product_of_the_catalogue(table: Any, studio: Server) -> None:
    before = pixels(table)
    product, moved = press_surprise_me(table)
    body = table.request.get(f"{studio.url}/v1/products/{product['id']}").json()
    assert moved == bytes_of(table, body["code"])
    assert (pixels(table) != before).any()
    assert product["title"] in table.locator("#frame").get_attribute("alt")
    others = {press_surprise_me(table)[0]["id"] for _ in range(4)}
    assert len(others | {product["id"]}) > 1, "not the same one each time"


def test_surprise_me_and_nearby_keep_locked_sliders(table: Any) -> None:
    put(table, FIRST, 73)
    lock = row(table, FIRST).locator(".lock")
    lock.click()
    assert lock.get_attribute("aria-pressed") == "true"
    before = design(table)
    for _ in range(2):
        _, moved = press_surprise_me(table)
        assert moved[FIRST] == before[FIRST]
    assert moved != before
    table.locator("#nearby").click()
    around = [design(table, f"#nearby-grid button:nth-child({i}) img") for i in range(1, 10)]
    assert {each[FIRST] for each in around} == {before[FIRST]}
    assert len({each[SECOND] for each in around}) > 3
    table.keyboard.press("Escape")
    assert put(table, FIRST, -20)[FIRST] != before[FIRST], "the hand on it still moves it"
    lock.click()
    assert lock.get_attribute("aria-pressed") == "false"
    free = {press_surprise_me(table)[1][FIRST] for _ in range(3)}
    assert len(free) > 1


def test_nearby_shows_nine_designs_and_a_click_selects_one(table: Any) -> None:
    start = design(table)
    table.locator("#nearby").click()
    grid = table.locator("#nearby-grid button")
    assert grid.count() == 9
    until(table, "() => [...document.querySelectorAll('#nearby-grid img')].every(each => each.naturalWidth)")
    shown = [design(table, f"#nearby-grid button:nth-child({i}) img") for i in range(1, 10)]
    assert shown[4] == start, "the design itself is in the middle"
    assert len(set(shown)) == 9
    for each in shown:
        assert sum(abs(a - b) for a, b in zip(each, start, strict=True)) / len(start) < 64, "small changes"
    there = "#nearby-grid button:nth-child(8) img"
    promised, picture = source(table, there), frame_bytes(table, there)
    table.locator(there).click()
    assert at_rest(table) == shown[7]
    assert source(table) == promised
    assert frame_bytes(table) == picture
    assert design(table, "#nearby-grid button:nth-child(5) img") == shown[7], "the others gather around it"
    again = [design(table, f"#nearby-grid button:nth-child({i}) img") for i in range(1, 10)]
    table.locator("#nearby-again").click()
    others = [design(table, f"#nearby-grid button:nth-child({i}) img") for i in range(1, 10)]
    assert others != again
    assert others[4] == shown[7]
    table.keyboard.press("Escape")
    table.keyboard.press("Control+z")
    assert at_rest(table) == start


def test_undo_and_redo_return_the_identical_pixels(table: Any) -> None:
    steps = [(design(table), pixels(table))]
    for latent, to in ((FIRST, 80), (SECOND, -60), (FIRST, -100)):
        steps.append((put(table, latent, to), pixels(table)))
    table.locator("#stage-title").click()
    for keys, order in (("Control+z", (2, 1, 0)), ("Control+Shift+z", (1, 2)), ("Control+y", (3,))):
        for place in order:
            table.keyboard.press(keys)
            assert at_rest(table) == steps[place][0]
            assert (pixels(table) == steps[place][1]).all()
    assert table.locator("#redo").is_disabled()
    table.locator("#undo").click()
    assert at_rest(table) == steps[2][0]
    table.locator("#redo").click()
    assert at_rest(table) == steps[3][0]


def test_undo_and_redo_are_disabled_at_the_start(page: Any) -> None:
    until(page, "() => 'ready' in document.documentElement.dataset")
    assert page.locator("#undo").is_disabled()
    assert page.locator("#redo").is_disabled()
    assert thumbnails(page).count() == 1


def test_history_has_a_thumbnail_of_every_step_that_restores_it(table: Any) -> None:
    base = thumbnails(table).count()
    steps = [design(table), put(table, FIRST, 100), put(table, SECOND, -100)]
    pictures = [frame_bytes(table)]
    assert thumbnails(table).count() == base + 2
    until(table, "() => [...document.querySelectorAll('#history img')].every(each => each.naturalWidth)")
    assert pixels(table, f"#history li:nth-child({base + 1}) img").std() > 1, "pictures, not empty tiles"
    thumbnails(table).nth(base).click()
    assert at_rest(table) == steps[1]
    assert thumbnails(table).nth(base).get_attribute("aria-current") == "true"
    assert table.locator("#history [aria-current]").count() == 1
    put(table, BY_KL[2], 50)
    assert thumbnails(table).count() == base + 3, "a step from the past is one more; none is lost"
    thumbnails(table).nth(base + 1).click()
    assert at_rest(table) == steps[2]
    assert frame_bytes(table) == pictures[0]


def test_one_drag_is_one_history_step(table: Any) -> None:
    base = thumbnails(table).count()
    box = dial(table, FIRST).bounding_box()
    y = box["y"] + box["height"] / 2
    table.mouse.move(box["x"] + box["width"] / 2, y)
    table.mouse.down()
    for i in range(12):
        table.mouse.move(box["x"] + box["width"] * (0.5 + i / 30), y)
    table.mouse.up()
    at_rest(table)
    assert thumbnails(table).count() == base + 1
    table.keyboard.press("Control+z")
    assert at_rest(table) == bytes([128] * 8)


def test_reset_restores_the_starting_design_and_can_be_undone(table: Any) -> None:
    begun = bytes([90, 100, 110, 120, 130, 140, 150, 160])
    opened_at(table, begun)
    put(table, FIRST, 100)
    moved = put(table, SECOND, -100)
    table.locator("#reset").click()
    assert at_rest(table) == begun
    table.locator("#undo").click()
    assert at_rest(table) == moved
    words = table.locator("#stage .origin").inner_text()
    press_surprise_me(table)
    assert table.locator("#stage .origin").inner_text() != words
    table.locator("#undo").click()
    assert at_rest(table) == moved
    assert table.locator("#stage .origin").inner_text() == words
    table.locator("#reset").click()
    assert at_rest(table) == begun, "undone is also where it began"
