"""A client over the rate limit is told when to retry; other clients are not affected."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from modiste.server.app import create_app
from modiste.server.middleware import rate_limit
from modiste.server.middleware.rate_limit import TokenBuckets, client_key, request_kind
from modiste.server.settings import Settings
from modiste.shop.shop import Shop
from tests.server.client import refused


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bucket_allows_a_burst_then_limits_to_the_rate() -> None:
    clock = Clock()
    bucket = TokenBuckets(2.0, 4, clock)
    assert [bucket.take("a") for _ in range(4)] == [0.0] * 4
    assert bucket.take("a") == pytest.approx(0.5)
    assert bucket.take("b") == 0.0
    clock.now = 0.5
    assert bucket.take("a") == 0.0
    assert bucket.take("a") > 0.0
    clock.now = 100.0
    assert [bucket.take("a") for _ in range(5)].count(0.0) == 4


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0.5, 20), st.integers(1, 9))
def test_bucket_never_exceeds_burst_plus_rate(gaps: list[float], rate: float, burst: int) -> None:
    clock = Clock()
    bucket = TokenBuckets(rate, burst, clock)
    let = 0
    for gap in gaps:
        clock.now += gap
        wait = bucket.take("a")
        let += wait == 0.0
        assert let <= burst + rate * clock.now + 1e-6
        if wait:
            # After that time there is one.
            clock.now += wait + 1e-6
            assert bucket.take("a") == 0.0
            let += 1


def test_oldest_client_is_evicted_beyond_the_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CLIENTS", 3)
    bucket = TokenBuckets(1.0, 1, Clock())
    for name in ("a", "b", "c", "d"):
        assert bucket.take(name) == 0.0
    assert bucket.take("d") > 0.0
    assert bucket.take("a") == 0.0  # forgotten: the first seen


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("nonsense", "unknown"),
    ],
)
def test_client_key_of_an_address(host: str, client: str) -> None:
    assert client_key({"client": (host, 1)}) == client
    assert client_key({"client": None}) == "unknown"


CLIENT_ECHO_PROGRAM = """
import sys
from fastapi import FastAPI, Request
from modiste.server.middleware.rate_limit import client_key
from modiste.server.run import listen, serve_app, browser_url
from modiste.server.settings import Settings

app = FastAPI()

@app.get("/")
def client(request: Request):
    return [client_key(request.scope), request.url.scheme]

listener = listen("127.0.0.1", 0)
print(browser_url(listener), flush=True)
serve_app(listener, app, Settings(trusted_proxies=tuple(sys.argv[1:])))
"""


@contextmanager
def client_echo_server(proxies: Sequence[str], allowed: str) -> Iterator[str]:
    """Yield the URL of a real server that returns the client and scheme it sees; `allowed` is uvicorn's variable."""
    environment = os.environ | {"FORWARDED_ALLOW_IPS": allowed}
    words = [sys.executable, "-c", CLIENT_ECHO_PROGRAM, *proxies]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


FORGED = ["203.0.113.9", "198.51.100.1, 203.0.113.9", "127.0.0.1", "2001:db8::1", "nonsense", ""]


@pytest.mark.parametrize(("proxies", "allowed"), [((), "*"), (("10.0.0.0/8", "::1"), "127.0.0.1,::1")])
def test_forwarded_headers_of_untrusted_clients_are_ignored(proxies: tuple[str, ...], allowed: str) -> None:
    with client_echo_server(proxies, allowed) as url:
        for forged in FORGED:
            headers = {"X-Forwarded-For": forged, "X-Forwarded-Proto": "https", "X-Real-IP": forged}
            headers |= {"Forwarded": f'for="{forged}";proto=https'}
            answer = httpx.get(url, headers=headers, trust_env=False)
            assert answer.json() == ["127.0.0.1", "http"], forged


def test_client_is_the_last_untrusted_address_behind_trusted_proxies() -> None:
    expected = {
        "203.0.113.9": "203.0.113.9",
        "198.51.100.1, 203.0.113.9": "203.0.113.9",
        "203.0.113.9, 10.9.9.9": "203.0.113.9",
        "203.0.113.9:4711": "203.0.113.9",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
        "nonsense": "unknown",
    }
    with client_echo_server(("127.0.0.1", "10.0.0.0/8"), "") as url:
        for forwarded, client in expected.items():
            headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
            assert httpx.get(url, headers=headers, trust_env=False).json() == [client, "https"], forwarded
        several = [("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.9, 10.9.9.9")]
        assert httpx.get(url, headers=several, trust_env=False).json() == ["203.0.113.9", "http"]
        assert httpx.get(url, trust_env=False).json() == ["127.0.0.1", "http"]


def test_each_request_kind_has_its_own_bucket(shop: Shop) -> None:
    settings = Settings(queries_per_second=0.001, uploads_per_minute=0.001)
    with TestClient(create_app(shop, settings)) as client:
        body = {"product": shop.catalogue.ids[0], "k": 1}
        assert client.post("/v1/similar", json=body).status_code == 200
        answer = client.post("/v1/similar", json=body)
        refused(answer, 429, "too_many")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-security-policy"]
        assert client.get("/v1/shop").status_code == 200
        assert 'modiste_refused_total{kind="queries"} 1.0' in client.get("/metrics").text


def test_health_routes_are_not_rate_limited(shop: Shop) -> None:
    with TestClient(create_app(shop, Settings(others_per_second=0.001))) as client:
        assert client.get("/v1/shop").status_code == 200
        refused(client.get("/v1/shop"), 429, "too_many")
        assert {client.get(path).status_code for path in ("/livez", "/readyz")} == {200}


def test_request_kind_of_each_path() -> None:
    paths = ("/v1/render.jpg", "/v1/recommend", "/v1/encode", "/v1/products/x/photo.jpg", "/")
    assert [request_kind(path) for path in paths] == ["frames", "queries", "uploads", "others", "others"]


def test_version_route_returns_the_limits(shop: Shop) -> None:
    settings = Settings(queue=9, queries_per_second=3)
    with TestClient(create_app(shop, settings)) as client:
        limits = client.get("/version").json()["limits"]
    assert (limits["queue"], limits["queries_per_second"], limits["k"]) == (9, 3, 100)
    assert limits["photo_bytes"] == 5_000_000
