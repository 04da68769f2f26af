"""Checksums of files, of directories and of JSON objects."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

CHECKSUMS_FILE = "sums.json"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_crc32(path: Path) -> int:
    """Return the CRC-32 of a file. Raises OSError."""
    return zlib.crc32(path.read_bytes())


def object_checksum(value: dict[str, Any]) -> str:
    """Return 16 hexadecimal digits of an object's SHA-256, independent of the layout of its JSON."""
    return json_checksum(json.dumps(value, sort_keys=True))


def json_checksum(text: str) -> str:
    """Return the checksum of an object from its JSON with sorted keys."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_checksums(directory: Path) -> None:
    """Write the SHA-256 of every file in `directory` to CHECKSUMS_FILE there. Raises OSError."""
    checksums = {
        path.relative_to(directory).as_posix(): file_sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    (directory / CHECKSUMS_FILE).write_text(json.dumps(checksums, sort_keys=True) + "\n")


def verify_checksums(directory: Path) -> bool:
    """Return whether every file listed in the directory's CHECKSUMS_FILE has its checksum; reads all bytes."""
    try:
        checksums: Any = json.loads((directory / CHECKSUMS_FILE).read_text())
        return all(file_sha256(directory / name) == checksum for name, checksum in checksums.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return False
