"""Checks of error responses."""

from __future__ import annotations

from typing import Any


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check an error response: its status, its code, and a remedy. Return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code
    assert found["type"] == f"urn:modiste:problem:{code}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["remedy"]
    assert "Traceback" not in answer.text
    return found
