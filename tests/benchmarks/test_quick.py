"""The benchmarks run to their end with `--quick`, and print every measurement."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import s3
from tests.browser.server import find_browser

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDIO_LINES = (
    "start to ready",
    "memory when ready",
    "server CPU per new frame",
    "people at 15 frames/s",
    "first product, cold page",
    "page weight before photos",
    "key to pixels, <img src>",
    "no key, fetch and blob",
    "drag to pixels, <img src>",
    "shown while dragging",
)


def output_of(program: str) -> str:
    """Return what a benchmark prints with `--quick`. It must take less than a minute, on a busy machine five."""
    command = [sys.executable, f"benchmarks/{program}.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cutout_benchmark_prints_every_background() -> None:
    header, *rows = output_of("cutout").splitlines()
    assert header.split() == ["background", "photos", "refused", "median", "p10", "over", ".9", "ms"]
    assert [row.split()[0] for row in rows] == ["plain", "gradient", "vignette", "noise", "cloth", "busy"]
    assert all(int(row.split()[1]) > 0 for row in rows)


def test_object_storage_benchmark_prints_every_measurement() -> None:
    if not s3.is_here():
        pytest.skip("there is no S3 server: `make setup` installs it")
    measurements = [line for line in output_of("object_storage").splitlines() if "requests" in line]
    assert len(measurements) == 7
    assert all(line.endswith("MB down") for line in measurements)


@pytest.mark.browser
def test_studio_benchmark_prints_every_measurement() -> None:
    if find_browser() is None:
        message = "no Chromium: `scripts/ensure_chromium.sh` installs it, or says how"
        pytest.fail(message) if os.environ.get("MODISTE_NEEDS_CHROMIUM") == "1" else pytest.skip(message)
    text = output_of("studio")
    assert [name for name in STUDIO_LINES if name not in text] == []
