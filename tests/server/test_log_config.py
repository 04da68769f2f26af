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


def test_valid_request_id_is_kept_and_an_invalid_one_replaced(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "a-b_c.1"}).headers["x-request-id"] == "a-b_c.1"
    for bad in ("a b", "x" * 65, "<b>", "a\tb"):
        new_id = client.get("/livez", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert new_id != bad
        assert len(new_id) == 32


def test_log_line_is_json_with_known_fields_only() -> None:
    record = logging.LogRecord("modiste", logging.WARNING, "f", 1, "said \x1b[31m%s\n", ("red",), None)
    record.status, record.body = 200, "secret"
    line = json.loads(JsonFormatter().format(record))
    assert line["level"] == "warning"
    assert line["event"] == "said \x1b[31mred\n"
    assert line["status"] == 200
    assert "secret" not in json.dumps(line)
    assert "\x1b" not in JsonFormatter().format(record)


def test_exception_is_logged_with_its_traceback() -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        record = logging.LogRecord("modiste", logging.ERROR, "f", 1, "failed", (), (ValueError, error, None))
    assert "ValueError: why" in json.loads(JsonFormatter().format(record))["trace"]


def test_server_logs_one_line_per_request_without_client_data(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
