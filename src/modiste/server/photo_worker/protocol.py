"""Frames of plain bytes between the server and the process that reads photos: a small JSON object, then some bytes.

Nothing on it can run anything (no pickle), and neither side takes more than it has said it will.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO, cast

MAX_HEADER_BYTES = 8192
"""What the JSON object may take."""

_LENGTH_BYTES = 4  # bytes of the number before each frame: how long its JSON object is


def send(stream: BinaryIO, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one frame. Raises ConnectionError where nobody reads any more."""
    said = json.dumps(header | {"bytes": len(body)}).encode("ascii")
    try:
        stream.write(len(said).to_bytes(_LENGTH_BYTES, "big") + said)
        stream.write(body)
        stream.flush()
    except (OSError, ValueError) as error:
        raise ConnectionError("broken off") from error


def receive(stream: BinaryIO, max_bytes: int) -> tuple[dict[str, Any], bytes]:
    """The next frame, its body at most so many bytes. Raises
    ConnectionError where there is none, or another than allowed."""
    length = int.from_bytes(_read_exactly(stream, _LENGTH_BYTES), "big")
    if length > MAX_HEADER_BYTES:
        raise ConnectionError("not a frame")
    try:
        header: Any = json.loads(_read_exactly(stream, length))
    except (ValueError, RecursionError) as error:
        raise ConnectionError("broken off") from error
    held = cast("dict[str, Any]", header) if isinstance(header, dict) else {}
    size = held.get("bytes")
    if type(size) is not int or not 0 <= size <= max_bytes:
        raise ConnectionError("not a frame")
    return held, _read_exactly(stream, size)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    try:
        found = stream.read(count)
    except (OSError, ValueError) as error:
        raise ConnectionError("broken off") from error
    if len(found) != count:
        raise ConnectionError("not a frame")
    return found
