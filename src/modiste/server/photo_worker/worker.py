"""The subprocess that decodes untrusted photos: little memory, no open files, no secrets.

The client starts it and sends it photos through a pipe, which is all that it has of the server; it ends with the pipe.
So a hostile file that takes over a decoder gains neither the server's memory nor its time nor its keys.
"""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from modiste.errors import PhotoError
from modiste.images.photo import FORMATS, Photo, fit_photo, read_photo
from modiste.isolation import limit_resources
from modiste.server.photo_worker.protocol import receive, send

MEMORY_BYTES = 768 * 2**20
"""Limit of the address space, which is what a system can limit. 150 MB are in use before the first photo, and a WebP of
20 megapixels with transparency, which needs most, takes 500 MB."""

PHOTO_SECONDS = 8
"""CPU time for one photo. Twenty megapixels take about one second; as a JPEG of a thousand scans, minutes."""

DETAIL_FACTOR = 4
"""Multiple of the frame's height and width: a product that fills a quarter of its photo keeps its detail."""

MAX_MESSAGE_CHARS = 1000


def max_pixels(frame: Sequence[int]) -> int:
    """Return how many pixels a decoded photo has at most; cutouts are no finer."""
    return DETAIL_FACTOR**2 * frame[0] * frame[1]


def read_bounded_photo(data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
    """Decode an uploaded file to uint8 `(h, w, 3)`.

    With `cut`, it has at most `max_pixels(frame)` pixels, enough to cut the product out; otherwise it is fitted to the
    frame, (height, width), which gives the pixels that the shop would store. Raises PhotoError as `read_photo`, and
    `too_large` if the memory does not suffice.
    """
    try:
        if not cut:
            return fit_photo(read_photo(data), frame)
        height, width = frame
        return _downscale(read_photo(data, min_size=(DETAIL_FACTOR * height, DETAIL_FACTOR * width)), max_pixels(frame))
    except MemoryError:
        raise PhotoError(
            f"Decoding the photo ({len(data)} bytes) needs too much memory.",
            remedy="Save it again as a plain JPEG of at most 20 megapixels.",
            reason="too_large",
        ) from None


def _downscale(photo: Photo, max_count: int) -> Photo:
    """Return the photo with at most `max_count` pixels: cutting out twenty megapixels takes seconds and a gigabyte."""
    h, w = photo.shape[:2]
    if h * w <= max_count:
        return photo
    scale = math.sqrt(max_count / (h * w))
    width = min(w, max(1, int(w * scale)))
    size = width, max(1, min(int(h * scale), max_count // width))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def main() -> None:
    """Answer every photo on standard input with its pixels, or the reason of a refusal, on standard output."""
    _preload_decoders()
    # The pipes are open already, so no further file can be opened.
    limit_resources(RLIMIT_AS=MEMORY_BYTES, RLIMIT_NOFILE=3, RLIMIT_FSIZE=0, RLIMIT_CORE=0)
    source, output = sys.stdin.buffer, sys.stdout.buffer
    with suppress(ConnectionError):
        send(output, {"ready": True})
        while True:
            request, data = receive(source, MEMORY_BYTES)
            _limit_cpu_time()
            _respond(output, request, data)


def _respond(output: Any, request: dict[str, Any], data: bytes) -> None:
    height, width = request["frame"]
    try:
        photo = read_bounded_photo(data, (height, width), bool(request["cut"]))
        send(output, {"height": photo.shape[0], "width": photo.shape[1]}, photo.tobytes())
    except PhotoError as error:
        send(output, {"message": error.message[:MAX_MESSAGE_CHARS], "remedy": error.remedy, "reason": error.reason})


def _preload_decoders() -> None:
    """Load everything that Pillow loads on first use; later no file can be opened."""
    for name in ("ImageColor", "ImagePalette", "MpoImagePlugin", "TiffImagePlugin"):
        importlib.import_module(f"PIL.{name}")
    for kind in FORMATS:
        file = BytesIO()
        Image.new("RGB", (1, 1)).save(file, kind)
        read_photo(file.getvalue())


def _limit_cpu_time() -> None:
    """Let the process end after `PHOTO_SECONDS` more of CPU time, even if the server is gone by then."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + PHOTO_SECONDS, hard))


if __name__ == "__main__":
    main()
