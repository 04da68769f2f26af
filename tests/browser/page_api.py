"""The shop's API for the design that a page shows, and waiting until the page shows a design."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.server.design_codec import dequantise, from_base64url, to_base64url
from tests.browser.page_state import until
from tests.server.design_bytes import quantise

# At rest: the picture is drawn, the address is the picture's, and no part of the results waits for an answer.
RESTED = """
(before) => {
  const picture = document.querySelector("#frame");
  if (!("ready" in document.documentElement.dataset) || !picture?.complete || !picture.naturalWidth) return false;
  const shown = new URL(picture.getAttribute("src"), location.href).searchParams.get("design");
  const said = new URLSearchParams(location.hash.slice(1));
  // Until something moves, the address may hold no design.
  if (said.has("product") || (said.get("z") ?? (before ? "" : shown)) !== shown || shown === before) return false;
  const parts = [...document.querySelectorAll("#similar, #goes-with")];
  return parts.length === 2 && !document.querySelector("#results [aria-busy]");
}
"""


class Shop:
    """Client of the shop's API, to compare the page with."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        """Return the JSON of a GET."""
        return json.loads(self._send(urllib.request.Request(self.url + path)))

    def post(self, path: str, body: object) -> Any:
        """Return the JSON of a POST."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return json.loads(self._send(request))

    def text(self, path: str) -> str:
        """Return the text of a GET."""
        return self._send(urllib.request.Request(self.url + path)).decode()

    def _send(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    @cached_property
    def about(self) -> Any:
        """The response of GET /v1/shop."""
        return self.get("/v1/shop")

    @cached_property
    def sliders(self) -> Any:
        """The response of GET /v1/sliders."""
        return self.get("/v1/sliders")

    @cached_property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of each latent, in latent order."""
        latents = sorted(self.sliders["latents"], key=lambda each: each["latent"])
        return np.array([(each["minimum"], each["maximum"]) for each in latents], np.float32)

    def product(self, product_id: str) -> Any:
        """Return the response of GET /v1/products/{id}."""
        return self.get(f"/v1/products/{urllib.parse.quote(product_id, safe='')}")

    def code_of(self, z: str) -> list[float]:
        """Return the code of a `z`."""
        return [float(x) for x in dequantise(from_base64url(z, len(self.ranges)), self.ranges)]

    def z_of(self, code: ArrayLike) -> str:
        """Return the `z` of a code, clipped to the sliders' ranges."""
        return to_base64url(quantise(code, self.ranges))

    def bytes_of(self, z: str) -> NDArray[np.int64]:
        """Return the bytes of a `z`, as numbers that can be subtracted."""
        return np.frombuffer(from_base64url(z, len(self.ranges)), np.uint8).astype(np.int64)

    def fragment(self, z: str) -> str:
        """Return the URL fragment of the link to a design."""
        return f"z={z}&m={urllib.parse.quote(self.sliders['render_id'], safe='')}"

    def similar(self, page: Any, **options: Any) -> Any:
        """Return the response of POST /v1/similar for the design of the page."""
        return self.post("/v1/similar", {"code": self.code_of(drawn(page)), "k": 12, **options})

    def recommended(self, page: Any, **options: Any) -> Any:
        """Return the recommendations of POST /v1/recommend for the design of the page, by category."""
        body = {"code": self.code_of(drawn(page)), "k": 12, "by": "category", **options}
        return self.post("/v1/recommend", body)["recommendations"]


def drawn(page: Any) -> str:
    """Return the `z` of the picture in the page."""
    address = page.get_attribute("#frame", "src")
    return urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["design"][0]


def rested(page: Any, before: str = "") -> None:
    """Wait until the page completely shows a design other than `before`."""
    until(page, RESTED, before)


def moves(page: Any, action: Callable[[], Any]) -> str:
    """Run an action that moves the design, wait until the page shows it completely, and return its `z`."""
    rested(page)
    before = drawn(page)
    with page.expect_request("**/v1/similar"):  # sent once the design has come to rest
        action()
    rested(page, before)
    return drawn(page)


def go_to(page: Any, shop: Shop, z: str) -> None:
    """Open a link to a design in the page."""
    if z != drawn(page):
        moves(page, lambda: page.evaluate("fragment => { location.hash = fragment }", shop.fragment(z)))


def start_from(page: Any, shop: Shop, product_id: str) -> str:
    """Open the link to the encoded product; return its `z`."""
    z = shop.z_of(shop.product(product_id)["code"])
    go_to(page, shop, z)
    return z


def ids(page: Any, selector: str = "#similar .card") -> list[str]:
    """Return the products that elements show, in order."""
    return list(page.eval_on_selector_all(selector, "all => all.map(each => each.dataset.product)"))
