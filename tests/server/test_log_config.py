"""A response and its log line share a request id; log lines contain nothing that a client sent."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from modiste.server.log_config import JsonFormatter
from tests.server.test_run import serving


def test_a_request_keeps_its_name_if_it_is_a_plain_one(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "a-b_c.1"}).headers["x-request-id"] == "a-b_c.1"
    for bad in ("a b", "x" * 65, "<b>", "a\tb"):
        new_id = client.get("/livez", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert new_id != bad
        assert len(new_id) == 32


def test_lines_are_json_and_hold_only_what_is_named() -> None:
    record = logging.LogRecord("modiste", logging.WARNING, "f", 1, "said \x1b[31m%s\n", ("red",), None)
    record.status, record.body = 200, "secret"
    line = json.loads(JsonFormatter().format(record))
    assert line["level"] == "warning"
    assert line["event"] == "said \x1b[31mred\n"
    assert line["status"] == 200
    assert "secret" not in json.dumps(line)
    assert "\x1b" not in JsonFormatter().format(record)


def test_a_failure_is_logged_with_its_trace() -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        record = logging.LogRecord("modiste", logging.ERROR, "f", 1, "failed", (), (ValueError, error, None))
    assert "ValueError: why" in json.loads(JsonFormatter().format(record))["trace"]


def test_the_server_writes_a_line_per_request(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODISTE_LOG", "json")
    with serving(built) as (process, url):
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            client.get("/v1/products/secret-id/photo.jpg?token=hidden", headers={"X-Request-ID": "mine"})
            client.post("/v1/similar", json={"code": [0.125] * 8, "k": 1})
        process.terminate()
        _, err = process.communicate(timeout=30)
    lines = [json.loads(line) for line in err.splitlines()]
    request_lines = [line for line in lines if line.get("route")]
    assert [(line["method"], line["route"], line["status"]) for line in request_lines] == [
        ("GET", "/v1/products/{id}/photo.jpg", 404),
        ("POST", "/v1/similar", 200),
    ]
    assert request_lines[0]["request"] == "mine"
    assert all(line["ms"] >= 0 for line in request_lines)
    for secret in ("secret-id", "hidden", "0.125", "127.0.0.1"):
        assert secret not in err
