"""The whole API against its own description, by schemathesis, on a real server with admin keys.

Thousands of cases, valid and invalid, alone and in sequences. Nothing fails, and every response is documented.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modiste.server.auth import new_key
from tests.server.test_run import serving

pytestmark = pytest.mark.slow

CASES = 5000
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_api_conforms_to_its_openapi_description(
    shop_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, hashed = new_key()
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    monkeypatch.setenv("MODISTE_DEADLINE", "60")
    for kind in ("FRAMES_PER_SECOND", "QUERIES_PER_SECOND", "UPLOADS_PER_MINUTE", "OTHERS_PER_SECOND"):
        monkeypatch.setenv(f"MODISTE_{kind}", "1e6")
    report = tmp_path / "report.json"
    program = Path(sys.executable).with_name("schemathesis")
    words = ["run", "-H", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--seed", "1"]
    words += ["--max-examples", "320", "--continue-on-failure", "--request-timeout", "60"]
    words += ["--suppress-health-check", "all", "--report", "json", "--report-json-path", str(report)]
    with serving(shop_copy) as (process, url):
        ran = subprocess.run(
            [str(program), *words, f"{url}openapi.json"],
            cwd=tmp_path,
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.poll() is None
    results = json.loads(report.read_text())
    assert results["failures"] == [], ran.stdout[-6000:]
    assert ran.returncode == 0, ran.stdout[-6000:]
    assert results["operations"]["tested"] == results["operations"]["total"]
    assert results["test_cases"]["errored"] == 0
    assert results["test_cases"]["generated"] >= CASES
