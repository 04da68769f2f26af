"""The page, its files, and their headers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modiste.errors import BadOption
from modiste.server.app import create_app
from modiste.server.routes import pages
from modiste.server.settings import Settings, load_settings
from modiste.shop.shop import Shop
from tests.server.client import refused
from tests.server.conftest import ALLOWED

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
FILES = sorted(path for path in pages.STATIC_DIR.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_have_strict_headers(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/embed", "/docs"])
def test_304_of_a_page_has_no_security_policy(client: TestClient, path: str) -> None:
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": tag})
    assert again.status_code == 304
    assert "content-security-policy" not in again.headers  # a browser would take it for the page's own


def test_only_embed_allows_other_origins_as_frame_ancestors(client: TestClient, shop: Shop) -> None:
    answer = client.get("/embed")
    assert answer.content == client.get("/").content
    assert answer.headers["content-security-policy"] == f"{POLICY} {ALLOWED}"
    with TestClient(create_app(shop, Settings())) as plain:
        assert plain.get("/embed").headers["content-security-policy"] == POLICY


@pytest.mark.parametrize("path", ["/v1/shop", "/v1/nothing", "/livez", "/static/js/main.js"])
def test_other_responses_have_the_strictest_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(pages.STATIC_DIR)))
def test_every_file_of_the_page_is_served(client: TestClient, path: Path) -> None:
    answer = client.get(f"/static/{path.relative_to(pages.STATIC_DIR).as_posix()}")
    assert answer.status_code == 200, f"its suffix is not in pages.MEDIA_TYPES: {path.name}"
    assert answer.content == pages.load_static_file(path.relative_to(pages.STATIC_DIR).as_posix()).body
    assert answer.headers["content-type"] == pages.MEDIA_TYPES[path.suffix]
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".html"], ids=lambda path: path.name)
def test_pages_have_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)


@pytest.mark.parametrize(
    "name",
    [
        "no-such.js",
        "",
        "js",
        "js/",
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "%2e%2e%2f%2e%2e%2ferrors.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "js/..%2f..%2f..%2f..%2fpyproject.toml",
        "%00",
        "main.js%00.css",
        "x" * 3000,
        "\u202e",
    ],
)
def test_other_static_paths_get_404(client: TestClient, name: str) -> None:
    refused(client.get("/static/" + name), 404, "not_found")


def test_changed_file_is_reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "STATIC_DIR", tmp_path)
    path = tmp_path / "a.js"
    path.write_text("1")
    first = pages.load_static_file("a.js")
    assert pages.load_static_file("a.js") is first
    path.write_text("22")
    assert pages.load_static_file("a.js").body == b"22"
    (tmp_path / "link.js").symlink_to(os.devnull)
    with pytest.raises(Exception, match=r"no file"):
        pages.load_static_file("link.js")


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "http://localhost:3000", "https://*.shop.example", "http://[::1]:8000", "https://x"],
)
def test_valid_origins_are_accepted(origin: str) -> None:
    assert Settings(allow_embed=(origin,)).allow_embed == (origin,)


@pytest.mark.parametrize(
    "origin",
    ["", "*", "shop.example", "https://", "https://a;script-src *", "https://a b", "https://a/b", "https://a\r\nx: y",
     "javascript:alert(1)", "'self'", "https://é.example", "https://a:999999", "data:"],
)  # fmt: skip
def test_invalid_origins_are_rejected(origin: str) -> None:
    for name in ("allow_embed", "allow_origins"):
        with pytest.raises(BadOption, match=f"{name}: .*origin"):
            load_settings(**{name: ("https://shop.example", origin)})
