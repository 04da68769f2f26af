"""What the page discloses: a drawing is labelled, the model card is one click away, and unusual designs are marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modiste.server.design_codec import to_base64url
from tests.browser.conftest import opened
from tests.browser.page_api import Shop, drawn, ids, moves, rested, start_from
from tests.browser.page_state import until
from tests.browser.server import served
from tests.browser.shops import widened_copy

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def wide_shop(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The API of a shop whose sliders go far beyond its products."""
    with served(widened_copy(built, tmp_path_factory.mktemp("widened") / "shop")) as server:
        yield Shop(server.url)


@pytest.fixture
def unusual_page(chromium: Any, wide_shop: Shop) -> Iterator[Any]:
    """The page of that shop, at a design that is unlike all products."""
    for tab in opened(chromium, f"{wide_shop.url}/#{wide_shop.fragment(unusual_design(wide_shop))}"):
        rested(tab)
        yield tab


def typicality(shop: Shop, z: str) -> Any:
    """Return the API's typicality of a design."""
    return shop.post("/v1/similar", {"code": shop.code_of(z), "k": 1})["typicality"]


def unusual_design(shop: Shop) -> str:
    """Return a design at the sliders' ends that the API calls unlike all products."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        z = to_base64url(bytes(np.where(rng.random(len(shop.ranges)) < 0.5, 0, 255).astype(np.uint8)))
        if typicality(shop, z)["word"] == "unlike anything in the shop":
            return z
    raise AssertionError("no design of this shop is far from it")


def test_page_says_that_a_design_cannot_be_bought(tab: Any, shop: Shop) -> None:
    assert shop.about["note"] == "A drawn design, not a product you can buy."
    assert shop.about["note"] in tab.inner_text("#note")
    assert "drawn design" in tab.get_attribute("#frame", "alt")


def test_model_card_opens_with_one_click(tab: Any, shop: Shop) -> None:
    headings = [line.lstrip("# ") for line in shop.text("/v1/model-card").splitlines() if line.startswith("#")]
    tab.click("#card-open")
    tab.wait_for_selector("#card[open] #card-text h3")
    shown_headings = tab.locator("#card-text :is(h3, h4, h5, h6)").all_inner_texts()
    assert shown_headings == headings
    assert tab.locator("#card-text td").count() > 0, "its tables are tables"
    assert "|---" not in tab.inner_text("#card-text")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#card")
    assert tab.evaluate("document.activeElement.id") == "card-open"


def test_meter_distinguishes_typical_from_unusual_designs(unusual_page: Any, wide_shop: Shop) -> None:
    meter = "document.querySelector('#typicality meter')"
    assert unusual_page.inner_text("#typicality .typicality-word") == "Unlike anything in the shop"
    assert unusual_page.get_attribute("#typicality meter", "aria-valuetext") == "unlike anything in the shop"
    assert unusual_page.evaluate(f"{meter}.value <= {meter}.low"), "in the colour of what is far"
    assert unusual_page.is_visible("#typicality .bring-back")

    start_from(unusual_page, wide_shop, ids(unusual_page)[0])
    typicality_ = typicality(wide_shop, drawn(unusual_page))
    assert typicality_["word"] == "typical of the shop"
    assert unusual_page.inner_text("#typicality .typicality-word") == "Typical of the shop"
    assert unusual_page.get_attribute("#typicality meter", "aria-valuetext") == "typical of the shop"
    assert unusual_page.evaluate(f"{meter}.value") == pytest.approx(typicality_["share"], abs=0.02)
    assert unusual_page.evaluate(f"{meter}.value > {meter}.low")
    assert unusual_page.is_hidden("#typicality .bring-back")


def test_unusual_design_is_brought_back_step_by_step(unusual_page: Any, wide_shop: Shop) -> None:
    for _ in range(8):
        nearest = wide_shop.product(typicality(wide_shop, drawn(unusual_page))["nearest"])
        there = wide_shop.bytes_of(wide_shop.z_of(nearest["code"]))
        before = np.linalg.norm(wide_shop.bytes_of(drawn(unusual_page)) - there)
        after = wide_shop.bytes_of(moves(unusual_page, lambda: unusual_page.click("#typicality .bring-back")))
        assert np.linalg.norm(after - there) == pytest.approx(before / 2, rel=0.1, abs=2)
        if unusual_page.is_hidden("#typicality .bring-back"):
            break
    assert typicality(wide_shop, drawn(unusual_page))["word"] == "typical of the shop"
    assert unusual_page.inner_text("#typicality .typicality-word") == "Typical of the shop"
    assert unusual_page.evaluate("document.activeElement !== document.body"), "the focus is not lost with the button"
    until(unusual_page, "() => document.querySelector('#live').textContent.includes('similar product')")
