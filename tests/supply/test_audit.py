"""An audit without answers does not pass."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.supply.locks import script

audit: Any = script("audit")
CLEAN = {"name": "clean", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ([CLEAN], 0, "no known vulnerability in 1 packages"),
        ([CLEAN, BAD], 1, "bad 2.0: CVE-1, fixed in 2.1"),
        ([CLEAN, UNKNOWN], 2, "1 of 2 packages WERE NOT CHECKED"),
        ([BAD, UNKNOWN], 1, "1 of 2 packages WERE NOT CHECKED"),
        ([], 2, ""),
        (None, 2, "NOTHING WAS CHECKED; the service of vulnerabilities gave no answer: no route"),
    ],
)
def test_audit_passes_only_if_every_package_was_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: list[dict[str, Any]] | None,
    status: int,
    words: str,
):
    said = "" if answers is None else json.dumps({"dependencies": answers})
    tool = tmp_path / "pip-audit"
    program = f"#!/bin/sh\ncp $8 {tmp_path}/asked\necho no route >&2\nprintf '%s' '{said}'\nexit 1\n"
    tool.write_text(program, encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    lock = tmp_path / "some.lock"
    lock.write_text("clean==1.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    assert audit.main([str(lock)]) == status
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "clean==1.0\n"
    assert words in "".join(capsys.readouterr())
