"""The real proxy in front of a real server, over the loopback: pages, rate limits per client, and large bodies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from modiste.storage.backup import restore_shop
from tests.browser.server import Server, free_port
from tests.deploy.recipes import DEPLOY, TOOLS, tool
from tests.small import SMALL

CADDYFILE = DEPLOY / "Caddyfile"
ONE, OTHER, SLOW = "127.0.0.2", "127.0.0.3", "127.0.0.4"  # visitors


def write_caddy_config(tmp_path: Path, port: int, upstream: str) -> Path:
    """Write Caddy's JSON configuration from the Caddyfile, for a site without TLS on the loopback; return its path."""
    told = os.environ | {"SITE": f"http://127.0.0.1:{port}", "UPSTREAM": upstream, "HOME": str(tmp_path)}
    said = tool("caddy", "adapt", "--config", str(CADDYFILE), env=told)
    assert said.returncode == 0, said.stderr
    held = json.loads(said.stdout)
    (server,) = held["apps"]["http"]["servers"].values()
    server["listen"] = [f"127.0.0.1:{port}"]  # of the loopback only
    path = tmp_path / "caddy.json"
    path.write_text(json.dumps(held), encoding="utf-8")
    return path


@contextmanager
def running_proxy(tmp_path: Path, upstream: str) -> Iterator[str]:
    """Run a proxy in front of `upstream`, and yield its URL."""
    port = free_port()
    words = [TOOLS / "caddy", "run", "--config", write_caddy_config(tmp_path, port, upstream)]
    told = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with subprocess.Popen(words, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small shop."""
    root = tmp_path_factory.mktemp("proxied") / "shop"
    restore_shop(SMALL, root)
    return root


@pytest.fixture(scope="module")
def site(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a studio behind a trusted proxy. A client may send three queries at once, then 1.5 a second."""
    tool("caddy", "version")  # skipped where there is none
    with pytest.MonkeyPatch.context() as told:
        told.setenv("MODISTE_TRUSTED_PROXIES", "127.0.0.1")
        told.setenv("MODISTE_QUERIES_PER_SECOND", "1.5")
        server = Server(shop)
        server.start()
    try:
        with running_proxy(tmp_path_factory.mktemp("proxy"), f"127.0.0.1:{server.port}") as url:
            yield url
    finally:
        server.stop()


def client_at(site: str, of: str) -> httpx.Client:
    """Return a client with this address of the loopback."""
    transport = httpx.HTTPTransport(local_address=of)
    return httpx.Client(base_url=site, transport=transport, timeout=30)


def test_caddyfile_is_valid_and_formatted(tmp_path: Path):
    told = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    said = tool("caddy", "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile", env=told)
    assert said.returncode == 0, said.stderr
    assert tool("caddy", "fmt", str(CADDYFILE)).stdout == CADDYFILE.read_text(encoding="utf-8")


def test_studio_loads_through_the_proxy_and_metrics_are_hidden(site: str):
    with client_at(site, ONE) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "<title>" in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "max-age=31536000" in page.headers["strict-transport-security"]
        assert "server" not in page.headers
        assert client.get("/readyz").json()["status"] == "ready"
        shop = client.get("/v1/shop").json()
        z = "A" * -(-shop["latent"] * 8 // 6)
        picture = client.get("/v1/render.jpg", params={"render_id": shop["render_id"], "design": z})
        assert picture.content[:2] == b"\xff\xd8"
        assert "immutable" in picture.headers["cache-control"]
        assert client.get("/metrics").status_code == 404


def test_each_client_has_its_own_rate_limit_and_cannot_forge_another(site: str):
    with client_at(site, ONE) as one, client_at(site, OTHER) as other:
        product = one.get("/v1/products", params={"size": 1}).json()["results"][0]["id"]
        question = {"product": product, "k": 1}
        for _ in range(10):
            if one.post("/v1/similar", json=question).status_code == 429:
                break
        else:
            pytest.fail("the first client was never turned away")
        assert other.post("/v1/similar", json=question).status_code == 200
        pretending = one.post("/v1/similar", json=question, headers={"X-Forwarded-For": "203.0.113.7"})
        assert pretending.status_code == 429


def test_large_body_is_rejected_and_slow_body_is_accepted(site: str):
    with client_at(site, SLOW) as client:
        product = client.get("/v1/products", params={"size": 1}).json()["results"][0]["id"]
    body = json.dumps({"product": product, "k": 1}).encode()

    def slowly() -> Iterator[bytes]:
        for at in range(0, len(body), 8):
            yield body[at : at + 8]
            time.sleep(0.3)

    with client_at(site, SLOW) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post("/v1/similar", content=slowly(), headers=headers)
        assert answer.status_code == 200, answer.text
        try:
            refused = client.post("/v1/encode", files={"photo": ("photo.jpg", bytes(8_000_000), "image/jpeg")})
            # 502 is Caddy's, where the studio hung up on what still came before Caddy read its answer.
            assert refused.status_code in (413, 502)
        except httpx.TransportError:  # it may hang up while the body still comes
            pass
        assert client.get("/readyz").status_code == 200


def test_proxy_answers_502_until_the_studio_starts(shop: Path, tmp_path: Path):
    tool("caddy", "version")
    server = Server(shop)
    with running_proxy(tmp_path, f"127.0.0.1:{server.port}") as url, client_at(url, ONE) as client:
        assert client.get("/livez").status_code == 502
        server.start()
        try:
            assert client.get("/livez").status_code == 200
        finally:
            server.stop()
