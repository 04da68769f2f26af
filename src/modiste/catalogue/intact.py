"""What Pillow does not look at: how often a JPEG goes over its own pixels, and whether a PNG's are as written.

Both are told from the file, before anything is decoded.
"""

from __future__ import annotations

import re
from zlib import crc32

MAX_PASSES = 100
"""Programs make ten at most. A pass takes ten bytes of the file, and as long as the photo is large."""

_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # after a pass: not an escaped 0xFF, a restart or a filling
_SCAN, _END = 0xDA, 0xD9
_LONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length


def passes_of(data: bytes) -> int:
    """The number of passes of a JPEG (its scans), up to its end or the first thing that is none of JPEG's."""
    count, at = 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _END:
            break
        if marker == 0xFF or marker in _LONE:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            count += 1
            found = _NEXT.search(data, at)
            if found is None:
                break
            at = found.start()
    return count


def is_as_written(data: bytes) -> bool:
    """Whether the checksums of a PNG's pixels, the chunks IDAT, are right, as far as the file goes."""
    at, seen, view = 8, False, memoryview(data)
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 8 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IDAT":
            seen = True
            if crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
                return False
        elif seen:  # the pixels are in one piece; other frames and texts do not matter
            break
        at = end + 4
    return True
