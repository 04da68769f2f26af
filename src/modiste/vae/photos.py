"""Training photos: the shop's stored JPEGs, as batches of pixels at the body's size and at the frame's."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from modiste.errors import TrainingError
from modiste.latent.descriptors import SHAPE, colours_of, shape_of
from modiste.vae.network import body_ratio, shrink

VALIDATION_SHARE = 0.05
VALIDATION_MOST = 1000
# Each descriptor with its parts: how many numbers, and their deviation in all. In the error, edges count four times
# as much as the outline, the histogram four times as much as the mean colour.
LOOKS = ((shape_of, ((2592, 1.0), (300, 0.5))), (colours_of, ((384, 1.0), (6, 0.5))))


def split(ids: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows to train on and rows to validate on.

    A product's id alone decides on which side it falls, so that the split holds when the catalogue grows.

    Raises:
        TrainingError: fewer than 8 products.
    """
    if len(ids) < 8:
        raise TrainingError(
            f"The catalogue has {len(ids)} products; training needs at least 8.", remedy="Ingest more photos."
        )
    ranks = np.array([int.from_bytes(hashlib.sha256(i.encode()).digest()[:8], "big") for i in ids], np.uint64)
    count = min(VALIDATION_MOST, max(2, round(VALIDATION_SHARE * len(ids))))
    order = np.argsort(ranks, kind="stable")
    return np.sort(order[count:]), np.sort(order[:count])


class PhotoSet:
    """JPEGs in memory; pixels on demand, decoded in threads. `bodies` keeps every photo at the body's size.

    With `train_rows` it is described: `looks` are the descriptors, float16 `(N, 2892 + 390)`, shape first, each part
    about its mean over `train_rows` and of the variance, in all its numbers together, that LOOKS says. A code that
    knows nothing leaves an error of 1.25 of each descriptor.
    """

    def __init__(
        self,
        photos: Sequence[bytes],
        frame: tuple[int, int],
        on_progress: Callable[[int], None],
        *,
        train_rows: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.photos, self.frame, self.ratio = photos, frame, body_ratio(frame)
        self.pool = ThreadPoolExecutor(2, thread_name_prefix="photos")
        parts: list[npt.NDArray[np.uint8]] = []
        looks: list[tuple[npt.NDArray[np.float32], ...]] = []
        for start in range(0, len(photos), 256):
            rows = range(start, min(start + 256, len(photos)))
            full = as_planes(self.read(rows))
            small = shrink(full, self.ratio).mul(255.0).round_().to(torch.uint8)
            parts.append(small.permute(0, 2, 3, 1).numpy())
            if train_rows is not None:
                blocks = [parts[-1][first : first + 64] for first in range(0, len(rows), 64)]
                looks += self.pool.map(lambda block: tuple(of(block) for of, _ in LOOKS), blocks)
            on_progress(rows.stop)
        self.bodies = np.concatenate(parts)
        self.looks = None if train_rows is None else scaled(looks, train_rows)

    def look(self, rows: Any) -> tuple[Tensor, Tensor]:
        """Descriptors of shape and of colour, float32 `(b, 2892)` and `(b, 390)`."""
        assert self.looks is not None
        held = torch.from_numpy(self.looks[rows]).float()
        return held[:, :SHAPE], held[:, SHAPE:]

    def read(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Whole photos, uint8 `(b, H, W, 3)`."""
        return np.stack(list(self.pool.map(self._decode, rows)))

    def _decode(self, row: int) -> npt.NDArray[np.uint8]:
        with Image.open(io.BytesIO(self.photos[row]), formats=("JPEG",)) as image:
            pixels = np.asarray(image.convert("RGB"))
        if pixels.shape[:2] != self.frame:
            raise TrainingError(
                f"Photo {row} is {pixels.shape[1]}x{pixels.shape[0]}; the frame is {self.frame[1]}x{self.frame[0]}.",
                remedy="Run `modiste ingest` again.",
            )
        return pixels

    def body(self, rows: Any) -> Tensor:
        """Photos at the body's size, float32 `(b, 3, h, w)` in [0, 1], channels last."""
        return as_planes(self.bodies[rows])

    def batches(self, rows: Sequence[npt.NDArray[np.int64]], *, full: bool) -> Iterator[Tensor | None]:
        """For each batch of rows its whole photos `(b, 3, H, W)`, read one batch ahead, or None where not `full`."""
        if not full:
            yield from (None for _ in rows)
            return
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.read, rows[0]) if rows else None
            for following in [*rows[1:], None]:
                assert coming is not None
                pixels = coming.result()
                if following is not None:
                    coming = ahead.submit(self.read, following)
                yield as_planes(pixels)


def as_planes(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 `(b, h, w, 3)` to float32 `(b, 3, h, w)` in [0, 1]; channels last, as the pixels already lie."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(255.0)


def scaled(
    looks: Sequence[tuple[npt.NDArray[np.float32], ...]], train_rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float16]:
    """Blocks of raw descriptors as one array, each part about its mean and of the deviation that LOOKS says."""
    found: list[npt.NDArray[np.float16]] = []
    for number, (_, parts) in enumerate(LOOKS):
        raw = np.concatenate([block[number] for block in looks])
        start = 0
        for size, deviation in parts:
            part = raw[:, start : start + size]
            start += size
            part -= part[train_rows].mean(axis=0)
            part *= deviation / np.sqrt(np.square(part[train_rows]).sum(axis=1).mean() + 1e-12)
        found.append(raw.astype(np.float16))
    return np.hstack(found)
