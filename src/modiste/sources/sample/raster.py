"""Coverage masks and blur in integer arithmetic, so that they are the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from modiste.sources.sample.curves import Contour

Field: TypeAlias = npt.NDArray[np.float32]
"""One number per pixel: float32 `(h, w)`."""

LINES_PER_ROW = 8  # scan lines per pixel row
PIXEL_ONE = 256  # fixed-point steps per pixel
FULL_COVERAGE = LINES_PER_ROW * PIXEL_ONE
BLUR_ONE = 1 << 16


def coverage(contours: Sequence[Contour], height: int, width: int) -> Field:
    """Return the share of each pixel inside the closed `contours` (in pixels), 0 to 1: `(height, width)`.

    Signed area accumulation: exact along x, 8 scan lines per row along y. Overlapping outlines of the same direction
    add up to inside; of opposite directions, to a hole.
    """
    start, stop = _edges(contours)
    # only the bounding box is processed; edges left of the canvas count, edges right of it do not
    left = min(max(int(start[:, 0].min()) >> 8, 0), width)
    right = min(max((int(start[:, 0].max()) >> 8) + 1, left), width)
    top = min(max(int(start[:, 1].min()) >> 8, 0), height)
    bottom = min(max((int(start[:, 1].max()) >> 8) + 1, top), height)
    covered = np.zeros((height, width), np.float32)
    rows, columns = bottom - top, right - left
    falling = start[:, 1] > stop[:, 1]
    sign = np.where(falling, -1, 1)
    start, stop = np.where(falling[:, None], stop, start), np.where(falling[:, None], start, stop)
    pitch = PIXEL_ONE // LINES_PER_ROW
    first = np.maximum(-((pitch // 2 - start[:, 1]) // pitch), top * LINES_PER_ROW)
    last = np.minimum(-((pitch // 2 - stop[:, 1]) // pitch), bottom * LINES_PER_ROW)
    crossed = last - first
    keep = crossed > 0
    if columns < 1 or not keep.any():
        return covered
    start, stop, sign, first, crossed = (a[keep] for a in (start, stop, sign, first, crossed))
    edge = np.repeat(np.arange(len(crossed)), crossed)
    line = np.arange(len(edge)) + (first - (np.cumsum(crossed) - crossed))[edge]
    run, rise = stop[:, 0] - start[:, 0], stop[:, 1] - start[:, 1]
    x = start[edge, 0] + ((line * pitch + pitch // 2) - start[edge, 1]) * run[edge] // rise[edge] - left * PIXEL_ONE
    x = np.minimum(np.maximum(x, 0), columns * PIXEL_ONE)
    cell = (line // LINES_PER_ROW - top) * (columns + 2) + (x >> 8)
    sign = sign[edge]
    part = (x & (PIXEL_ONE - 1)) * sign
    size = rows * (columns + 2)
    sums = np.bincount(cell, weights=PIXEL_ONE * sign - part, minlength=size)
    sums += np.bincount(cell + 1, weights=part, minlength=size)
    area = np.cumsum(sums.reshape(rows, columns + 2), axis=1)[:, :columns]  # whole numbers: exact in float64
    covered[top:bottom, left:right] = np.minimum(np.abs(area), FULL_COVERAGE) / FULL_COVERAGE
    return covered


def _edges(contours: Sequence[Contour]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    start = np.rint(np.concatenate(contours) * PIXEL_ONE).astype(np.int64)
    after = np.arange(1, len(start) + 1)
    ends = np.cumsum([len(contour) for contour in contours])
    after[ends - 1] = ends - [len(contour) for contour in contours]  # each outline is closed
    return start, start[after]


def blur(field: Field, radius: int, *, passes: int = 2) -> Field:
    """Blur `field` (0 to 1) by `passes` box means of side 2·radius + 1; outside the picture it counts as 0."""
    if radius < 1:
        return field
    side = 2 * radius + 1
    fixed = np.rint(field.T * BLUR_ONE).astype(np.int32)
    for _ in range(2 * passes):  # along one axis, transposed, along the other
        length = fixed.shape[1]
        total = np.zeros((len(fixed), length + side), np.int32)
        np.cumsum(fixed, axis=1, out=total[:, radius + 1 : radius + 1 + length])
        total[:, radius + 1 + length :] = total[:, radius + length, None]
        fixed = ((total[:, side:] - total[:, :length]) // side).T
    return fixed.T.astype(np.float32) / np.float32(BLUR_ONE)


def noise(height: int, width: int, seed: int) -> Field:
    """Return white noise from 0 to 1: an integer hash of the pixel's index (Wellons' lowbias32)."""
    place = np.arange(height * width, dtype=np.uint32) + np.uint32((seed * 0x9E3779B9) & 0xFFFFFFFF)
    place ^= place >> np.uint32(16)
    place *= np.uint32(0x7FEB352D)
    place ^= place >> np.uint32(15)
    place *= np.uint32(0x846CA68B)
    place ^= place >> np.uint32(16)
    return ((place >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)).reshape(height, width)
