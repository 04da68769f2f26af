"""The studio in other pages: /embed in allowed origins only, and the custom element that reports every design."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import opened
from tests.browser.page_state import until
from tests.browser.server import Server, served
from tests.browser.shops import BY_KL, edited_copy
from tests.browser.slider_actions import ready

pytestmark = pytest.mark.browser

FIRST = BY_KL[0]
HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>
<script>window.designs = []; addEventListener("modiste:design", (event) => designs.push(event.detail));</script>
<script src="{studio}/static/modiste-studio.js"></script>
{content}"""


class HostPage:
    """A shop's own page, at another origin."""

    def __init__(self) -> None:
        self.body = b""
        host_page = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_root = self.path == "/"
                self.send_response(200 if is_root else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(host_page.body if is_root else b"")

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"

    def show(self, studio: str, content: str) -> None:
        """Set the page's HTML."""
        self.body = HOST.replace("{studio}", studio).replace("{content}", content.replace("{studio}", studio)).encode()


@pytest.fixture(scope="session")
def host_page() -> Iterator[HostPage]:
    """A page from another port, which is another origin."""
    server = HostPage()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture(scope="session")
def embeddable_studio(built: Path, host_page: HostPage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A studio that the host may embed."""
    root = edited_copy(built, tmp_path_factory.mktemp("allowing") / "shop")
    with served(root, "--allow-embed", host_page.origin) as server:
        yield server


def open_host_page(chromium: Any, host_page: HostPage, expect: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield the host's page; its console must not contain unexpected messages."""
    profile = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = profile.new_page()
    complaints: list[str] = []

    def complain(message: Any) -> None:
        if message.type in ("error", "warning") and not any(each in message.text for each in expect):
            complaints.append(message.text)

    tab.on("console", complain)
    tab.goto(host_page.origin)
    yield tab
    profile.close()
    assert complaints == []


def studio_frame(tab: Any) -> Any:
    """Return the frame of the studio, once its page is complete."""
    until(tab, "() => true")
    for _ in range(500):
        inside = [each for each in tab.frames if "/embed" in each.url]
        if inside:
            ready(inside[0])
            return inside[0]
        tab.wait_for_timeout(20)
    raise AssertionError("there is no frame of the studio")


def test_embedded_page_has_no_header_and_footer(chromium: Any, studio: Server) -> None:
    pages = opened(chromium, f"{studio.url}/embed")
    tab = next(pages)
    ready(tab)
    assert not tab.locator("#footer").is_visible()
    assert not tab.locator("#help-open").is_visible()
    assert tab.locator("#header").bounding_box()["height"] <= 1
    assert tab.locator("#note").is_visible(), "the honest words stay"
    assert tab.locator("#similar .card").first.is_visible()
    pages.close()


def test_only_allowed_origins_can_embed_the_studio(
    chromium: Any, studio: Server, embeddable_studio: Server, host_page: HostPage
) -> None:
    frame = '<iframe src="{studio}/embed" title="studio" width="900" height="700"></iframe>'
    host_page.show(embeddable_studio.url, frame)
    pages = open_host_page(chromium, host_page)
    tab = next(pages)
    assert studio_frame(tab).locator("#frame").evaluate("image => image.naturalWidth") > 0
    pages.close()
    host_page.show(studio.url, frame)
    pages = open_host_page(chromium, host_page, expect=("frame-ancestors", "Refused to frame", "Framing"))
    tab = next(pages)
    until(tab, "() => document.readyState === 'complete'")
    inside = tab.frames[1]
    assert inside.evaluate("() => document.querySelector('#stage') === null")
    pages.close()
    host_page.show(embeddable_studio.url, frame.replace("/embed", "/"))
    pages = open_host_page(chromium, host_page, expect=("frame-ancestors", "Refused to frame", "Framing"))
    tab = next(pages)
    until(tab, "() => document.readyState === 'complete'")
    assert tab.frames[1].evaluate("() => document.querySelector('#stage') === null"), "only /embed may be held"
    pages.close()


def test_custom_element_shows_the_studio_and_reports_every_design(
    chromium: Any, embeddable_studio: Server, host_page: HostPage
) -> None:
    host_page.show(
        embeddable_studio.url, '<modiste-studio src="{studio}" height="640" label="Shape it"></modiste-studio>'
    )
    pages = open_host_page(chromium, host_page)
    tab = next(pages)
    frame = studio_frame(tab)
    until(tab, "() => designs.length > 0")
    count = tab.evaluate("() => designs.length")
    assert tab.locator("modiste-studio").bounding_box()["height"] == pytest.approx(640, abs=6)
    assert tab.locator("modiste-studio iframe").get_attribute("title") == "Shape it"
    frame.locator(f'#controls [data-latent="{FIRST}"] input[type=range]').focus()
    tab.keyboard.press("End")
    until(tab, "count => designs.length > count", count)
    until(
        frame,
        "z => document.querySelector('#frame').src.includes(`design=${z}`)",
        tab.evaluate("() => designs.at(-1).z"),
    )
    event = tab.evaluate("() => designs.at(-1)")
    assert len(event["code"]) == 8
    assert tab.evaluate("() => document.querySelector('modiste-studio').design") == event
    whole = chromium.new_page()
    whole.goto(event["link"])
    ready(whole)
    assert whole.locator("#frame").evaluate("i => i.src") == frame.locator("#frame").evaluate("i => i.src")
    whole.close()
    pages.close()


def test_custom_element_uses_its_product_and_theme(
    chromium: Any, embeddable_studio: Server, host_page: HostPage
) -> None:
    import json
    import urllib.request

    with urllib.request.urlopen(f"{embeddable_studio.url}/v1/products?size=3") as answer:
        product = json.load(answer)["results"][2]
    content = f'<modiste-studio src="{{studio}}" product="{product["id"]}" theme="dark"></modiste-studio>'
    host_page.show(embeddable_studio.url, content)
    pages = open_host_page(chromium, host_page)
    tab = next(pages)
    frame = studio_frame(tab)
    assert product["title"] in frame.locator("#stage .origin").inner_text()
    assert frame.evaluate("() => document.documentElement.dataset.theme") == "dark"
    pages.close()


def test_other_origins_receive_no_design(chromium: Any, embeddable_studio: Server, host_page: HostPage) -> None:
    content = """
<iframe src="{studio}/embed?origin=https://elsewhere.example" title="studio" width="900" height="700"></iframe>
<script>window.heard = 0; addEventListener("message", () => heard++);</script>"""
    host_page.show(embeddable_studio.url, content)
    pages = open_host_page(chromium, host_page)
    tab = next(pages)
    frame = studio_frame(tab)
    frame.locator(f'#controls [data-latent="{FIRST}"] input[type=range]').focus()
    with tab.expect_response("**/v1/similar"):
        tab.keyboard.press("End")
    assert tab.evaluate("() => heard") == 0
    pages.close()
