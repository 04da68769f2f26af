"""Dense optical flow between two pictures: coarse to fine, with a smoothness term (Horn and Schunck 1981).

A design's drawing and its exemplar's differ by what the sliders moved, and both are soft. So the flow is smooth, and
the smoothness term fills it in where there is nothing to match, as inside a plain surface.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.drawing.kernels import enlarge, linearise, shrink, smooth_solve

Floats = NDArray[np.float32]

MIN_SIDE_PX = 8  # of the coarsest level
WARPS = 1  # linearisations on each level: the levels below start where the ones above ended
SWEEPS = 12  # of the solver, after each linearisation
SMOOTHNESS = 0.03


def pyramid(picture: Floats) -> list[Floats]:
    """Return a picture `(h, w, c)` at its size, half, a quarter …, down to MIN_SIDE_PX."""
    levels = [np.ascontiguousarray(picture, np.float32)]
    while min(levels[-1].shape[:2]) >= 2 * MIN_SIDE_PX:
        last = levels[-1]
        half = np.empty(((last.shape[0] + 1) // 2, (last.shape[1] + 1) // 2, last.shape[2]), np.float32)
        shrink(last, 2, half)
        levels.append(half)
    return levels


def find_flow(target: list[Floats], source: list[Floats]) -> Floats:
    """Return where each pixel of the target comes from in the source, `(h, w, 2)`: offsets down and right, in pixels.

    Both are pyramids of pictures of one size.
    """
    coarse: Floats = np.zeros((*target[-1].shape[:2], 2), np.float32)
    for level in range(len(target) - 1, -1, -1):
        if level < len(target) - 1:
            flow: Floats = np.empty((*target[level].shape[:2], 2), np.float32)
            enlarge(coarse, np.float32(2), flow)
            flow *= np.float32(2.0)
        else:
            flow = coarse
        equations: Floats = np.empty((*flow.shape[:2], 5), np.float32)
        for _ in range(WARPS):
            linearise(target[level], source[level], flow, equations)
            smooth_solve(equations, flow, np.float32(SMOOTHNESS), SWEEPS)
        coarse = flow
    return coarse
