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

    def mosaic(self) -> float | None:
        """How much more steps there are at the edges of blocks than elsewhere: 1 for none; None without any step.

        For each side of BLOCKS the steps are parted by their place in the block; the answer is the largest typical step
        of a place over the mean of all places, in either direction. Each step is first divided by the average over one
        block around it, so that where in the frame products lie does not count. Photos that were enlarged have a
        mosaic too.
        """
        found = [_unevenness(steps, side) for steps in (self.down, self.along) for side in BLOCKS]
        known = [each for each in found if each is not None]
        return max(known) if known else None


def _unevenness(steps: Floats, side: int) -> float | None:
    if len(steps) < 3 * side or not steps.any():
        return None
    # A whole block on either side, each end of an even window counting half: no place in the block is favoured.
    window = np.ones(side) if side % 2 else np.concatenate([[0.5], np.ones(side - 1), [0.5]])
    average = np.convolve(steps, window / window.sum(), mode="valid")
    first = len(window) // 2
    inner = steps[first : first + len(average)]
    relative = np.divide(inner, average, out=np.ones_like(inner), where=average > 0)
    # The median over blocks: a sole or a rim where many products have it is no mosaic.
    places = np.arange(len(relative)) % side
    typical = np.array([np.median(relative[places == place]) for place in range(side)])
    return float(typical.max() / typical.mean()) if typical.any() else None
