"""The server closes connections that exceed the limits for headers, body or response."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modiste.server.app import create_app
from modiste.server.settings import Settings
from modiste.shop.shop import Shop
from tests.server.client import refused
from tests.server.test_run import serving


def test_request_beyond_the_deadline_gets_503(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(shop, Settings(deadline=0.3))
    with TestClient(app) as client:
        monkeypatch.setattr(app.state.versions.current, "write", lambda *_, **__: time.sleep(1.0))
        began = time.monotonic()
        answer = client.post("/v1/decode", json={"product": shop.catalogue.ids[0]})
        assert time.monotonic() - began < 0.9
        refused(answer, 503, "too_slow")
        assert client.get("/v1/shop").status_code == 200


def receive_until_closed(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection. A silence of eight seconds is a failure."""
    received = b""
    connection.settimeout(8)
    while part := connection.recv(65536):
        received += part
    return received


def test_connections_of_slow_clients_are_closed(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODISTE_HEADER_TIMEOUT", "0.5")
    monkeypatch.setenv("MODISTE_DEADLINE", "1")
    with serving(built) as (_, url):
        host, port = url.removeprefix("http://").rstrip("/").split(":")

        def connect() -> socket.socket:
            return socket.create_connection((host, int(port)), timeout=10)

        with connect() as silent, connect() as dripping, connect() as half:
            dripping.sendall(b"GET /livez HTT")
            half.sendall(
                b"POST /v1/encode HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 99\r\n\r\nab"
            )
            # `closed_after` fails where a connection stays open for eight seconds: many times the limits set above,
            # and less than the defaults.
            assert receive_until_closed(silent) == b""
            receive_until_closed(dripping)
            got = receive_until_closed(half)
            assert b" 503 " in got
            assert b"too_slow" in got
        # A client that sends its headers in time may send further requests.
        with connect() as steady:
            for _ in range(4):
                steady.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                got = b""
                while b"alive" not in got:
                    got += steady.recv(65536)
                assert got.startswith(b"HTTP/1.1 200")
                time.sleep(0.3)
