"""JSON files with an embedded checksum."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from modiste.errors import permission_denied
from modiste.storage.atomic import write_file

CHECKSUM_KEY = "seal"  # the name under which a JSON file has the checksum of the rest


def with_checksum(value: dict[str, Any]) -> dict[str, Any]:
    """An object for JSON, with a checksum of itself."""
    return value | {CHECKSUM_KEY: _checksum(value)}


def verify_checksum(raw: Any) -> Any:
    """What `sealed` was given, from the JSON that was made of it; what has no seal as it is.

    Raises ValueError where the seal does not fit: a bit has changed, or somebody has written into it.
    """
    if not isinstance(raw, dict) or CHECKSUM_KEY not in raw:
        return raw
    held = dict(cast("dict[str, Any]", raw))
    if held.pop(CHECKSUM_KEY) != _checksum(held):
        raise ValueError(f"it is not as it was written (to edit it by hand, take out its {CHECKSUM_KEY!r})")
    return held


def read_json(path: Path) -> Any:
    """What a JSON file of ours says, its seal checked and taken off.

    Raises StorageError where it may not be read, OSError, and ValueError where it is damaged.
    """
    try:
        return verify_checksum(json.loads(path.read_text(encoding="utf-8")))
    except PermissionError:
        raise permission_denied(path) from None
    except RecursionError:
        raise ValueError("lists or objects too deep in each other") from None


def to_json_bytes(value: Any, indent: int | None = None) -> bytes:
    """A value as JSON in UTF-8. What no text can hold, such as a name of a file that is not UTF-8, is written out."""
    # As it happens, Python's way to write a lone surrogate out is JSON's as well.
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")


def to_checked_json_bytes(value: dict[str, Any]) -> bytes:
    """Return a large object that is not empty as JSON with its checksum, written out only once."""
    text = json.dumps(value, sort_keys=True)
    return f'{text[:-1]}, "{CHECKSUM_KEY}": "{_digest(text)}"}}'.encode()


def _checksum(value: dict[str, Any]) -> str:
    """The same for an object however its JSON is laid out."""
    return _digest(json.dumps(value, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, whole or not at all. Raises StorageError."""
    write_file(path, to_json_bytes(value, 1) + b"\n")
