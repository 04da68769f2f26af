"""Frames while dragging: one request at a time, the newest value wins, the last frame stays; results come at rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.shops import BY_KL
from tests.browser.slider_actions import InterceptedRequests, at_rest, centred, decoded, design, dial, source

pytestmark = pytest.mark.browser

FIRST = BY_KL[0]
FRAME, SIMILAR = "**/v1/render.jpg*", "**/v1/similar"
REST = 150  # milliseconds after the last move

# A slider moved through places faster than any frame comes.
MOVES = """
([selector, places]) => {
  const range = document.querySelector(selector);
  for (const place of places) {
    range.value = place;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
"""

# Within the page: when the hand moved, and when results were asked for.
WATCH = """
window.moves = [];
window.asked = [];
addEventListener("input", () => moves.push(performance.now()), true);
const fetched = window.fetch;
window.fetch = (path, init) => {
  if (path === "/v1/similar") asked.push(performance.now());
  return fetched(path, init);
};
"""


@pytest.fixture
def table(page: Any) -> Any:
    """The loaded page, with every slider in its middle, and without the strip, which requests pictures of its own."""
    centred(page)
    page.locator("#strip-toggle").uncheck()
    return page


def first_slider_value(url: str) -> int:
    """Return the first slider's value in the design of a URL."""
    return decoded(parse_qs(urlsplit(url).query)["design"][0])[FIRST]


def drag_first_slider(page: Any, places: list[float]) -> None:
    """Drag the first slider's thumb through positions along its track, 0 to 1, without releasing it."""
    box = dial(page, FIRST).bounding_box()
    y = box["y"] + box["height"] / 2
    for i, place in enumerate(places):
        page.mouse.move(box["x"] + box["width"] * place, y)
        if i == 0:
            page.mouse.down()


def test_drag_sends_one_request_at_a_time_and_skips_to_the_newest_value(table: Any) -> None:
    requests = InterceptedRequests(table, FRAME)

    def requested_values() -> list[int]:
        """Return the first slider's values in the requested pictures. Other parts request the one at rest, too."""
        return sorted({first_slider_value(each.request.url) for each in requests.routes} - {128})

    before = pixels(table)
    with table.expect_request(lambda request: "render.jpg" in request.url and first_slider_value(request.url) == 140):
        table.evaluate(MOVES, [f"#slider-latent-{FIRST}", [140, 150, 160, 170, 180, 190, 200]])
    assert (pixels(table) == before).all(), "the last frame stays until the next is here"
    assert not {150, 160, 170, 180, 190} & set(requested_values()), "while one is on its way no other is asked for"
    first = next(each for each in requests.routes if first_slider_value(each.request.url) == 140)
    first.continue_()
    until(table, "() => new URL(document.querySelector('#frame').src).searchParams.get('design') !== 'gICAgICAgIA'")
    for _ in range(500):
        if 200 in requested_values():
            break
        table.wait_for_timeout(20)
    assert requested_values() == [140, 200], "what lies between is left out"
    for each in requests.routes:
        if first_slider_value(each.request.url) == 200:
            each.continue_()
    table.unroute(FRAME)
    assert at_rest(table)[FIRST] == 200
    assert (pixels(table) != before).any()


def test_long_drag_shows_many_frames_and_ends_at_the_last_value(chromium: Any, studio: Server) -> None:
    profile = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = profile.new_page()

    def nothing(route: Any) -> None:
        route.fulfill(content_type="text/javascript", body="export function mount() {}")

    # Without the results, which draw designs of their own when the hand rests, every picture is the slider's.
    tab.route("**/static/js/results/results.js", nothing)
    tab.goto(studio.url)
    until(tab, "() => 'ready' in document.documentElement.dataset")
    tab.locator("#strip-toggle").uncheck()
    dial(tab, FIRST).scroll_into_view_if_needed()
    under_way: set[Any] = set()
    most = 0
    seen: list[int] = []

    def record_request(request: Any) -> None:
        nonlocal most
        if "/v1/render.jpg" in request.url:
            under_way.add(request)
            most = max(most, len(under_way))
            seen.append(first_slider_value(request.url))

    def ended(request: Any) -> None:
        under_way.discard(request)

    tab.on("request", record_request)
    for end in ("requestfinished", "requestfailed"):
        tab.on(end, ended)
    there = [0.5 + i / 80 for i in range(30)]
    drag_first_slider(tab, [*there, *reversed(there), 0.1])
    last = int(dial(tab, FIRST).input_value())
    assert at_rest(tab)[FIRST] == last < 64
    assert seen[-1] == last
    assert len(set(seen)) >= 5, "frames were drawn while the hand moved"
    assert most == 1
    tab.mouse.up()
    assert at_rest(tab)[FIRST] == last
    profile.close()


def test_results_are_requested_after_the_drag_rests(chromium: Any, studio: Server) -> None:
    profile = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = profile.new_page()
    tab.add_init_script(WATCH)
    tab.goto(studio.url)
    centred(tab)
    tab.evaluate("() => { moves.length = asked.length = 0; }")
    drag_first_slider(tab, [0.5, 0.52, 0.55, 0.6, 0.63, 0.66, 0.7, 0.72])
    tab.mouse.up()
    at_rest(tab)
    until(tab, "() => asked.some((when) => when > moves.at(-1))")
    moves, requests = tab.evaluate("() => [moves, asked]")
    for when in requests:
        assert when - max(each for each in moves if each < when) >= REST - 1
    assert len(requests) < len(moves)
    profile.close()


def test_outdated_results_request_is_aborted(table: Any) -> None:
    requests = InterceptedRequests(table, SIMILAR)
    dial(table, FIRST).focus()
    with table.expect_request(SIMILAR) as first:
        table.keyboard.press("End")
    with table.expect_event("requestfailed", lambda request: "/v1/similar" in request.url) as failed:
        table.keyboard.press("Home")
    assert failed.value == first.value
    until(table, "() => document.querySelector('#similar').getAttribute('aria-busy') === 'true'")
    with table.expect_response(SIMILAR) as answer:
        requests.release()
    ids = [each["id"] for each in answer.value.json()["results"]]
    at_rest(table)
    shown = table.eval_on_selector_all("#similar .card", "cards => cards.map(each => each.dataset.product)")
    assert shown == ids


def test_picture_is_never_empty_during_a_drag(table: Any) -> None:
    table.evaluate(
        """() => {
          const image = document.querySelector("#frame");
          window.empty = 0;
          const look = () => { empty += !image.complete || !image.naturalWidth; requestAnimationFrame(look); };
          look();
        }"""
    )
    drag_first_slider(table, [0.5 + i / 60 for i in range(20)])
    table.mouse.up()
    at_rest(table)
    assert table.evaluate("() => empty") == 0
    assert design(table) != bytes([128] * 8)
    assert "/v1/render.jpg?render_id=" in source(table)
