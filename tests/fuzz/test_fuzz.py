"""Fuzzing: any bytes as a photo, a table, a file of a shop or an address are read or rejected.

Every run of the tests reads the seeds. In `make check-all`, atheris continues from them for a minute for each target,
or for `MODISTE_FUZZ_SECONDS` seconds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import SEEDS, TARGETS, reads

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("MODISTE_FUZZ_SECONDS", "60"))
A_SECOND = 40  # inputs, on any machine: far below what was seen, so that a target that only waits is noticed


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read_or_rejected(name: str, tmp_path: Path) -> None:
    def read_all() -> list[bool]:
        with TARGETS[name](tmp_path) as target:
            return [reads(target, path.read_bytes()) for path in sorted((SEEDS / name).iterdir())]

    # In a thread: the browser's tests leave a loop in this one, and a target may need its own.
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(read_all).result()
    assert any(found)  # what is attacked can be read at all


def test_seeds_exist_for_every_target_and_are_small() -> None:
    assert {path.name for path in SEEDS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file()) < 200_000


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is for Linux on x86-64 only, and not installed")
@pytest.mark.parametrize("name", TARGETS)
def test_atheris_finds_no_bug(name: str, tmp_path: Path) -> None:
    # A process between: libFuzzer watches the most memory that was resident, which a child takes over from its parent.
    between = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    ran = subprocess.run(
        [sys.executable, "-c", between, "-m", "tests.fuzz.attack", name, str(SECONDS)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path))},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS + 120,
    )
    kept = {path.name: path.read_bytes()[:2000] for path in tmp_path.glob("*-*")}
    assert (ran.returncode, kept) == (0, {}), ran.stderr[-4000:]
    done = re.search(r"Done (\d+) runs", ran.stderr)
    assert done is not None
    assert int(done[1]) >= A_SECOND * SECONDS
