"""Bad photos, generated here, with their expected result: pixels, or the reason of the rejection."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image

RED = (200, 30, 60)


@dataclass(frozen=True)
class Bad:
    """A file and its expected result: pixels of a size and colour, or the reason of the rejection."""

    data: bytes
    size: tuple[int, int] | None = None  # (height, width)
    colour: tuple[int, int, int] | None = None
    reason: str = ""


def written(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes, depth: int = 8, colour: int = 2, extra: bytes = b"") -> bytes:
    """Return a PNG built by hand: compressed `pixels`, `extra` chunks before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def jpeg_with_scans(side: int, passes: int) -> bytes:
    """Return a progressive JPEG with many scans over all its pixels: small, and slow to decode."""
    data = written(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * passes + data[-2:]


def _of_many_scans(side: int, count: int) -> bytes:
    """Return a sequential JPEG of `count` scans, each a pass over one colour in ten bytes."""
    data = written(Image.new("RGB", (side, side), RED), "JPEG", subsampling=0)
    head = data[: data.index(b"\xff\xda")]
    scans = [b"\xff\xda\0\x08\x01" + bytes([1 + n % 3, 0 if n % 3 == 0 else 0x11, 0, 63, 0]) for n in range(count)]
    return head + b"".join(scans) + b"\xff\xd9"


def _announcing(size: tuple[int, int], **options: object) -> bytes:
    """Return a small JPEG whose header announces a (width, height)."""
    data = written(Image.new("RGB", (8, 8), RED), "JPEG", **options)
    at = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", *reversed(size)) + data[at + 4 :]


@cache
def zoo() -> dict[str, Bad]:
    """Return the photos, by name."""
    return {**_bombs(), **_odd_files(), **_odd_pixels(), **_others()}


def _bombs() -> dict[str, Bad]:
    row = b"\0" + bytes(RED) * 8
    pixels = zlib.compress(row * 8)
    packed = zlib.compress(bytes(200 * 2**20), 9)
    many = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 200
    canvas = struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff" * 6
    # A megabyte each; as a Python string, four.
    texts = b"".join(
        chunk(b"iTXt", b"%d\0\1\0\0\0" % n + zlib.compress("😀".encode() + bytes(1_000_000))) for n in range(60)
    )
    large = (13_000, 13_000)
    lossless = written(Image.new("RGB", (8, 8), RED), "WEBP", lossless=True)
    lossy = written(Image.new("RGB", (8, 8), RED), "WEBP")
    at = lossy.index(b"\x9d\x01\x2a") + 3
    size = struct.pack("<I", (large[0] - 1) | (large[1] - 1) << 14)
    return {
        "png of 169 megapixels and 60 texts": Bad(png(*large, pixels, extra=texts), reason="too_large"),
        "png of 60 texts": Bad(png(8, 8, pixels, extra=texts), reason="too_large"),
        "png of 60 texts after its pixels": Bad(
            png(8, 8, pixels)[:-12] + texts + chunk(b"IEND", b""), reason="too_large"
        ),
        "jpeg of 169 megapixels": Bad(_announcing(large), reason="too_large"),
        "progressive jpeg of 169 megapixels": Bad(_announcing(large, progressive=True), reason="too_large"),
        "lossless webp of 169 megapixels": Bad(lossless[:21] + size + lossless[25:], reason="too_large"),
        "lossy webp of 169 megapixels": Bad(
            lossy[:at] + struct.pack("<HH", *large) + lossy[at + 4 :], reason="too_large"
        ),
        "webp of 169 megapixels": Bad(
            b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + canvas[:8] + 2 * (12_999).to_bytes(3, "little"),
            reason="too_large",
        ),
        "jpeg of 3000 scans": Bad(_of_many_scans(4000, 3000), reason="too_slow"),
        "png of 169 megapixels in 20 kB": Bad(written(Image.new("1", (13_000, 13_000))), reason="too_large"),
        "png of 4 billion squared": Bad(png(2**31 - 1, 2**31 - 1, pixels), reason="too_large"),
        "png of no width": Bad(png(0, 8, pixels), reason="truncated"),
        "webp of 281 terapixels": Bad(b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + canvas, reason="too_large"),
        "pixels that unpack to 200 MB": Bad(png(8, 8, packed), (8, 8), (0, 0, 0)),
        "zTXt bomb": Bad(png(8, 8, pixels, extra=chunk(b"zTXt", b"a\0\0" + packed)), reason="too_large"),
        "iTXt bomb": Bad(png(8, 8, pixels, extra=chunk(b"iTXt", b"a\0\1\0\0\0" + packed)), reason="too_large"),
        "iCCP bomb": Bad(png(8, 8, pixels, extra=chunk(b"iCCP", b"a\0\0" + packed)), reason="too_large"),
        "many zTXt": Bad(png(8, 8, pixels, extra=many), reason="too_large"),
        "thousands of tEXt": Bad(png(8, 8, pixels, extra=chunk(b"tEXt", b"a\0" + b"x" * 1000) * 4000), (8, 8), RED),
        "eXIf of 4 MB": Bad(png(8, 8, pixels, extra=chunk(b"eXIf", bytes(4_000_000))), (8, 8), RED),
        "jpeg of 1001 passes": Bad(jpeg_with_scans(4000, 1000), reason="too_slow"),
    }


def _odd_files() -> dict[str, Bad]:
    plain = Image.new("RGB", (40, 64), RED)
    jpeg, png_, webp = written(plain, "JPEG", quality=95), written(plain), written(plain, "WEBP", quality=95)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.html", "<script>alert(1)</script>")
    exif = (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 60
    scan, tables = jpeg.index(b"\xff\xda") + 14, jpeg.index(b"\xff\xc4") + 5
    spoilt = bytearray(jpeg)
    spoilt[tables : tables + 20] = b"\xff" * 20
    size = jpeg.index(b"\xff\xc0") + 5
    frames = [Image.new("RGB", (1500, 1500), (n, 0, 0)) for n in (200, 1, 2, 3)]
    animated = {"save_all": True, "append_images": frames[1:], "lossless": True, "method": 0}
    return {
        "jpeg and then zip": Bad(jpeg + archive.getvalue(), (64, 40), RED),
        "jpeg and then html": Bad(jpeg + b"<html><script>alert(1)</script>", (64, 40), RED),
        "png and then html": Bad(png_ + b"<html><script>alert(1)</script>", (64, 40), RED),
        "html and then jpeg": Bad(b"<html>" + jpeg, reason="not_a_photo"),
        "jpeg without its end": Bad(jpeg[:-40], reason="truncated"),
        "png without its end": Bad(png_[: len(png_) // 2], reason="truncated"),
        "webp without its end": Bad(webp[:-10], reason="truncated"),
        "jpeg with spoilt tables": Bad(bytes(spoilt), reason="truncated"),
        "jpeg with nothing after its head": Bad(jpeg[:scan], reason="truncated"),
        "jpeg of no height": Bad(jpeg[:size] + b"\0\0" + jpeg[size + 2 :], reason="truncated"),
        "jpeg with 4 MB of exif": Bad(jpeg[:2] + exif + jpeg[2:], (64, 40), RED),
        "jpeg with 2 MB of colour profile": Bad(
            written(plain, "JPEG", quality=95, icc_profile=bytes(2_000_000)), (64, 40), RED
        ),
        "jpeg that says it holds others": Bad(
            jpeg[:2] + b"\xff\xe2\0\x10MPF\0II*\0\x08\0\0\0\0\0" + jpeg[2:], (64, 40), RED
        ),
        "png whose pixels were changed": Bad(
            png_.replace(png_[60:62], bytes([png_[60] ^ 1, png_[61]]), 1), reason="truncated"
        ),
        "animated webp": Bad(written(frames[0], "WEBP", **animated), (1500, 1500), (200, 0, 0)),
        "animated png": Bad(written(frames[0], save_all=True, append_images=frames[1:]), (1500, 1500), (200, 0, 0)),
        "nothing": Bad(b"", reason="not_a_photo"),
        "three bytes": Bad(b"\xff\xd8\xff", reason="truncated"),
        "a megabyte of nothing": Bad(bytes(1_000_000), reason="not_a_photo"),
    }


def _odd_pixels() -> dict[str, Bad]:
    cmyk = written(Image.new("CMYK", (24, 32), (0, 255, 255, 0)), "JPEG", quality=95)  # Adobe's, inverted
    at = cmyk.index(b"\xff\xee")
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([9, 9, 9, *RED])
    clear = palette.copy()
    clear.paste(0, (0, 0, 8, 8))
    deep = struct.pack(">H", 0x8000)
    photos = {
        "adobe's cmyk jpeg": Bad(cmyk, (32, 24), (255, 0, 0)),
        "cmyk jpeg that does not say adobe": Bad(cmyk[:at] + cmyk[at + 16 :], (32, 24), (255, 0, 0)),
        "progressive jpeg": Bad(
            written(Image.new("RGB", (40, 64), RED), "JPEG", quality=95, progressive=True), (64, 40), RED
        ),
        "png of 16 bits, grey": Bad(
            written(Image.fromarray(np.full((5, 4), 0x8000, np.uint16))), (5, 4), (128, 128, 128)
        ),
        "png of 16 bits, colour": Bad(png(1, 1, zlib.compress(b"\0" + 3 * deep), 16, 2), (1, 1), (128, 128, 128)),
        "png of 16 bits, half transparent": Bad(
            png(1, 1, zlib.compress(b"\0\0\0\0\0\0\0" + deep), 16, 6), (1, 1), (127, 127, 127)
        ),
        "png of 16 bits, its grey transparent": Bad(
            png(1, 1, zlib.compress(b"\0" + deep), 16, 0, chunk(b"tRNS", deep)), (1, 1), (255, 255, 255)
        ),
        "palette": Bad(written(palette, transparency=0), (8, 8), RED),
        "palette, all of it transparent": Bad(written(clear, transparency=0), (8, 8), (255, 255, 255)),
        "one bit": Bad(written(Image.new("1", (9, 7), 1)), (7, 9), (255, 255, 255)),
        "one pixel": Bad(written(Image.new("RGB", (1, 1), RED)), (1, 1), RED),
    }
    for kind in ("JPEG", "PNG"):
        for width, height in ((1, 20_000), (20_000, 1)):
            image = Image.new("RGB", (width, height), RED)
            options = {"quality": 95} if kind == "JPEG" else {}
            photos[f"{kind} of {width} x {height}"] = Bad(written(image, kind, **options), (height, width), RED)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        size = (64, 40) if orientation < 5 else (40, 64)
        data = written(Image.new("RGB", (40, 64), RED), "JPEG", quality=95, exif=exif.tobytes())
        photos[f"orientation {orientation}"] = Bad(data, size, RED)
    return photos


def _others() -> dict[str, Bad]:
    image = Image.new("RGB", (32, 32), RED)
    kinds = ("GIF", "TIFF", "BMP", "ICO", "PPM", "PDF", "EPS", "TGA", "JPEG2000", "AVIF")
    files = {kind: written(image, kind) for kind in kinds}
    files["SVG"] = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    files["HEIC"] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)
    files["ZIP"] = b"PK\x03\x04" + bytes(99)
    files["GIF with a jpeg in it"] = b"GIF89a" + written(image, "JPEG")
    return {name: Bad(data, reason="not_a_photo") for name, data in files.items()}
