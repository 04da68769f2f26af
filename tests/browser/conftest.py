"""A studio of the small shop in a real server, and its page. A page with messages in its console fails its test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page_api import Shop, rested
from tests.browser.page_state import PATIENCE, until
from tests.browser.server import Server, browser, find_browser, served
from tests.browser.shops import HOSTILE, NAME, edited_copy, small_shop
from tests.browser.slider_actions import centred


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests of this package. After them, its driver's event loop is gone from this thread."""
    if find_browser() is None:
        message = "no Chromium: `scripts/ensure_chromium.sh` installs it, or says how"
        if os.environ.get("MODISTE_NEEDS_CHROMIUM") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def studio(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The studio of the small shop, with sliders that were edited by hand.

    Its model is trained for seconds only, so with the original sliders nearly every design would be at their ends.
    """
    with served(edited_copy(built, tmp_path_factory.mktemp("edited") / "shop")) as server:
        yield server


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The studio of a very small shop: eight products in four categories, 4 latents."""
    root = tmp_path_factory.mktemp("few") / "shop"
    with served(small_shop(root, products=8, categories=("bags", "hats", "shoes", "belts"), latent=4)) as server:
        yield server


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The studio of a shop with twelve categories with hostile names, 64 latents, and a hostile name."""
    root = tmp_path_factory.mktemp("many") / NAME
    with served(small_shop(root, products=24, categories=HOSTILE, latent=64)) as server:
        yield server


@pytest.fixture(scope="session")
def shop(studio: Server) -> Shop:
    """The API of the edited shop, to compare its page with."""
    return Shop(studio.url)


@pytest.fixture
def tab(chromium: Any, studio: Server) -> Iterator[Any]:
    """The edited shop's page, at rest: its design is drawn and its results are shown."""
    for each in opened(chromium, studio.url):
        rested(each)
        yield each


@pytest.fixture
def page(chromium: Any, studio: Server) -> Iterator[Any]:
    """The studio in a new browser profile at the size of a laptop, with its design drawn."""
    yield from opened(chromium, studio.url)


@pytest.fixture
def table(page: Any) -> Any:
    """The loaded page, with every slider in its middle."""
    return centred(page)


@pytest.fixture
def realistic(chromium: Any, studio: Server) -> Iterator[Any]:
    """The loaded page with "Keep it realistic" on, as visitors find it, and every slider in its middle."""
    for each in opened(chromium, studio.url, realism=None):
        yield centred(each)


def opened(
    chromium: Any, url: str, expect: tuple[str, ...] = (), realism: str | None = "off", **context: Any
) -> Iterator[Any]:
    """Yield a page at `url`. Its console must not contain messages, except for those that contain one of `expect`.

    Unless `realism` is None, "Keep it realistic" is off: most tests move one slider and see that the others stay.
    """
    options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | context
    profile = chromium.new_context(**options)
    profile.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = profile.new_page()
    if realism is not None:
        tab.add_init_script(f"try {{ localStorage.setItem('modiste-realism', '{realism}') }} catch {{}}")
    complaints: list[str] = []

    def complain(text: str) -> None:
        if not any(each in text for each in expect):
            complaints.append(text)

    tab.on("console", lambda message: complain(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complain(str(error)))
    tab.set_default_timeout(1000 * PATIENCE)
    tab.goto(url)
    until(tab, "() => document.querySelector('#frame')?.naturalWidth > 0")
    yield tab
    profile.close()
    assert complaints == []
