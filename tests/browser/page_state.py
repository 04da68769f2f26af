"""Waiting for the page, and the pixels on its screen."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
from PIL import Image

# The picture is what the design says once its address is the design's and the browser has drawn it.
DRAWN = """
() => {
  const image = document.querySelector("#frame");
  return image?.complete && image.naturalWidth > 0 && !document.querySelector("#stage").hasAttribute("aria-busy");
}
"""


PATIENCE = 60.0  # seconds, of a machine that may be busy with ten other things; what has to be quick is timed by itself


def until(page: Any, predicate: str, argument: Any = None) -> None:
    """Wait until a JavaScript function of the page returns true.

    Playwright's own `wait_for_function` evaluates its text again and again within the page, which the page's
    content security policy forbids, so it fails unless the first result is true.
    """
    give_up = time.monotonic() + PATIENCE
    while not page.evaluate(predicate, argument):
        assert time.monotonic() < give_up, f"after {PATIENCE:.0f} s still not: {predicate.strip()}"
        page.wait_for_timeout(15)


def slider(page: Any, place: int) -> Any:
    """Return the range input of a slider, by its position from the top."""
    return page.locator("#controls [data-latent] input[type=range]").nth(place)


def settled(page: Any) -> None:
    """Wait until the picture is that of the design, and the network is idle."""
    page.wait_for_load_state("networkidle")
    until(page, DRAWN)


def pixels(page: Any, selector: str = "#frame") -> np.ndarray:
    """Return the pixels of an element on the screen, uint8 `(h, w, 3)`."""
    shot = page.locator(selector).first.screenshot(animations="disabled")
    with Image.open(io.BytesIO(shot), formats=("PNG",)) as image:
        return np.asarray(image.convert("RGB"))


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    """Return the distinct colours of a picture, in steps of 16."""
    return {tuple(each) for each in (picture.reshape(-1, 3) // 16).tolist()}
