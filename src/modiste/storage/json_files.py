"""JSON files with an embedded checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from modiste.errors import permission_denied
from modiste.storage.atomic import write_file
from modiste.storage.checksums import json_checksum, object_checksum

CHECKSUM_KEY = "seal"  # the name under which a JSON object holds the checksum of the rest


def with_checksum(value: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object with its own checksum in it."""
    return value | {CHECKSUM_KEY: object_checksum(value)}


def verify_checksum(value: Any) -> Any:
    """Return a JSON value without its checksum, after checking it; a value without a checksum is returned unchanged.

    Raises ValueError if the checksum does not match: a bit has changed, or somebody has edited the file.
    """
    if not isinstance(value, dict) or CHECKSUM_KEY not in value:
        return value
    rest = dict(cast("dict[str, Any]", value))
    if rest.pop(CHECKSUM_KEY) != object_checksum(rest):
        raise ValueError(f"its checksum does not match (to edit it by hand, remove its {CHECKSUM_KEY!r})")
    return rest


def read_json(path: Path) -> Any:
    """Read one of our JSON files, verify its checksum and remove it.

    Raises:
        StorageError: the file is not readable by this user.
        OSError: the file cannot be read.
        ValueError: the file is damaged.
    """
    try:
        return verify_checksum(json.loads(path.read_text(encoding="utf-8")))
    except PermissionError:
        raise permission_denied(path) from None
    except RecursionError:
        raise ValueError("its lists or objects are nested too deep") from None


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, atomically. Raises StorageError."""
    write_file(path, to_json_bytes(value, 1) + b"\n")


def to_json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Encode a value as JSON in UTF-8; lone surrogates, such as in file names that are not UTF-8, are escaped."""
    # Python's escape of a lone surrogate is also JSON's.
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")


def to_checked_json_bytes(value: dict[str, Any]) -> bytes:
    """Encode a large, non-empty object as JSON with its checksum, in one pass."""
    text = json.dumps(value, sort_keys=True)
    return f'{text[:-1]}, "{CHECKSUM_KEY}": "{json_checksum(text)}"}}'.encode()
