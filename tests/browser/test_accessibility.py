"""Accessibility: every view, light and dark, wide and narrow, by axe-core and own measures; keys, focus, motion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import opened
from tests.browser.page_api import Shop, ids, moves, rested
from tests.browser.page_state import pixels, slider, until
from tests.browser.server import Server
from tests.browser.views import views

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
# What the server's absence puts into the console.
GONE = ("net::ERR_FAILED", "Failed to load resource")
AXE = """
async (options) => {
  const place = document.querySelector("dialog[open]") ?? document;
  const found = await axe.run(place, { resultTypes: ["violations"], ...options });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`));
}
"""
ALL_RULES = {"rules": {"target-size": {"enabled": True}}}  # the one of WCAG 2.2 that axe leaves out by default
OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Targets under 24 by 24 pixels that are not alone within 24 pixels and do not stand in a sentence (WCAG 2.5.8).
SMALL = """
() => {
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled;
  const modal = document.querySelector("dialog[open]");
  const all = [...(modal ?? document).querySelectorAll("a[href], button, input, select, textarea, summary, canvas")];
  const boxes = all.filter(seen).map((each) => {
    const label = each.matches("input[type=checkbox], input[type=radio]") && each.closest("label");
    return { each, box: (label || each).getBoundingClientRect() };
  }).filter(({ box }) => box.width && box.height);
  const inSentence = (each) => getComputedStyle(each).display.startsWith("inline")
    && each.closest("p") && each.closest("p").textContent.trim().length > each.textContent.trim().length;
  const little = ({ width, height }) => width < 23.99 || height < 23.99;
  const middle = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
  const crowded = (one) => boxes.some((two) => {
    if (one === two || one.each.contains(two.each) || two.each.contains(one.each)) return false;
    const [x, y] = middle(one.box);
    if (little(two.box)) {
      const [a, b] = middle(two.box);
      return Math.hypot(a - x, b - y) < 24;
    }
    const near = (value, low, high) => Math.max(low - value, 0, value - high);
    return Math.hypot(near(x, two.box.left, two.box.right), near(y, two.box.top, two.box.bottom)) < 12;
  });
  return boxes.filter((one) => little(one.box) && !inSentence(one.each) && crowded(one))
    .map(({ each, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${each.outerHTML.slice(0, 120)}`);
}
"""
MOVING = """
() => document.getAnimations().filter((each) => each.playState === "running")
  .map((each) => (each.animationName ?? each.transitionProperty) + " of " + each.effect.target?.outerHTML.slice(0, 80))
"""
BEYOND = """
() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth > 0 ? ["scrolls sideways"] : []
"""
# What has the focus: whether that can be seen, whether something lies over it, and which stop it is.
FOCUSED = """
() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const root = document.documentElement.dataset;
  const stop = each.dataset.stop ??= (root.stops = String(Number(root.stops ?? 0) + 1));
  const rings = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
  };
  const box = each.getBoundingClientRect();
  const inView = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]].some(([across, down]) => {
    const hit = document.elementFromPoint(box.left + across * box.width, box.top + down * box.height);
    return hit && (each.contains(hit) || hit.contains(each) || hit.closest("label")?.contains(each));
  });
  // The ring of a slider is its thumb's, which no script can ask for: the pixels tell, below.
  const thumb = each.matches("input[type=range]:focus-visible");
  const ringed = rings(each) || thumb || (each.parentElement?.matches("label") && rings(each.parentElement));
  return { stop, ringed: Boolean(ringed), inView, html: each.outerHTML.slice(0, 140) };
}
"""
UNREACHED = """
() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0;
  return all.filter((each) => seen(each) && !("stop" in each.dataset)).map((each) => each.outerHTML.slice(0, 140));
}
"""


def load_axe(tab: Any) -> Any:
    """The page with axe-core loaded."""
    from axe_playwright_python.sync_playwright import Axe

    tab.evaluate(Axe().axe_script)
    return tab


def accessibility_problems(tab: Any) -> list[str]:
    """Return the accessibility problems of the page: all rules in the light theme, colour rules in the dark one."""
    violations = [
        *tab.evaluate(AXE, ALL_RULES),
        *(each for check in (SMALL, MOVING, BEYOND) for each in tab.evaluate(check)),
    ]
    tab.emulate_media(color_scheme="dark")
    violations += [f"in the dark: {each}" for each in tab.evaluate(AXE, OF_COLOUR)]
    tab.emulate_media(color_scheme="light")
    return violations


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_views_have_no_accessibility_violation(chromium: Any, studio: Server, shop: Shop, size: dict[str, int]) -> None:
    for tab in opened(chromium, studio.url, expect=GONE, viewport=size, color_scheme="light"):
        rested(load_axe(tab))
        violations = {view: accessibility_problems(tab) for view in views(tab, shop)}
    assert {view: each for view, each in violations.items() if each} == {}


def test_other_pages_have_no_accessibility_violation(chromium: Any, studio: Server) -> None:
    for size in (WIDE, NARROW):
        for tab in opened(chromium, f"{studio.url}/embed", viewport=size, color_scheme="light"):
            rested(load_axe(tab))
            assert accessibility_problems(tab) == []
            tab.goto(f"{studio.url}/docs")
            tab.wait_for_selector("h2")
            until(tab, "() => !document.querySelector('[aria-busy=true]')")
            assert accessibility_problems(load_axe(tab)) == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_tab_reaches_every_control_with_a_visible_focus(chromium: Any, studio: Server, size: dict[str, int]) -> None:
    for tab in opened(chromium, studio.url, viewport=size):
        rested(tab)
        tab.click("#filters-toggle")
        tab.uncheck("#strip-toggle")  # it goes along from slider to slider, so there would be no end
        tab.evaluate("document.activeElement.blur()")
        stops: set[str] = set()
        unseen = []
        for _ in range(600):
            tab.keyboard.press("Tab")
            at = tab.evaluate(FOCUSED)
            if at is None:
                continue  # the end of the page; on from its beginning
            if at["stop"] in stops:
                break
            stops.add(at["stop"])
            if not at["ringed"] or not at["inView"]:
                unseen.append(at)
        assert unseen == []
        assert tab.evaluate(UNREACHED) == []


def test_focused_slider_has_a_ring_around_its_thumb(tab: Any) -> None:
    tab.uncheck("#strip-toggle")
    until(tab, "() => document.querySelector('#controls [data-latent]').checkVisibility()")
    tab.locator("#controls .step-down").first.focus()
    before = pixels(tab, "#controls .track")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.type") == "range"
    after = pixels(tab, "#controls .track")
    assert (np.abs(after.astype(int) - before).max(axis=2) > 60).sum() > 40, "a ring of two pixels"


def test_live_region_announces_the_similar_products(tab: Any, shop: Shop) -> None:
    assert tab.get_attribute("#live", "aria-live") == "polite"
    slider(tab, 0).focus()
    moves(tab, lambda: tab.keyboard.press("End"))
    results = shop.similar(tab)["results"]
    message = f"{len(results)} similar products, nearest: {results[0]['title']}, {results[0]['closeness']}."
    until(tab, "said => document.querySelector('#live').textContent === said", message)


def test_reduced_motion_disables_loading_animations(tab: Any) -> None:
    routes: list[Any] = []

    def hold(route: Any) -> None:
        routes.append(route)

    tab.route("**/v1/map", hold)
    tab.click("#tab-map")
    tab.wait_for_selector("#map .skeleton")
    assert tab.evaluate(MOVING) == []
    routes[0].continue_()
    tab.wait_for_selector("#map-canvas")
    assert tab.evaluate(MOVING) == []


def test_hostile_text_is_not_interpreted_in_any_view(chromium: Any, many: Server) -> None:
    harm = """
    () => window.pwned ? ["a script ran"] : [...document.querySelectorAll(
      "img[src='x'], b, i:not([class], .dots > i), body > script, #main script, dialog script, [onerror]"
    )].map((each) => each.outerHTML.slice(0, 140))
    """
    shop = Shop(many.url)
    dialogs: list[str] = []
    unsafe: dict[str, list[str]] = {}
    for tab in opened(chromium, many.url, expect=GONE):
        tab.on("dialog", lambda box: dialogs.append(box.message))
        rested(tab)
        titles = [shop.product(each)["title"] for each in ids(tab)]
        names = tab.locator("#similar .name").all_text_contents()
        assert all(title.startswith(name.rstrip("…")) for title, name in zip(titles, names, strict=True))
        for view in views(tab, shop):
            unsafe[view] = [each for check in (harm, BEYOND) for each in tab.evaluate(check)]
    assert {view: each for view, each in unsafe.items() if each} == {}
    assert dialogs == []
