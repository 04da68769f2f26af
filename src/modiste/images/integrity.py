"""Checks of photo files that Pillow does not make, or makes only after it has allocated memory.

They read the file's bytes only; nothing decodes pixels.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from zlib import crc32

HEADER_BYTES = 30
"""Bytes at the start of a PNG or WebP that contain its size."""

MAX_TEXT_BYTES = 4 * 2**20
"""Decompressed bytes of all compressed texts of a PNG. As Python strings they take up to four times as much."""

MAX_SCANS = 100
"""Encoders write ten at most. A scan may take ten bytes in the file and as long to decode as the photo is large."""

_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not an escaped 0xFF, a restart or a fill byte
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_STANDALONE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # markers without a length


def announced_size(header: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the first `HEADER_BYTES` of a PNG or WebP; None for all other files.

    Pillow opens a WebP by allocating its canvas, and decompresses the texts of a PNG, before it gives the size.
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


def compressed_text_bytes(data: bytes) -> int:
    """Return the decompressed size of a PNG's compressed texts (zTXt, iTXt), up to just over `MAX_TEXT_BYTES`."""
    total = 0
    for kind, start, end in _chunks(data):
        if kind == b"zTXt":  # keyword, 0, method, text
            before = data.find(b"\0", start, end)
            packed = before + 2
        elif kind == b"iTXt":  # keyword, 0, compressed, method, language, 0, translated keyword, 0, text
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
        except zlib.error:  # Pillow rejects or skips it
            continue
        total += len(text)
        if total > MAX_TEXT_BYTES:
            break
    return total


def count_jpeg_scans(data: bytes) -> int:
    """Count the scans of a JPEG, up to its end or the first byte that is not part of a JPEG."""
    count, position = 0, 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == _END_OF_IMAGE:
            break
        if marker == 0xFF or marker in _STANDALONE_MARKERS:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == _START_OF_SCAN:
            count += 1
            match = _NEXT_MARKER.search(data, position)
            if match is None:
                break
            position = match.start()
    return count


def has_valid_png_checksums(data: bytes) -> bool:
    """Return whether the checksums of a PNG's IDAT chunks are right, up to the end of the file."""
    view, in_pixels = memoryview(data), False
    for kind, start, end in _chunks(data):
        if kind == b"IDAT":
            in_pixels = True
            if crc32(view[start - 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
                return False
        elif in_pixels:  # the IDAT chunks are consecutive; other chunks do not matter
            break
    return True


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk of a PNG, and where its content starts and ends."""
    position = 8
    while position + 12 <= len(data):
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : start], start, end
        position = end + 4
