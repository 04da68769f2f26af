"""Checks of photo files that Pillow does not make, or makes only after it has allocated memory.

All of them read the file's bytes alone; nothing decodes pixels.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from zlib import crc32

HEADER_BYTES = 30
"""Bytes at the start of a PNG or WebP that tell its size."""

MAX_TEXT_BYTES = 4 * 2**20
"""Unpacked bytes of all packed texts of a PNG. As Python strings they take up to four times as much."""

MAX_SCANS = 100
"""Programs make ten at most. A pass takes ten bytes of the file, and as long as the photo is large."""

_NEXT_MARKER = re.compile(
    rb"\xff[\x01-\xcf\xd8-\xfe]"
)  # after a pass: not an escaped 0xFF, a restart or a filling
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_STANDALONE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # markers without a length


def announced_size(header: bytes) -> tuple[int, int] | None:
    """Return the (width, height) that the first `HEADER_BYTES` of a PNG or WebP announce; None for all other files.

    Pillow opens a WebP by allocating its canvas, and unpacks the texts of a PNG, before it tells the size.
    """
    if header.startswith(b"\x89PNG\r\n\x1a\n") and header[12:16] == b"IHDR" and len(header) >= 24:
        return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
    if header[:4] != b"RIFF" or header[8:12] != b"WEBP" or len(header) < HEADER_BYTES:
        return None
    kind = header[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(header[24:27], "little"), 1 + int.from_bytes(header[27:30], "little")
    if kind == b"VP8L" and header[20] == 0x2F:
        bits = int.from_bytes(header[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and header[23:26] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
        return width & 0x3FFF, height & 0x3FFF
    return None


def packed_text_bytes(data: bytes) -> int:
    """Return the unpacked size of all packed texts of a PNG (zTXt, iTXt), counted up to just over `MAX_TEXT_BYTES`."""
    total = 0
    for kind, start, end in _chunks(data):
        if kind == b"zTXt":  # keyword, 0, method, text
            before = data.find(b"\0", start, end)
            packed = before + 2
        elif kind == b"iTXt":  # keyword, 0, whether packed, method, language, 0, translated keyword, 0, text
            keyword = data.find(b"\0", start, end)
            if keyword < 0 or data[keyword + 1 : keyword + 2] == b"\0":
                continue
            language = data.find(b"\0", keyword + 3, end)
            before = -1 if language < 0 else data.find(b"\0", language + 1, end)
            packed = before + 1
        else:
            continue
        if before < 0:  # no text
            continue
        try:
            text = zlib.decompressobj().decompress(data[packed:end], MAX_TEXT_BYTES - total + 1)
        except zlib.error:  # Pillow refuses or skips it
            continue
        total += len(text)
        if total > MAX_TEXT_BYTES:
            break
    return total


def count_jpeg_scans(data: bytes) -> int:
    """The number of passes of a JPEG (its scans), up to its end or the first thing that is none of JPEG's."""
    count, at = 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _END_OF_IMAGE:
            break
        if marker == 0xFF or marker in _STANDALONE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            count += 1
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                break
            at = found.start()
    return count


def has_valid_png_checksums(data: bytes) -> bool:
    """Whether the checksums of a PNG's pixels, the chunks IDAT, are right, as far as the file goes."""
    view, seen = memoryview(data), False
    for kind, start, end in _chunks(data):
        if kind == b"IDAT":
            seen = True
            if crc32(view[start - 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
                return False
        elif seen:  # the pixels are in one piece; other frames and texts do not matter
            break
    return True


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk of a PNG, and where its content starts and ends."""
    at = 8
    while at + 12 <= len(data):
        start = at + 8
        end = start + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : start], start, end
        at = end + 4
