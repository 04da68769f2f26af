"""The process that reads strangers' photos: it has nothing else to lose, little memory, and no way to open anything.

`reading` starts it and asks it over a pipe, which is all that it has of the server; where that ends, it ends. A decoder
that is led astray by a hostile file can so take neither the server's memory nor its time, nor its keys.
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
from modiste.images.photo import (
    FORMATS,
    Photo,
    fit_photo,
    read_photo,
)
from modiste.server.photo_worker.protocol import receive, send

MEMORY_BYTES = 768 * 2**20
"""Of addresses, which is what a system can limit: 150 MB are taken before the first photo, and the most thirsty photo
of 20 megapixels, a WebP with transparency, takes 500 MB."""

PHOTO_SECONDS = 8
"""For one photo. Twenty megapixels take about one; a JPEG of a thousand passes over them takes minutes."""

DETAIL_FACTOR = 4
"""Times the frame's height and width: a product that fills a quarter of its photo keeps its detail."""

MAX_MESSAGE_CHARS = 1000  # characters of a refusal


def max_pixels(frame: Sequence[int]) -> int:
    """How many pixels a photo is answered with, at most: what is cut out of its background is no finer."""
    return DETAIL_FACTOR**2 * frame[0] * frame[1]


def read_bounded_photo(data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
    """The pixels of an uploaded file, uint8 `(h, w, 3)`: as many as it takes to cut a product out of it, or fitted onto
    the frame, to the very pixels that the shop would keep of it.

    Raises:
        PhotoError: as `read_photo`; `too_large` also where the memory does not suffice.
    """
    try:
        if not cut:
            return fit_photo(read_photo(data), frame)
        height, width = frame
        return _downscale(
            read_photo(data, min_size=(DETAIL_FACTOR * height, DETAIL_FACTOR * width)), max_pixels(frame)
        )
    except MemoryError:
        raise PhotoError(
            f"The photo ({len(data)} bytes) takes more memory to read than there is for it.",
            remedy="Save it anew, as a JPEG of at most 20 megapixels without extras.",
            reason="too_large",
        ) from None


def _downscale(photo: Photo, most: int) -> Photo:
    """The photo with at most so many pixels: to cut twenty megapixels out takes seconds and a gigabyte."""
    h, w = photo.shape[:2]
    if h * w <= most:
        return photo
    scale = math.sqrt(most / (h * w))
    width = min(w, max(1, int(w * scale)))
    size = width, max(1, min(int(h * scale), most // width))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def main() -> None:
    """Answer every photo on standard input with its pixels, or with why not, on standard output; end with the input."""
    _preload_decoders()
    _limit_resources()
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(ConnectionError):
        send(answers, {"ready": True})
        while True:
            asked, data = receive(source, MEMORY_BYTES)
            _limit_cpu_time()
            _respond(answers, asked, data)


def _respond(answers: Any, asked: dict[str, Any], data: bytes) -> None:
    height, width = asked["frame"]
    try:
        photo = read_bounded_photo(data, (height, width), bool(asked["cut"]))
        send(answers, {"height": photo.shape[0], "width": photo.shape[1]}, photo.tobytes())
    except PhotoError as error:
        send(
            answers,
            {"message": error.message[:MAX_MESSAGE_CHARS], "remedy": error.remedy, "reason": error.reason},
        )


def _preload_decoders() -> None:
    """Load all that Pillow loads only when a photo needs it; later no file can be opened."""
    for name in ("ImageColor", "ImagePalette", "MpoImagePlugin", "TiffImagePlugin"):
        importlib.import_module(f"PIL.{name}")
    for kind in FORMATS:
        file = BytesIO()
        Image.new("RGB", (1, 1)).save(file, kind)
        read_photo(file.getvalue())


def _limit_resources() -> None:
    """Bound the memory, and let nothing be opened, written or dumped, as far as the system can; Windows cannot."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, 3),  # the pipes are open already
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):  # macOS refuses some
            resource.setrlimit(what, (most, most))


def _limit_cpu_time() -> None:
    """End after so many more seconds of work, though the server, which counts them too, may be gone by then."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + PHOTO_SECONDS, hard))


if __name__ == "__main__":
    main()
