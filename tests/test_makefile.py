"""Every target of the Makefile is run by `make check-all`, by .ci/run or by a test, or says here why not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RULE = re.compile(r"^([a-z-]+):(.*?)(?:##.*)?\n((?:\t.*\n)*)", re.MULTILINE)
TARGETS = {name: (needs.split(), recipe) for name, needs, recipe in RULE.findall(MAKEFILE)}
RUN_HERE = ("help",)
NOT_RUN = {
    "setup": "installs; its two stamps are what every other target needs first",
    "demo": "serves until it is stopped; `load` builds the same shop",
    "bench": "takes up to an hour; `bench-quick` and tests/benchmarks/test_quick.py run its programs on less",
    "bench-quality": "takes hours",
    "screenshots": "rewrites pictures in the documentation",
    "reference": "rewrites the documentation; tests/test_docs.py compares it with the program",
    "format": "rewrites the code; `check` fails where it would",
    "unit": "runs some of the tests that `test` runs",
    "lock": "asks the package index; tests/supply/test_lock.py checks the locks",
    "upgrade": "asks the package index and changes the locks",
    "licences": "rewrites the documentation; tests/supply/test_licences.py runs its script",
    "audit": "asks a database of vulnerabilities; tests/supply/test_audit.py runs its script",
    "sbom": "installs a server",
    "clean": "removes the environment that the tests run in",
}


def run_by(target: str) -> set[str]:
    """Return the targets that making `target` runs, itself included."""
    needs, recipe = TARGETS[target]
    others = [*needs, *re.findall(r"\$\(MAKE\) ([a-z-]+)", recipe)]
    return {target}.union(*(run_by(other) for other in others if other in TARGETS))


def test_every_target_is_run_or_listed_with_a_reason() -> None:
    pipeline = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    run = set(RUN_HERE).union(*(run_by(target) for target in ["check-all", *pipeline]))
    assert {"test", "check", "check-all", "docs", "load", "bench-quick"} <= run
    assert set(TARGETS) - run == set(NOT_RUN)


@pytest.mark.parametrize("target", RUN_HERE)
def test_help_lists_every_target(target: str) -> None:
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(f"make {name}" in done.stdout for name in TARGETS)
