"""Actions on the sliders, and reading the design: the bytes of the picture on the screen."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.page_state import until

# The picture that stands there is that of the sliders as they stand, the address is the design's, and nothing is busy.
AT_REST = """
() => {
  const image = document.querySelector("#frame");
  if (!image?.complete || !image.naturalWidth || document.querySelector("[aria-busy=true]")) return false;
  const shown = new URL(image.src).searchParams.get("design");
  if (new URLSearchParams(location.hash.slice(1)).get("z") !== shown) return false;
  const bytes = Uint8Array.from(atob(shown.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const rows = [...document.querySelectorAll("#controls [data-latent]")];
  const stands = (row) => +row.querySelector("input[type=range]").value === bytes[row.dataset.latent];
  return rows.length === bytes.length && rows.every(stands);
}
"""
READY = "() => 'ready' in document.documentElement.dataset && Boolean(document.querySelector('#similar .card'))"


def ready(page: Any) -> None:
    """Wait until the page is complete: its tools, and the first similar products."""
    until(page, READY)


def at_rest(page: Any) -> bytes:
    """Wait until picture, sliders and address agree; return the design, one byte per latent."""
    until(page, AT_REST)
    return design(page)


def design(page: Any, selector: str = "#frame") -> bytes:
    """Return the design of the picture, one byte per latent."""
    return decoded(parse_qs(urlsplit(source(page, selector)).query)["design"][0])


def source(page: Any, selector: str = "#frame") -> str:
    """Return the URL of a picture."""
    return str(page.locator(selector).first.evaluate("image => image.src"))


def decoded(z: str) -> bytes:
    """Return the bytes of a design, from a link's text."""
    return base64.urlsafe_b64decode(z + "=" * (-len(z) % 4))


def row(page: Any, latent: int) -> Any:
    """Return the row of a latent's slider."""
    return page.locator(f'#controls [data-latent="{latent}"]')


def dial(page: Any, latent: int) -> Any:
    """Return the range input of a latent."""
    return row(page, latent).locator("input[type=range]")


def put(page: Any, latent: int, to: int) -> bytes:
    """Type a number from −100 to 100 into the box of a latent; return the new design."""
    number(page, latent).fill(str(to))
    page.keyboard.press("Enter")
    return at_rest(page)


def frame_bytes(page: Any, selector: str = "#frame") -> bytes:
    """Return the bytes of a picture, as the server sends them."""
    answer = page.request.get(source(page, selector))
    assert answer.ok
    return bytes(answer.body())


def number(page: Any, latent: int) -> Any:
    """Return the number box of a latent."""
    return row(page, latent).locator("input[type=number]")


def opened_at(page: Any, bytes_: bytes) -> None:
    """Go to a design by its link, within the page."""
    ready(page)
    render_id = parse_qs(urlsplit(source(page)).query)["render_id"][0]
    z = base64.urlsafe_b64encode(bytes_).decode().rstrip("=")
    with page.expect_response("**/v1/similar"):  # the address is the design's before the hand counts as at rest
        page.evaluate("fragment => { location.hash = fragment; }", f"z={z}&m={render_id}")
    assert at_rest(page) == bytes_


def centred(page: Any) -> Any:
    """Return the loaded page, with every slider in its middle."""
    ready(page)
    opened_at(page, bytes([128] * len(design(page))))
    return page


def bytes_of(page: Any, code: list[float]) -> bytes:
    """Return a code as the page's links contain it, by the page's own codec."""
    quantised = page.evaluate(
        """async (code) => {
          const codec = await import("/static/js/core/design-codec.js");
          const { latents } = await (await fetch("/v1/sliders")).json();
          return [...codec.quantise(code, codec.rangesOf(latents))];
        }""",
        code,
    )
    return bytes(quantised)


class InterceptedRequests:
    """Requests of a page that are intercepted in order, until they are released."""

    def __init__(self, page: Any, pattern: str) -> None:
        self.routes: list[Any] = []
        self._page, self._pattern = page, pattern
        page.route(pattern, self._hold)

    def _hold(self, route: Any) -> None:
        self.routes.append(route)

    def __len__(self) -> int:
        return len(self.routes)

    def release(self) -> None:
        """Let the last request continue, and stop intercepting."""
        self.routes[-1].continue_()
        self._page.unroute(self._pattern)
