"""Shared by the tests of dependencies: the lock files, read as pip reads them, and the scripts as modules."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+)((?: ; [^\\\n]+)?)((?: ?\\\n +--hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)


def entries(name: str) -> dict[str, str]:
    """Return the text of each package in a lock, with its hashes, by name."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in ENTRY.finditer(text)}


def script(name: str) -> ModuleType:
    """Import a program of scripts/ without running it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
