"""Proving that a directory is as it was written: the hash of each file, in a file beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modiste.storage.remote.cache import file_sha256

CHECKSUMS_FILE = "sums.json"


def write_checksums(directory: Path) -> None:
    """Say of all files that are in a directory by now what they hold. Raises OSError."""
    told = {
        path.relative_to(directory).as_posix(): file_sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    (directory / CHECKSUMS_FILE).write_text(json.dumps(told, sort_keys=True) + "\n")


def verify_checksums(directory: Path) -> bool:
    """Whether all files of which the directory's sums tell hold what they held, all bytes read."""
    try:
        told: Any = json.loads((directory / CHECKSUMS_FILE).read_text())
        return all(file_sha256(directory / name) == held for name, held in told.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return False
