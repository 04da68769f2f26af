"""Checks of error responses."""

from __future__ import annotations

from typing import Any


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check an error response: its status, its code, and a remedy. Return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["type"] == f"urn:modiste:problem:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]
    assert "Traceback" not in answer.text
    return problem
