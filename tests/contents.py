"""What a directory holds, to tell whether it has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path


def contents(root: Path) -> dict[str, str]:
    """Every file of a directory by its hash; locks are not part of it."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
