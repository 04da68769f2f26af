"""Takes the pictures of the studio that README and docs show, from the sample catalogue, into docs/images/.

    python scripts/screenshots.py [--shop demo-shop] [--out docs/images]

Another shop gives another set: `--shop my-shop --out /tmp/shots --all` also takes every view, light and dark, wide and
narrow, to look through after a change.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.page_state import settled
from tests.browser.server import browser, served

Action = Callable[[Any], None]


def design(page: Any) -> None:
    """A product to begin with, one slider moved and in focus, so that its strip shows."""
    page.evaluate("window.scrollTo(0, 0)")
    slider = page.locator("#controls [data-latent] input[type=range]").nth(1)
    slider.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")


def tab(name: str) -> Action:
    """Open one of the tabs of the results."""

    def open_tab(page: Any) -> None:
        page.get_by_role("tab", name=name).click()
        page.locator("#results").scroll_into_view_if_needed()

    return open_tab


def click(selector: str, then: str | None = None) -> Action:
    """Click something, and bring something else to the top."""

    def act(page: Any) -> None:
        page.locator(selector).first.click()
        if then is not None:
            page.wait_for_timeout(500)
            show(then)(page)

    return act


def show(selector: str) -> Action:
    """Scroll something to the top."""

    def scroll(page: Any) -> None:
        page.locator(selector).first.evaluate("each => each.scrollIntoView({ block: 'start' })")

    return scroll


def map_zoomed(page: Any) -> None:
    """The map, near enough for photos."""
    tab("Map")(page)
    page.wait_for_timeout(800)
    show("#results")(page)
    box = page.locator("#map-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(3):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(120)


def between(page: Any) -> None:
    """Two products pinned and the strip between them."""
    page.locator("#surprise").click()
    page.wait_for_timeout(500)
    tab("Between")(page)
    page.locator("#pin-a").click()
    page.locator("#surprise").click()
    page.wait_for_timeout(500)
    page.locator("#pin-b").click()


VIEWS: dict[str, Action] = {
    "studio": design,
    "by-attribute": click("#set-attributes"),
    "nearby": click("#nearby"),
    "start": click("#start-open"),
    "share": click("#share-open"),
    "compare": click("#compare", "#results"),
    "goes-with": show("#goes-with"),
    "between": between,
    "map": map_zoomed,
    "filters": click("#filters-toggle", "#filters"),
    "help": click("#help-open"),
}
SIZES = {"wide": (1440, 1000), "tablet": (768, 1024), "narrow": (320, 640)}
DOCS = (
    ("studio", "tall", "light"),
    ("studio", "wide", "dark"),
    ("map", "wide", "light"),
    ("compare", "wide", "light"),
    ("goes-with", "wide", "light"),
    ("studio", "phone", "light"),
)


def take(chromium: Any, url: str, view: str, size: tuple[int, int], theme: str, *, full: bool) -> Image.Image:
    """One picture of one view."""
    profile = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
    )
    page = profile.new_page()
    page.goto(url)
    settled(page)
    VIEWS[view](page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    shot = page.screenshot(full_page=full)
    profile.close()
    return Image.open(io.BytesIO(shot), formats=("PNG",)).convert("RGB")


def main() -> None:
    """Serve the shop, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", type=Path, default=ROOT / "demo-shop")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--all", action="store_true", help="every view in every size and theme, whole pages")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sizes = SIZES | {"tall": (1440, 1560), "phone": (390, 844)}
    wanted = (
        [(view, size, theme) for view in VIEWS for size in SIZES for theme in ("light", "dark")] if args.all else DOCS
    )
    with served(args.shop) as server, browser() as chromium:
        for view, size, theme in wanted:
            name = f"{view}-{size}-{theme}.webp"
            picture = take(chromium, server.url, view, sizes[size], theme, full=args.all)
            picture.save(args.out / name, quality=86, method=6)
            print(args.out / name)


if __name__ == "__main__":
    main()
