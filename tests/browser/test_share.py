"""Sharing: the address contains the design, and picture, numbers and command are of the same design."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modiste.images.photo import decode_jpeg, to_jpeg
from modiste.server.served_shop import JPEG_QUALITY
from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.slider_actions import at_rest, bytes_of, decoded, design, dial, frame_bytes, opened_at, ready, source

pytestmark = pytest.mark.browser

DESIGN = bytes([10, 240, 60, 128, 200, 33, 90, 171])


@pytest.fixture
def table(page: Any) -> Any:
    """The page with a changed design."""
    ready(page)
    opened_at(page, DESIGN)
    return page


def image_of(data: bytes) -> np.ndarray:
    """Return the pixels of an image file, int `(h, w, 3)`."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def save_file(page: Any, button: str) -> tuple[str, bytes]:
    """Press a button that saves a file; return the file's name and content."""
    with page.expect_download() as download:
        page.locator(button).click()
    return str(download.value.suggested_filename), Path(download.value.path()).read_bytes()


def test_shared_link_shows_the_identical_picture(table: Any, chromium: Any) -> None:
    table.locator("#share-open").click()
    link = table.locator("#share-link").input_value()
    table.locator("#copy-link").click()
    assert table.evaluate("() => navigator.clipboard.readText()") == link
    other = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = other.new_page()
    tab.goto(link)
    ready(tab)
    assert design(tab) == DESIGN
    assert source(tab) == source(table)
    assert frame_bytes(tab) == frame_bytes(table)
    table.keyboard.press("Escape")
    assert (pixels(tab) == pixels(table)).all()
    other.close()


def test_address_and_design_follow_each_other(table: Any) -> None:
    first = table.url
    assert decoded(table.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('z')")) == DESIGN
    dial(table, 1).focus()
    table.keyboard.press("Home")
    assert at_rest(table)[1] == 0
    assert table.url != first
    table.evaluate("url => { location.href = url; }", first)
    until(table, "z => document.querySelector('#frame').src.includes(z)", first.partition("z=")[2].partition("&")[0])
    assert at_rest(table) == DESIGN
    table.reload()
    ready(table)
    assert design(table) == DESIGN


def test_invalid_link_is_reported(table: Any) -> None:
    link = table.url
    for old, new, why in (("m=", "m=0", "another model"), ("z=", "z=!", "damaged")):
        table.goto("about:blank")
        table.goto(link.replace(old, new))
        ready(table)
        assert why in table.locator("#notice").inner_text()
        assert design(table) != DESIGN


def test_exported_png_equals_the_picture(table: Any, studio: Server) -> None:
    table.locator("#share-open").click()
    name, data = save_file(table, "#export-png")
    assert name.endswith(".png")
    assert data.startswith(b"\x89PNG")
    saved = image_of(data)
    assert saved.shape == image_of(frame_bytes(table)).shape
    shown = decode_jpeg(frame_bytes(table))
    assert (decode_jpeg(to_jpeg(saved.astype(np.uint8), JPEG_QUALITY)) == shown).all(), "the same pixels, before JPEG"


def test_exported_json_contains_the_code_of_the_picture(table: Any, studio: Server) -> None:
    table.locator("#share-open").click()
    _, png = save_file(table, "#export-png")
    name, data = save_file(table, "#export-json")
    assert name.endswith(".json")
    exported = json.loads(data)
    assert bytes_of(table, exported["code"]) == DESIGN
    assert decoded(exported["z"]) == DESIGN
    assert len(exported["sliders"]) == len(exported["code"])
    drawn = table.request.post(
        f"{studio.url}/v1/decode", data={"code": exported["code"]}, headers={"Accept": "image/png"}
    )
    assert (image_of(drawn.body()) == image_of(png)).all()
    table.goto("about:blank")
    table.goto(exported["link"])
    ready(table)
    assert design(table) == DESIGN


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="no curl here")
def test_exported_curl_command_draws_the_picture(table: Any, tmp_path: Path) -> None:
    table.locator("#share-open").click()
    _, png = save_file(table, "#export-png")
    table.locator("#export-curl").click()
    command = table.evaluate("() => navigator.clipboard.readText()")
    assert command == table.locator("#curl").input_value()
    assert command.startswith("curl ")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    (file,) = tmp_path.iterdir()
    assert (image_of(file.read_bytes()) == image_of(png)).all()
