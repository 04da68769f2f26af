"""The start dialog: a product, a photo by every way of upload, an average, a link; and rejected photos."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.page_state import pixels, until
from tests.browser.server import Server
from tests.browser.shops import BY_KL
from tests.browser.slider_actions import at_rest, bytes_of, design, dial, ready, row, source

pytestmark = pytest.mark.browser

FIRST = BY_KL[0]
BACKDROP = (70, 130, 180)  # of the photo that someone took, far from the shop's white

# Whether the dialog lists these products, in this order.
LISTED = """
(ids) => {
  const books = document.querySelectorAll("#start-product .grid-item");
  return [...books].map((each) => each.dataset.product).join() === ids;
}
"""

# A file given to the page as a hand would: dropped on it, or pasted into it.
GIVE = """
([kind, name, type, data]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
  const how = { bubbles: true, cancelable: true };
  if (kind === "paste") return document.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: transfer }));
  for (const each of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(each, { ...how, dataTransfer: transfer }));
  }
}
"""


@pytest.fixture(scope="session")
def photo() -> bytes:
    """Return a JPEG of a brown object on a blue background, wider than the shop's frame."""
    picture = np.full((240, 400, 3), BACKDROP, np.uint8)
    picture[60:190, 120:300] = (120, 70, 40)
    picture[60:100, 160:260] = (150, 95, 60)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=92)
    return out.getvalue()


def give_file(page: Any, how: str, data: bytes, name: str = "mine.jpg", kind: str = "image/jpeg") -> None:
    """Drop a file on the page, or paste it."""
    page.evaluate(GIVE, [how, name, kind, base64.b64encode(data).decode()])


def wait_for_encoded_photo(page: Any) -> bytes:
    """Wait until a photo was encoded; return the new design."""
    until(page, "() => document.querySelectorAll('#photo-pictures:not([hidden]) img').length === 3")
    return at_rest(page)


def wait_for_rejection(page: Any) -> str:
    """Wait until the page says why it rejected a photo."""
    page.wait_for_selector("#start .state.bad")
    assert not page.locator("#photo-pictures").is_visible()
    return str(page.locator("#start .state.bad").first.inner_text())


def test_start_from_a_product_of_the_shop(table: Any, studio: Server) -> None:
    before = pixels(table)
    table.locator("#start-open").click()
    table.locator("#start .chip").nth(1).click()
    category = table.locator("#start .chip").nth(1).inner_text()
    page_of_products = table.request.get(f"{studio.url}/v1/products?category={category}&size=24").json()
    until(table, LISTED, ",".join(each["id"] for each in page_of_products["results"]))
    chosen = page_of_products["results"][2]
    body = table.request.get(f"{studio.url}/v1/products/{chosen['id']}").json()
    table.locator(f'#start .grid-item[data-product="{chosen["id"]}"]').click()
    until(table, "title => document.querySelector('#stage .origin').textContent.includes(title)", chosen["title"])
    assert at_rest(table) == bytes_of(table, body["code"])
    assert (pixels(table) != before).any()
    assert not table.locator("#start").is_visible()


def test_start_dialog_searches_products_and_turns_pages(page: Any, studio: Server) -> None:
    ready(page)
    page.locator("#start-open").click()
    total = page.request.get(f"{studio.url}/v1/shop").json()["products"]
    until(page, "() => document.querySelectorAll('#start-product .grid-item').length === 24")
    first = page.locator("#start-product .grid-item").first.get_attribute("data-product")
    page.locator("#start-product .pager button").nth(1).click()
    until(page, "id => document.querySelector('#start-product .grid-item').dataset.product !== id", first)
    word = page.request.get(f"{studio.url}/v1/products/{first}").json()["title"].split()[0]
    page_of_products = page.request.get(f"{studio.url}/v1/products?q={word}&size=24").json()
    assert 0 < page_of_products["total"] < total
    page.locator("#start-search").fill(word)
    until(page, LISTED, ",".join(each["id"] for each in page_of_products["results"]))
    page.locator("#start-search").fill("no product has this in its name")
    until(page, "() => !document.querySelector('#start-product .grid-item')")
    assert "No product" in page.locator("#start-product [role=status]").inner_text()


def test_start_from_a_photo_that_is_chosen_dropped_or_pasted(
    table: Any, studio: Server, photo: bytes, tmp_path: Path
) -> None:
    answer = table.request.post(f"{studio.url}/v1/encode", data=photo, headers={"Content-Type": "image/jpeg"}).json()
    expected = bytes_of(table, answer["code"])
    before = pixels(table)
    file = tmp_path / "mine.jpg"
    file.write_bytes(photo)
    table.locator("#photo-open").click()
    with table.expect_file_chooser() as chooser:
        table.locator("#dropzone").click()
    chooser.value.set_files(file)
    assert wait_for_encoded_photo(table) == expected
    table.locator("#use-photo").click()
    assert (pixels(table) != before).any()
    for how in ("drop", "paste"):
        table.locator("#undo").click()
        assert at_rest(table) != expected
        with table.expect_response("**/v1/encode"):
            give_file(table, how, photo)
        until(table, "() => !document.querySelector('#start .state.busy')")
        assert wait_for_encoded_photo(table) == expected, f"a photo that someone would {how}"
        table.locator("#use-photo").click()


def test_photo_is_shown_beside_its_cut_out_and_its_decoding(table: Any, photo: bytes) -> None:
    give_file(table, "drop", photo)
    drawn = wait_for_encoded_photo(table)
    until(table, "() => [...document.querySelectorAll('#photo-pictures img')].every(each => each.naturalWidth)")
    mine, cut, model = table.eval_on_selector_all("#photo-pictures img", "all => all.map(each => each.alt)")
    assert (mine, cut, model) == ("Your photo", "Background removed", "As the model sees it")

    def corner(place: int) -> list[int]:
        return table.evaluate(
            """async (place) => {
              const image = document.querySelectorAll("#photo-pictures img")[place];
              const canvas = document.createElement("canvas");
              canvas.width = canvas.height = 8;
              canvas.getContext("2d").drawImage(image, 0, 0, 8, 8, 0, 0, 8, 8);
              return [...canvas.getContext("2d").getImageData(2, 2, 1, 1).data.slice(0, 3)];
            }""",
            place,
        )

    assert corner(0) == pytest.approx(BACKDROP, abs=12), "as it was taken"
    assert min(corner(1)) > 235, "the background is the shop's"
    assert design(table, "#photo-pictures figure:nth-child(3) img") == drawn
    table.locator("#keep-background").check()
    until(table, "() => document.querySelector('#photo-pictures figure:nth-child(2) img').alt.includes('kept')")
    until(table, "() => document.querySelectorAll('#photo-pictures img')[1].naturalWidth > 0")
    assert (
        np.abs(np.subtract(pixels(table, "#photo-pictures figure:nth-child(2) img")[-8, 8].astype(int), 255)).max() > 20
    )


def test_file_that_is_not_a_photo_is_rejected_with_its_reason(table: Any) -> None:
    before = design(table)
    kind = "image/gif"  # an image, but not one that is read
    for how in ("drop", "paste", "choose"):
        if how == "choose":
            table.locator("#photo-open").click()
            file = {"name": "moving.gif", "mimeType": kind, "buffer": b"GIF89a"}
            table.locator("#start-photo").set_input_files(file)
        else:
            give_file(table, how, b"GIF89a", "moving.gif", kind)
        message = wait_for_rejection(table)
        assert kind in message, how
        assert "JPEG, PNG or WebP" in message, how
        table.keyboard.press("Escape")
        table.locator("#start-open").click()  # opened again, it has forgotten
        assert table.locator("#start .state.bad").count() == 0
        table.keyboard.press("Escape")
    assert design(table) == before


def test_photo_that_is_too_large_is_rejected_with_the_limit(table: Any, studio: Server) -> None:
    limit = table.request.get(f"{studio.url}/v1/shop").json()["limits"]["photo_bytes"]
    table.locator("#photo-open").click()
    hint = table.locator("#dropzone").inner_text()
    assert f"{limit // 1_000_000} MB" in hint, "it is said before"
    table.locator("#start-photo").set_input_files(
        {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8" + bytes(limit + 200_000)}
    )
    message = wait_for_rejection(table)
    assert f"{limit // 1_000_000} MB" in message
    assert f"{(limit + 200_000) / 1e6:.1f} MB" in message
    assert table.locator("#dropzone").is_visible(), "another can be tried at once"


def test_server_rejects_a_broken_photo_and_too_many_pixels(chromium: Any, studio: Server, photo: bytes) -> None:
    from tests.browser.conftest import opened

    pages = opened(chromium, studio.url, expect=("Failed to load resource",))
    tab = next(pages)
    ready(tab)
    give_file(tab, "drop", photo[:300] + b"torn")
    assert len(wait_for_rejection(tab)) > 20
    limit = tab.request.get(f"{studio.url}/v1/shop").json()["limits"]["megapixels"]
    side = int((limit * 1e6) ** 0.5) + 200
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    give_file(tab, "drop", out.getvalue(), "huge.png", "image/png")
    until(tab, "() => /pixel/.test(document.querySelector('#start .state.bad')?.textContent)")
    assert str(limit) in wait_for_rejection(tab)
    give_file(tab, "drop", photo)
    wait_for_encoded_photo(tab)
    pages.close()


def test_photo_without_a_separable_background_is_not_cut(table: Any) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (120, 90, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    give_file(table, "paste", out.getvalue(), "noise.png", "image/png")
    wait_for_encoded_photo(table)
    assert "could not be separated" in table.locator("#start .state").first.inner_text()


def test_start_from_the_average_of_a_category(table: Any, studio: Server) -> None:
    shop = table.request.get(f"{studio.url}/v1/shop").json()
    assert len({tuple(each["average"]) for each in shop["categories"]}) == len(shop["categories"])
    table.locator("#start-open").click()
    table.locator("#start-tab-average").click()
    books = table.locator("#start-average .grid-item")
    assert books.count() == 1 + len(shop["categories"])
    for place, each in enumerate(shop["categories"]):
        picture = source(table, f"#start-average li:nth-child({place + 2}) img")
        books.nth(place + 1).click()
        assert at_rest(table) == bytes_of(table, each["average"])
        assert source(table) == picture, "the picture that was clicked"
        assert each["name"] in table.locator("#stage .origin").inner_text()
        table.locator("#start-open").click()
        table.locator("#start-tab-average").click()


def test_start_from_a_shared_link(table: Any) -> None:
    dial(table, FIRST).focus()
    table.keyboard.press("End")
    shared_design = at_rest(table)
    shared = table.url
    table.locator("#surprise").click()
    until(table, "url => location.href !== url", shared)
    assert at_rest(table) != shared_design
    table.locator("#start-open").click()
    table.locator("#start-tab-link").click()
    for bad, why in (("https://shop.example/", "not a link"), (shared.replace("m=", "m=0"), "another model")):
        table.locator("#start-link").fill(bad)
        table.keyboard.press("Enter")
        assert why in table.locator("#start-link-state").inner_text()
    table.locator("#start-link").fill(shared)
    table.keyboard.press("Enter")
    assert at_rest(table) == shared_design
    assert not table.locator("#start").is_visible()


def test_start_from_an_average_keeps_locked_sliders(table: Any) -> None:
    row(table, FIRST).locator(".lock").click()
    table.locator("#start-open").click()
    table.locator("#start-tab-average").click()
    table.locator("#start-average .grid-item").nth(1).click()
    moved = at_rest(table)
    assert moved[FIRST] == 128
    assert set(moved) != {128}
