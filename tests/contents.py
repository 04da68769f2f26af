"""Hashes of a directory's files, to detect changes; and edits of a shop's JSON files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from modiste.storage.json_files import verify_checksum, with_checksum


def contents(root: Path) -> dict[str, str]:
    """Return the hash of every file of a directory, without locks."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def edit(path: Path, **values: Any) -> None:
    """Change values of a JSON file and its checksum, as if it had been written so; `...` removes a value."""
    raw = verify_checksum(json.loads(path.read_text()))
    path.write_text(
        json.dumps(with_checksum({name: value for name, value in (raw | values).items() if value is not ...}))
    )
