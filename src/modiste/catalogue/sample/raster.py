"""Outlines become coverage masks, and masks become soft ones: in integers, so the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from modiste.catalogue.sample.curves import Contour

Field: TypeAlias = npt.NDArray[np.float32]
"""One number per pixel: float32 `(h, w)`."""

SUB = 8  # scan lines per pixel row
ONE = 256  # fixed-point steps per pixel
FULL = SUB * ONE
BLUR_ONE = 1 << 16


def coverage(contours: Sequence[Contour], height: int, width: int) -> Field:
    """The share of each pixel inside the closed `contours` (pixel units), 0 to 1: `(height, width)`.

    Signed area accumulation: exact along x, 8 scan lines per row along y. Overlapping outlines of one
    direction add up to inside; of opposite directions, to a hole.
    """
    start, stop = _edges(contours)
    falling = start[:, 1] > stop[:, 1]
    sign = np.where(falling, -1, 1)
    start, stop = np.where(falling[:, None], stop, start), np.where(falling[:, None], start, stop)
    pitch = ONE // SUB
    first = np.maximum(-((pitch // 2 - start[:, 1]) // pitch), 0)
    last = np.minimum(-((pitch // 2 - stop[:, 1]) // pitch), height * SUB)
    crossed = last - first
    keep = crossed > 0
    if not keep.any():
        return np.zeros((height, width), np.float32)
    start, stop, sign, first, crossed = (a[keep] for a in (start, stop, sign, first, crossed))
    edge = np.repeat(np.arange(len(crossed)), crossed)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    run, rise = stop[:, 0] - start[:, 0], stop[:, 1] - start[:, 1]
    x = start[edge, 0] + ((line * pitch + pitch // 2) - start[edge, 1]) * run[edge] // rise[edge]
    x = np.clip(x, 0, width * ONE)
    cell = (line // SUB) * (width + 2) + (x >> 8)
    part = (x & (ONE - 1)) * sign[edge]
    whole = ONE * sign[edge]
    size = height * (width + 2)
    sums = np.bincount(cell, weights=whole - part, minlength=size)
    sums += np.bincount(cell + 1, weights=part, minlength=size)[:size]
    area = np.cumsum(sums.reshape(height, width + 2), axis=1)[:, :width]  # whole numbers: exact in float64
    return (np.minimum(np.abs(area), FULL) / FULL).astype(np.float32)


def _edges(contours: Sequence[Contour]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    fixed = [np.rint(contour * ONE).astype(np.int64) for contour in contours]
    return np.concatenate(fixed), np.concatenate([np.roll(contour, -1, axis=0) for contour in fixed])


def blur(field: Field, radius: int, *, passes: int = 2) -> Field:
    """`field` (0 to 1) after `passes` box means of side 2·radius + 1; outside the picture it counts as 0."""
    if radius < 1:
        return field
    fixed = np.rint(field * BLUR_ONE).astype(np.int32)
    side = 2 * radius + 1
    for _ in range(passes):
        for axis in (0, 1):
            pad = [(0, 0), (0, 0)]
            pad[axis] = (radius + 1, radius)
            total = np.cumsum(np.pad(fixed, pad), axis=axis, dtype=np.int32)
            ahead, behind = (
                (total[side:], total[:-side]) if axis == 0 else (total[:, side:], total[:, :-side])
            )
            fixed = (ahead - behind) // side
    return fixed.astype(np.float32) / np.float32(BLUR_ONE)


def noise(height: int, width: int, seed: int) -> Field:
    """White noise from 0 to 1: an integer hash of the place (Wellons' lowbias32)."""
    place = np.arange(height * width, dtype=np.uint32) + np.uint32((seed * 0x9E3779B9) & 0xFFFFFFFF)
    place ^= place >> np.uint32(16)
    place *= np.uint32(0x7FEB352D)
    place ^= place >> np.uint32(15)
    place *= np.uint32(0x846CA68B)
    place ^= place >> np.uint32(16)
    return ((place >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)).reshape(height, width)
