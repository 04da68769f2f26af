"""What a directory holds, to tell whether it has changed; and files of a shop that say something else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from modiste.storage.json_files import verify_checksum, with_checksum


def contents(root: Path) -> dict[str, str]:
    """Every file of a directory by its hash; locks are not part of it."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def edit(path: Path, **said: Any) -> None:
    """Let a JSON file say something else, as if it had been written so; what is said to be `...` is taken out."""
    raw = verify_checksum(json.loads(path.read_text()))
    path.write_text(
        json.dumps(with_checksum({name: value for name, value in (raw | said).items() if value is not ...}))
    )
