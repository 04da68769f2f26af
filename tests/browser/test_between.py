"""The Between tab: its ends are the pinned pictures, its steps lead between them, and its files open."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from modiste.server.design_codec import to_base64url
from modiste.server.routes.images import FRAME_DURATION_MS
from tests.browser.conftest import opened
from tests.browser.page_api import Shop, go_to, ids, moves, rested
from tests.browser.page_state import until
from tests.browser.server import Server

pytestmark = pytest.mark.browser

SAMPLES = """
(selector) => {
  const image = document.querySelector(selector);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  return [canvas.height, canvas.width, [...brush.getImageData(0, 0, canvas.width, canvas.height).data]];
}
"""


def samples(tab: Any, selector: str) -> NDArray[np.uint8]:
    """Return the pixels of a decoded picture, uint8 `(h, w, 4)`."""
    until(tab, "selector => document.querySelector(selector)?.naturalWidth > 0", selector)
    height, width, values = tab.evaluate(SAMPLES, selector)
    return np.array(values, np.uint8).reshape(height, width, 4)


def wait_for_design(tab: Any, z: str) -> None:
    """Wait until the picture between A and B is that of a design."""
    predicate = """
    (z) => {
      const image = document.querySelector("#between-frame");
      return image.complete && image.naturalWidth > 0 && new URL(image.src).searchParams.get("design") === z;
    }
    """
    until(tab, predicate, z)


def interpolated_bytes(shop: Shop, a: str, b: str, share: float) -> NDArray[np.int64]:
    """Return the bytes of a design between A and B."""
    return np.rint((1 - share) * shop.bytes_of(a) + share * shop.bytes_of(b)).astype(np.int64)


def pin_two_designs(tab: Any, shop: Shop) -> tuple[str, str]:
    """Pin two designs far apart, so that a briefly trained model draws them differently; return their `z`."""
    count = len(shop.ranges)
    a, b = to_base64url(bytes(count)), to_base64url(bytes([255] * count))
    go_to(tab, shop, a)
    tab.click("#tab-between")
    tab.click("#pin-a")
    assert tab.is_hidden("#between-slider"), "one end is not enough"
    go_to(tab, shop, b)
    tab.click("#pin-b")
    tab.wait_for_selector("#between-slider")
    return a, b


def frame_duration(image: Image.Image, n: int) -> int:
    """Return the duration of a frame of an animation, in milliseconds."""
    image.seek(n)
    image.load()
    return int(image.info["duration"])


def test_ends_equal_the_pinned_pictures(tab: Any, shop: Shop) -> None:
    a, b = pin_two_designs(tab, shop)
    pinned = {end: samples(tab, f".end:has(#pin-{end}) .end-picture img") for end in ("a", "b")}
    assert (pinned["a"] != pinned["b"]).any()
    for share, z, end in (("0", a, "a"), ("100", b, "b"), ("0", a, "a")):
        tab.locator("#between-slider").fill(share)
        wait_for_design(tab, z)
        assert (samples(tab, "#between-frame") == pinned[end]).all()
        assert tab.get_attribute("#between-slider", "aria-valuetext") == f"at {end.upper()}"
    tab.focus("#between-slider")
    tab.keyboard.press("End")
    wait_for_design(tab, b)


def test_steps_interpolate_from_a_to_b_and_can_become_the_design(tab: Any, shop: Shop) -> None:
    a, b = pin_two_designs(tab, shop)
    steps = tab.locator(".film img")
    assert steps.count() == 7
    for step, image in enumerate(steps.all()):
        z = parse_qs(urlsplit(image.evaluate("image => image.src")).query)["design"][0]
        share = round(100 * step / 6) / 100
        assert np.abs(shop.bytes_of(z) - interpolated_bytes(shop, a, b, share)).max() <= 1
    tab.locator(".film button").nth(3).click()
    assert tab.input_value("#between-slider") == "50"
    taken = moves(tab, lambda: tab.click("#between-take"))
    assert np.abs(shop.bytes_of(taken) - interpolated_bytes(shop, a, b, 0.5)).max() <= 1
    tab.click("#between-swap")
    tab.locator("#between-slider").fill("0")
    wait_for_design(tab, b)


def test_play_advances_one_step_per_press_with_reduced_motion(tab: Any, shop: Shop) -> None:
    pin_two_designs(tab, shop)
    places = []
    for _ in range(12):
        places.append(int(tab.input_value("#between-slider")))
        tab.click("#between-play")
    assert places[0] == 50
    assert places[:11] == list(range(50, 105, 5)), "each press is one step"
    assert places[11] == 0, "after B it begins again at A"
    assert tab.evaluate("document.getAnimations().length") == 0


def test_play_animates_and_can_be_paused(chromium: Any, studio: Server, shop: Shop) -> None:
    for tab in opened(chromium, studio.url, reduced_motion="no-preference"):
        rested(tab)
        pin_two_designs(tab, shop)
        tab.click("#between-play")
        assert tab.inner_text("#between-play") == "Pause"
        until(tab, "() => +document.querySelector('#between-slider').value > 60")
        tab.click("#between-play")
        assert tab.inner_text("#between-play") == "Play"
        stopped = tab.input_value("#between-slider")
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert tab.input_value("#between-slider") == stopped


def test_pin_buttons_of_a_card_pin_its_encoded_product(tab: Any, shop: Shop) -> None:
    one, two = ids(tab)[0], ids(tab)[4]
    cards = tab.locator("#similar .card")
    for place, end in ((0, "a"), (4, "b")):
        cards.nth(place).hover()
        cards.nth(place).locator(f".pin-{end}").click()
        until(tab, "end => document.querySelector('#tab-between').textContent.includes(end)", end.upper())
    assert cards.nth(0).locator(".pin-a").get_attribute("aria-pressed") == "true"
    assert cards.nth(4).locator(".pin-a").get_attribute("aria-pressed") == "false"
    tab.click("#tab-between")
    tab.wait_for_selector("#between-slider")
    for share, product in (("0", one), ("100", two)):
        tab.locator("#between-slider").fill(share)
        wait_for_design(tab, shop.z_of(shop.product(product)["code"]))
    titles = tab.locator(".end .name").all_inner_texts()
    assert titles == [shop.product(one)["title"], shop.product(two)["title"]]


def test_strip_and_animation_are_downloaded(tab: Any, shop: Shop) -> None:
    pin_two_designs(tab, shop)
    width, height = shop.about["size"]
    saved = {}
    for button in ("#export-strip", "#export-webp"):
        with tab.expect_download() as saving:
            tab.click(button)
        saved[saving.value.suggested_filename] = Path(saving.value.path()).read_bytes()
    assert saved.keys() == {"between.png", "between.webp"}
    with Image.open(io.BytesIO(saved["between.png"]), formats=("PNG",)) as image:
        assert image.size == (7 * width, height)
        strip = np.asarray(image.convert("RGB")).astype(int)
    # The page's pictures are JPEG, the strip is not; the designs are the same.
    a, b = (samples(tab, f".end:has(#pin-{end}) .end-picture img")[..., :3].astype(int) for end in ("a", "b"))
    apart = np.abs(a - b).mean()
    assert np.abs(strip[:, :width] - a).mean() < apart / 2
    assert np.abs(strip[:, -width:] - b).mean() < apart / 2
    with Image.open(io.BytesIO(saved["between.webp"]), formats=("WEBP",)) as image:
        assert image.size == (width, height)
        assert image.info["loop"] == 0
        assert image.n_frames > 8
        # Frames that hardly differ are written as one, which lasts longer: there and back, the ends once.
        assert sum(frame_duration(image, n) for n in range(image.n_frames)) == (24 + 22) * FRAME_DURATION_MS
