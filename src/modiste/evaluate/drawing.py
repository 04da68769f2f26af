"""How well products are drawn: squared error, sharpness, and the mosaic that blocks leave."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.measures import LUMA

Floats = NDArray[np.float64]

LEAST_ERROR = 1e-10  # equal photos count as 100 dB instead of infinitely many
BLOCKS = (2, 3, 4, 6, 8)  # sides of blocks to look for, pixels


def squared_error(photos: NDArray[np.uint8], drawn: NDArray[Any]) -> Floats:
    """The mean squared error of each photo, `(b,)`, colours 0 to 1; uint8 or float `(b, H, W, 3)`, 0 to 255."""
    apart = (photos.astype(np.float32) - drawn.astype(np.float32)) / np.float32(255)
    return np.square(apart).reshape(len(photos), -1).mean(axis=1, dtype=np.float64)


def psnr(error: Floats) -> Floats:
    """Peak signal-to-noise ratio in dB of each photo from its squared error (colours from 0 to 1): −10 log₁₀ MSE."""
    return -10.0 * np.log10(np.maximum(error, LEAST_ERROR))


def laplacian_variance(photos: NDArray[Any]) -> Floats:
    """The variance of the Laplacian of each photo's luma, `(b,)`: high where edges are crisp (Pech-Pacheco 2000).

    Photos are `(b, H, W, 3)`, 0 to 255; the Laplacian is that of the four neighbours, inside the frame.
    """
    found = np.empty(len(photos))
    for row, photo in enumerate(photos):  # one by one, they fit a processor's cache
        light = photo.astype(np.float32) @ LUMA
        around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
        found[row] = float((around - 4.0 * light[1:-1, 1:-1]).var(dtype=np.float64))
    return found


class StepSums:
    """Squared steps between neighbouring pixels, summed by column and by row over many photos."""

    def __init__(self, frame: tuple[int, int]) -> None:
        """`frame` is (height, width)."""
        self.down = np.zeros(frame[0] - 1)
        self.along = np.zeros(frame[1] - 1)

    def add(self, photos: NDArray[Any]) -> None:
        """Count photos `(b, H, W, 3)` in."""
        for photo in photos:
            light = photo.astype(np.float32) @ LUMA
            self.down += np.square(np.diff(light, axis=0)).mean(axis=1)
            self.along += np.square(np.diff(light, axis=1)).mean(axis=0)

    def mosaic(self, photos: StepSums) -> float | None:
        """How much more steps there are at the edges of blocks than elsewhere, against real photos: 1 for none.

        For each side of BLOCKS the steps are parted by their place in the block, and each place's share is taken over
        that of the photos: what the largest exceeds the mean by, in either direction. None without any step.
        """
        found = [
            each
            for drawn, real in ((self.down, photos.down), (self.along, photos.along))
            for side in BLOCKS
            if (each := _unevenness(drawn, real, side)) is not None
        ]
        return max(found) if found else None


def _unevenness(drawn: Floats, real: Floats, side: int) -> float | None:
    places = np.arange(len(drawn)) % side
    sums = [np.bincount(places, weights=steps, minlength=side) for steps in (drawn, real)]
    if len(drawn) < 3 * side or not sums[0].any() or not sums[1].all():
        return None
    shares = sums[0] / sums[1]
    return float(shares.max() / shares.mean())
