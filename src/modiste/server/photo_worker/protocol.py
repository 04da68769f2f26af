"""Messages between the server and the photo worker: a small JSON object, then bytes.

Reading them runs no code (there is no pickle), and each side bounds how many bytes it accepts.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO, cast

MAX_HEADER_BYTES = 8192
"""Maximum size of the JSON object."""

_LENGTH_BYTES = 4  # of the number before each message: the size of its JSON object


def send(stream: BinaryIO, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one message. Raises ConnectionError if the other side is gone."""
    encoded = json.dumps(header | {"bytes": len(body)}).encode("ascii")
    try:
        stream.write(len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded)
        stream.write(body)
        stream.flush()
    except (OSError, ValueError) as error:
        raise ConnectionError("connection lost") from error


def receive(stream: BinaryIO, max_bytes: int) -> tuple[dict[str, Any], bytes]:
    """Read one message, its body at most `max_bytes`. Raises ConnectionError if there is none, or an invalid one."""
    length = int.from_bytes(_read_exactly(stream, _LENGTH_BYTES), "big")
    if length > MAX_HEADER_BYTES:
        raise ConnectionError("invalid message")
    try:
        header: Any = json.loads(_read_exactly(stream, length))
    except (ValueError, RecursionError) as error:
        raise ConnectionError("connection lost") from error
    fields = cast("dict[str, Any]", header) if isinstance(header, dict) else {}
    size = fields.get("bytes")
    if type(size) is not int or not 0 <= size <= max_bytes:
        raise ConnectionError("invalid message")
    return fields, _read_exactly(stream, size)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    try:
        data = stream.read(count)
    except (OSError, ValueError) as error:
        raise ConnectionError("connection lost") from error
    if len(data) != count:
        raise ConnectionError("invalid message")
    return data
