"""A client that asks too much is told when to come back; others are not touched by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from modiste.shop.shop import Shop
from modiste.studio import limiting
from modiste.studio.app import create_app
from modiste.studio.limiting import Bucket, client_of, kind_of
from modiste.studio.settings import Settings
from tests.studio.asking import refused


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    clock = Clock()
    bucket = Bucket(2.0, 4, clock)
    assert [bucket.wait("a") for _ in range(4)] == [0.0] * 4
    assert bucket.wait("a") == pytest.approx(0.5)
    assert bucket.wait("b") == 0.0
    clock.now = 0.5
    assert bucket.wait("a") == 0.0
    assert bucket.wait("a") > 0.0
    clock.now = 100.0
    assert [bucket.wait("a") for _ in range(5)].count(0.0) == 4


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0.5, 20), st.integers(1, 9))
def test_never_more_than_the_rate_allows(gaps: list[float], rate: float, burst: int) -> None:
    clock = Clock()
    bucket = Bucket(rate, burst, clock)
    let = 0
    for gap in gaps:
        clock.now += gap
        wait = bucket.wait("a")
        let += wait == 0.0
        assert let <= burst + rate * clock.now + 1e-6
        if wait:
            # After that time there is one.
            clock.now += wait + 1e-6
            assert bucket.wait("a") == 0.0
            let += 1


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "CLIENTS", 3)
    bucket = Bucket(1.0, 1, Clock())
    for name in ("a", "b", "c", "d"):
        assert bucket.wait(name) == 0.0
    assert bucket.wait("d") > 0.0
    assert bucket.wait("a") == 0.0  # forgotten: the first seen


@pytest.mark.parametrize(
    ("at", "forwarded", "proxies", "client"),
    [
        ("192.0.2.7", [], (), "192.0.2.7"),
        ("192.0.2.7", ["203.0.113.9"], (), "192.0.2.7"),  # whoever says so is not believed
        ("10.1.2.3", ["203.0.113.9"], ("10.0.0.0/8",), "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1, 203.0.113.9"], ("10.0.0.0/8",), "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1", "203.0.113.9, 10.9.9.9"], ("10.0.0.0/8",), "203.0.113.9"),
        ("10.1.2.3", ["nonsense"], ("10.0.0.0/8",), "unknown"),
        ("2001:db8:1:2:3:4:5:6", [], (), "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", [], (), "192.0.2.7"),
        ("testclient", [], (), "testclient"),
    ],
)  # fmt: skip
def test_who_asks(at: str, forwarded: list[str], proxies: tuple[str, ...], client: str) -> None:
    scope = {"client": (at, 1), "headers": [(b"x-forwarded-for", each.encode()) for each in forwarded]}
    assert client_of(scope, proxies) == client


def test_each_kind_has_a_bucket_of_its_own(shop: Shop) -> None:
    settings = Settings(answers_per_second=0.001, uploads_per_minute=0.001)
    with TestClient(create_app(shop, settings)) as client:
        body = {"product": shop.catalogue.ids[0], "k": 1}
        assert client.post("/v1/similar", json=body).status_code == 200
        answer = client.post("/v1/similar", json=body)
        refused(answer, 429, "too_many")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-security-policy"]
        assert client.get("/v1/shop").status_code == 200
        assert 'modiste_refused_total{kind="answers"} 1.0' in client.get("/metrics").text


def test_those_who_watch_are_never_turned_away(shop: Shop) -> None:
    with TestClient(create_app(shop, Settings(others_per_second=0.001))) as client:
        assert client.get("/v1/shop").status_code == 200
        refused(client.get("/v1/shop"), 429, "too_many")
        assert {client.get(path).status_code for path in ("/livez", "/readyz")} == {200}


def test_kinds() -> None:
    paths = ("/v1/frame.jpg", "/v1/recommend", "/v1/encode", "/v1/products/x/photo.jpg", "/")
    assert [kind_of(path) for path in paths] == ["frames", "answers", "uploads", "others", "others"]


def test_the_limits_are_published(shop: Shop) -> None:
    settings = Settings(queue=9, answers_per_second=3)
    with TestClient(create_app(shop, settings)) as client:
        limits = client.get("/version").json()["limits"]
    assert (limits["queue"], limits["answers_per_second"], limits["k"]) == (9, 3, 100)
    assert limits["photo_bytes"] == 5_000_000
