"""Decode, fit and encode photos.

This is the only place where Pillow decodes, so a photo gives the same pixels whether it is ingested, uploaded to the
studio or passed to `Shop.encode`.
"""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from modiste.errors import PhotoError
from modiste.images import integrity

Photo: TypeAlias = npt.NDArray[np.uint8]
"""A photo: uint8 `(h, w, 3)`, RGB."""

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 20_000_000
"""Checked against the header: a 20 kB PNG can announce 0.8 GB of pixels."""

WHITE_LEVEL = 235
WHITE_SHARE = 0.7

_ORIENTATION_TAG = 0x0112
_TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_warnings_lock = Lock()  # catch_warnings changes the whole process: one thread at a time
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT_REMEDY = "Save it again without text chunks and colour profile."
_REMEDY = f"Give a JPEG, PNG or WebP of at most {MAX_PIXELS // 1_000_000} megapixels."


def read_photo(data: bytes | Path, *, min_size: tuple[int, int] | None = None) -> Photo:
    """Decode an image file to uint8 `(h, w, 3)` RGB, upright.

    Only the first frame is read. EXIF orientation is applied; transparency is composited on white; greyscale, palette,
    CMYK and 16-bit files become 8-bit RGB.

    Args:
        data: the file's bytes or path.
        min_size: (height, width). A JPEG far larger than this is decoded at a half, a quarter or an eighth of its size,
            never below `min_size`: much faster for a photo that is fitted to a small frame afterwards.

    Raises:
        PhotoError: `reason` is `missing_photo`, `unreadable`, `not_a_photo`, `too_large`, `too_slow` or `truncated`.
    """
    name = f"{data}" if isinstance(data, Path) else f"The photo ({len(data)} bytes)"
    try:
        _check_header(data, name)
        with _open(data) as image:
            _check_size(image.size, name)
            _check_file(image, data, name)
            orientation = _orientation(image)
            if min_size is not None:
                height, width = min_size if orientation < 5 else min_size[::-1]
                image.draft(None, (width, height))
            image.load()
            return _to_rgb(image, orientation)
    except (PhotoError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise PhotoError(f"{name} is over 20 megapixels.", remedy=_REMEDY, reason="too_large") from None
    except FileNotFoundError:
        raise PhotoError(f"{name} does not exist.", remedy=_REMEDY, reason="missing_photo") from None
    except UnidentifiedImageError:
        if _has_photo_signature(data):
            raise PhotoError(f"{name} is damaged or cut short.", remedy=_REMEDY, reason="truncated") from None
        raise PhotoError(f"{name} is not a JPEG, PNG or WebP.", remedy=_REMEDY, reason="not_a_photo") from None
    except Exception as error:  # Pillow's parsers raise almost any type on damaged or hostile files
        raise _damaged_error(error, name) from error


def decode_jpeg(data: bytes) -> Photo:
    """Decode a JPEG that `to_jpeg` wrote to uint8 `(h, w, 3)`; the fast way back from the store.

    Raises PhotoError with `reason` `truncated` if the bytes are damaged, `too_large` if it has too many pixels.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG",)) as image:
            _check_size(image.size, f"A stored photo ({len(data)} bytes)")
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise PhotoError(
            f"A stored photo ({len(data)} bytes) is damaged: {error}.",
            remedy="Run `modiste ingest` again.",
            reason="truncated",
        ) from error


def fit_photo(photo: Photo, frame: tuple[int, int]) -> Photo:
    """Fit a photo, uint8 `(h, w, 3)`, onto a frame of (height, width) = `(H, W)`: uint8 `(H, W, 3)`.

    The photo is scaled to the largest size that fits, never stretched, and centred; the rest of the frame has the
    photo's own background colour. Lanczos resampling, whose support grows with the reduction (no aliasing).

    Raises PhotoError (`not_a_photo`) if the array is not a photo, ValueError if the frame is empty.
    """
    check_photo(photo)
    height, width = frame
    if height < 1 or width < 1:
        raise ValueError(f"A frame is at least 1 pixel high and wide, not {height} × {width}.")
    h, w = photo.shape[:2]
    if (h, w) == (height, width):
        return photo.copy()
    scale = min(height / h, width / w)
    new_h = min(height, max(1, round(h * scale)))
    new_w = min(width, max(1, round(w * scale)))
    image = Image.fromarray(np.ascontiguousarray(photo))
    # a large photo is first box-averaged to three times the target: as good and much faster
    fitted = np.array(image.resize((new_w, new_h), Image.Resampling.LANCZOS, reducing_gap=3.0))
    if fitted.shape[:2] == (height, width):
        return fitted
    framed = np.empty((height, width, 3), dtype=np.uint8)
    framed[:] = background_colour(photo)
    top, left = (height - new_h) // 2, (width - new_w) // 2
    framed[top : top + new_h, left : left + new_w] = fitted
    return framed


def background_colour(photo: Photo) -> Photo:
    """Return the photo's own background colour, uint8 `(3,)`: the median of a narrow border, channel by channel."""
    return np.median(_border_pixels(photo), axis=0).astype(np.uint8)


def is_white_background(photo: Photo) -> bool:
    """Return whether the product stands on white: most of the border is (nearly) white.

    A part of the border may differ, since a product may touch an edge or cast a shadow onto one.
    """
    white = (_border_pixels(photo) >= WHITE_LEVEL).all(axis=1)
    return bool(white.mean() >= WHITE_SHARE)


def to_jpeg(photo: Photo, quality: int = 92, xmp: bytes = b"") -> bytes:
    """Encode a photo, uint8 `(h, w, 3)`, as JPEG. From quality 90 up colour keeps its full resolution (4:4:4)."""
    return _encode(photo, "JPEG", xmp, quality=quality, subsampling=0 if quality >= 90 else 2)


def to_png(photo: Photo, xmp: bytes = b"") -> bytes:
    """Encode a photo, uint8 `(h, w, 3)`, as PNG: lossless, for export."""
    return _encode(photo, "PNG", xmp)


def to_webp(photo: Photo, quality: int = 80, xmp: bytes = b"") -> bytes:
    """Encode a photo, uint8 `(h, w, 3)`, as WebP: the smallest, for thumbnails that are encoded once."""
    return _encode(photo, "WEBP", xmp, quality=quality)


def xmp_options(format: str, xmp: bytes) -> dict[str, Any]:
    """Return the options by which Pillow saves an image of a format with XMP metadata."""
    if not xmp:
        return {}
    if format != "PNG":
        return {"xmp": xmp}
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return {"pnginfo": chunks}


def photo_hash(photo: Photo) -> str:
    """Return the SHA-256 of shape and pixels, in hexadecimal: the same for equal pixels, however they were stored."""
    check_photo(photo)
    digest = hashlib.sha256(f"{photo.shape[0]}x{photo.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(photo).data)
    return digest.hexdigest()


def check_photo(photo: Photo) -> None:
    """Raise PhotoError (reason `not_a_photo`) unless the array is uint8 `(h, w, 3)` with h, w ≥ 1."""
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
        raise PhotoError(
            f"An array of {photo.dtype} {photo.shape} is not a photo.",
            remedy="Give uint8 (height, width, 3), RGB, values 0 to 255.",
            reason="not_a_photo",
        )


def _check_header(data: bytes | Path, name: str) -> None:
    """Reject a file for which Pillow would allocate too much memory on opening."""
    start = _start_of(data, integrity.HEADER_BYTES)
    # None for a JPEG, of which Pillow reads only the header, and for what is not a photo.
    if (size := integrity.announced_size(start)) is not None:
        _check_size(size, name)
    if start.startswith(_PNG) and integrity.compressed_text_bytes(_bytes_of(data)) > integrity.MAX_TEXT_BYTES:
        raise PhotoError(
            f"{name} has over {integrity.MAX_TEXT_BYTES // 2**20} megabytes of compressed text.",
            remedy=_TEXT_REMEDY,
            reason="too_large",
        )


def _open(data: bytes | Path) -> Image.Image:
    """Open an image; Pillow reads only its header."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged metadata and rejected sizes
        return Image.open(data if isinstance(data, Path) else BytesIO(data), formats=FORMATS)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"{name} has {width} × {height} pixels, over {MAX_PIXELS // 1_000_000} megapixels.",
            remedy=_REMEDY,
            reason="too_large",
        )


def _check_file(image: Image.Image, data: bytes | Path, name: str) -> None:
    """Reject a file that Pillow decodes without noticing the damage, or far too slowly."""
    if image.format == "PNG":
        if not integrity.has_valid_png_checksums(_bytes_of(data)):
            raise PhotoError(f"{name} is damaged or cut short.", remedy=_REMEDY, reason="truncated")
    elif image.format != "WEBP" and (scans := integrity.count_jpeg_scans(_bytes_of(data))) > integrity.MAX_SCANS:
        raise PhotoError(
            f"{name} is a JPEG of {scans:,} scans; {integrity.MAX_SCANS} are allowed.",
            remedy="Save it again as a plain JPEG.",
            reason="too_slow",
        )


def _damaged_error(error: Exception, name: str) -> PhotoError:
    """Return the error for a file that Pillow failed to decode."""
    if isinstance(error, ValueError) and "MAX_TEXT" in str(error):  # one text or colour profile of a PNG
        return PhotoError(f"{name} has over a megabyte of compressed text.", remedy=_TEXT_REMEDY, reason="too_large")
    unread = isinstance(error, OSError) and error.errno is not None
    reason = "unreadable" if unread else "truncated"
    return PhotoError(f"{name} cannot be read: {error}.", remedy=_REMEDY, reason=reason)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing or cannot be read.

    Pillow decodes a PNG to find it, because it may follow the pixels: check the file first.
    """
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata
            orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF is common, raises anything, and is no reason to lose the product
        return 1
    return orientation if orientation in _TRANSPOSE_BY_ORIENTATION else 1


def _to_rgb(image: Image.Image, orientation: int) -> Photo:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow would clip it to 255 instead of scaling it
        deep = np.asarray(image)
        grey = (deep >> 8).clip(0, 255).astype(np.uint8)
        if (clear := image.info.get("transparency")) is not None:
            grey[deep == clear] = 255
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if orientation in _TRANSPOSE_BY_ORIENTATION:
        image = image.transpose(_TRANSPOSE_BY_ORIENTATION[orientation])
    return np.array(image)


def _border_pixels(photo: Photo) -> Photo:
    """Return the pixels along the four edges, uint8 `(m, 3)`; deeper than one pixel, to see past an outline."""
    check_photo(photo)
    h, w = photo.shape[:2]
    ring = max(1, min(h, w) // 40)
    sides = (photo[:ring], photo[-ring:], photo[ring:-ring, :ring], photo[ring:-ring, -ring:])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _has_photo_signature(data: bytes | Path) -> bool:
    start = _start_of(data, 12)
    webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return webp or start.startswith((b"\xff\xd8\xff", _PNG))


def _start_of(data: bytes | Path, count: int) -> bytes:
    """Return the first `count` bytes of a file, fewer if it is shorter."""
    if isinstance(data, bytes):
        return data[:count]
    with data.open("rb") as file:
        return file.read(count)


def _bytes_of(data: bytes | Path) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()


def _encode(photo: Photo, format: str, xmp: bytes, **options: int) -> bytes:
    check_photo(photo)
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(photo)).save(buffer, format, **options, **xmp_options(format, xmp))
    return buffer.getvalue()
