"""No text of the page is clipped: slider names are shown completely, and other texts at least in a tooltip."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modiste.latent.slider_names import MEASUREMENT_WORDS
from tests.browser.conftest import opened
from tests.browser.page_state import until
from tests.browser.server import Server, served
from tests.browser.shops import sliders_file
from tests.browser.slider_actions import ready

pytestmark = pytest.mark.browser

WIDTHS = (320, 1280)  # CSS pixels
LONGEST = sorted((end for ends in MEASUREMENT_WORDS.values() for end in ends), key=len)[-4:]
NAMES = [
    ("cooler, greyer", "warmer, more colourful"),
    ("lighter, lighter top", "darker, darker bottom"),
    (f"{LONGEST[0]}, {LONGEST[1]}", f"{LONGEST[2]}, {LONGEST[3]}"),
    ("shorter", f"{LONGEST[3]}, {LONGEST[2]}"),
]

# The texts of visible elements that have no room for all of their content, or whose content reaches beyond the page.
CLIPPED = """
(selector) => {
  const clipped = [];
  for (const element of document.querySelectorAll(selector)) {
    if (!element.checkVisibility() || !element.textContent.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect();
    const inner = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    const outside = text.left < -1 || text.right > document.documentElement.clientWidth + 1;
    if ((element.clientWidth && inner) || outside) clipped.push(element.textContent);
  }
  return clipped;
}
"""

# The texts of elements that are cut short and do not say the rest in a tooltip, of their own or of what is around them.
UNEXPLAINED = """
(selector) => [...document.querySelectorAll(selector)].filter((element) => {
  if (!element.checkVisibility()) return false;
  const cut = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
  return cut && !element.closest("[title]")?.title.trim();
}).map((element) => element.textContent)
"""

# The selects that are narrower than their longest option.
NARROW_SELECTS = """
() => [...document.querySelectorAll("#results select")].filter((select) => {
  if (!select.checkVisibility()) return false;
  const copy = select.cloneNode(true);
  copy.style.cssText = "position: absolute; max-width: none; width: max-content";
  select.after(copy);
  const needed = copy.offsetWidth;
  copy.remove();
  return select.offsetWidth < needed - 1;
}).map((select) => select.id)
"""


@pytest.fixture(scope="module")
def studio_with_long_names(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The studio of the small shop, whose sliders have the longest names that Modiste gives."""
    root = tmp_path_factory.mktemp("named") / "shop"
    file = sliders_file(shutil.copytree(built, root))
    sliders = json.loads(file.read_text())
    for slider, (low, high) in zip(sliders["latents"], NAMES, strict=False):
        slider |= {"low": low, "high": high, "idle": False}
    file.write_text(json.dumps(sliders))
    with served(root) as server:
        yield server


@pytest.fixture(params=WIDTHS)
def page_at_width(request: pytest.FixtureRequest, chromium: Any, studio_with_long_names: Server) -> Iterator[Any]:
    """Yield the page of that shop, at a width."""
    for page in opened(chromium, studio_with_long_names.url, viewport={"width": request.param, "height": 900}):
        ready(page)
        yield page


def test_slider_names_are_shown_in_full(page_at_width: Any) -> None:
    shown = page_at_width.eval_on_selector_all(
        "#controls .ends bdi", "all => all.filter(each => each.checkVisibility()).map(each => each.textContent)"
    )
    assert set(shown) >= {end for ends in NAMES for end in ends}
    assert page_at_width.evaluate(CLIPPED, "#controls .ends bdi") == []
    page_at_width.click("#set-attributes")
    assert page_at_width.locator("#controls .ends bdi:visible").count() > 0
    assert page_at_width.evaluate(CLIPPED, "#controls .ends bdi") == []


def test_buttons_tabs_and_headings_are_shown_in_full(page_at_width: Any) -> None:
    selector = "button:not(.chip, .round, .visually-hidden, .tool), h2, h3, label, .tab, legend, option"
    selector = f":is({selector}):not(.visually-hidden, .ends)"
    if page_at_width.viewport_size["width"] > 320:  # on a narrow page the tools are icons, whose labels are hidden
        selector += ", .tool"
    assert page_at_width.evaluate(CLIPPED, selector) == []
    page_at_width.click("#filters-toggle")
    page_at_width.click("#tab-map")
    page_at_width.wait_for_selector("#map .legend button")
    assert page_at_width.evaluate(CLIPPED, selector) == []


def test_stage_does_not_need_scrolling(page_at_width: Any) -> None:
    until(page_at_width, "() => document.querySelector('#typicality .note')?.textContent")
    assert (
        page_at_width.evaluate(
            "() => { const s = document.querySelector('#stage'); return s.scrollHeight - s.clientHeight }"
        )
        <= 1
    )


def test_truncated_texts_have_a_tooltip(page_at_width: Any) -> None:
    page_at_width.wait_for_selector("#goes-with .chosen .name")
    assert page_at_width.evaluate(NARROW_SELECTS) == []
    page_at_width.click("#filters-toggle")
    cut = ".name, .summary, .clamp, .chip, .value .text, figcaption, .origin, .shop, .map-list button"
    assert page_at_width.evaluate(UNEXPLAINED, cut) == []
    page_at_width.click("#tab-map")
    page_at_width.wait_for_selector("#map .legend button")
    assert page_at_width.evaluate(UNEXPLAINED, cut) == []
    assert page_at_width.evaluate(NARROW_SELECTS) == []
    page_at_width.click("#tab-shop")
    page_at_width.click("#compare")
    page_at_width.wait_for_selector("#compare-view li[data-product]")
    assert page_at_width.evaluate(UNEXPLAINED, cut) == []
    assert page_at_width.evaluate(NARROW_SELECTS) == []
    page_at_width.click("#tab-between")
    page_at_width.click("#pin-a")
    page_at_width.click("#pin-b")
    assert page_at_width.evaluate(UNEXPLAINED, cut) == []
    page_at_width.click("#start-open")
    page_at_width.wait_for_selector("#start .grid-item[data-product]")
    assert page_at_width.evaluate(UNEXPLAINED, cut) == []
