"""Drawn pictures carry a mark where each format's standard says it is; product photos carry none."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from modiste import __version__
from modiste.drawing.xmp import VOCABULARY, xmp_packet
from modiste.images.photo import to_jpeg, to_png, to_webp

PICTURE = np.full((24, 18, 3), 200, np.uint8)
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
TOOL = "{http://ns.adobe.com/xap/1.0/}CreatorTool"


def jpeg_xmp(data: bytes) -> bytes:
    """Return the XMP of a JPEG: the segment APP1 with Adobe's name (XMP specification, part 3, 1.1.3)."""
    name, at = b"http://ns.adobe.com/xap/1.0/\0", 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        content = data[at + 4 : at + 2 + length]
        if data[at + 1] == 0xE1 and content.startswith(name):
            return content.removeprefix(name)
        at += 2 + length
    return b""


def png_xmp(data: bytes) -> bytes:
    """Return the XMP of a PNG: the chunk iTXt with the keyword (XMP specification, part 3, 1.1.5)."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        content, checksum = data[at + 4 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        assert struct.unpack(">I", checksum)[0] == zlib.crc32(content)
        start = b"iTXtXML:com.adobe.xmp\0\0\0\0\0"
        if content.startswith(start):
            return content.removeprefix(start)
        at += 12 + length
    return b""


def webp_xmp(data: bytes) -> bytes:
    """Return the XMP of a WebP: the chunk "XMP " of its RIFF container."""
    at = 12
    while at < len(data):
        (length,) = struct.unpack("<I", data[at + 4 : at + 8])
        if data[at : at + 4] == b"XMP ":
            return data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return b""


FORMATS = {"JPEG": (to_jpeg, jpeg_xmp), "PNG": (to_png, png_xmp), "WebP": (to_webp, webp_xmp)}


def attributes(xmp: bytes) -> dict[str, str]:
    """Return the attributes of an XMP packet's description."""
    root = ElementTree.fromstring(xmp.decode())
    return dict(next(root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")).attrib)


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize(
    ("has_details", "source"), [(False, "trainedAlgorithmicMedia"), (True, "compositeWithTrainedAlgorithmicMedia")]
)
def test_mark_is_where_the_format_has_it(format: str, has_details: bool, source: str) -> None:
    write: Callable[..., bytes] = FORMATS[format][0]
    read = FORMATS[format][1]
    marked = write(PICTURE, xmp=xmp_packet("0123456789ab", has_details=has_details))
    found = attributes(read(marked))
    assert found[IPTC] == VOCABULARY + source
    assert found[TOOL] == f"Modiste {__version__}"
    assert "0123456789ab" in found.values()
    assert len(marked) - len(write(PICTURE)) < 1000
    assert read(write(PICTURE)) == b""
