"""Details from an exemplar: a design is drawn with the seams, laces and texture of a real product.

For a design's code z, and an exemplar with photo P and code z_p, with D the decoder and W a warp along the optical flow
from D(z_p) to D(z)::

    draw(z) = W(P) + blur(D(z) − W(D(z_p)))

At z = z_p this is the photo. Where the shapes of the two drawings disagree even after the warp, or the flow tears, the
decoder's drawing takes the place of the details.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modiste.drawing.flow import Floats, find_flow, pyramid
from modiste.drawing.kernels import compose, enlarge, shrink, warp_cubic
from modiste.drawing.silhouette import silhouette

GRID_SIDE_PX = 80  # longest side of the grid that the flow is found on
TEAR_PX = 1.5  # a flow that differs by so much from one pixel of the grid to the next tears details


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A product's photo, float32 `(H, W, 3)`, and its own drawing on the flow's grid, `(h, w, 3)`, 0 to 255."""

    photo: Floats
    drawing: Floats
    shapes: list[Floats]

    @classmethod
    def of(cls, photo: NDArray[np.uint8], drawing: NDArray[np.uint8]) -> Exemplar:
        """Prepare an exemplar from its photo and its drawing, uint8 `(H, W, 3)` each."""
        small = shrink_drawing(drawing)
        return cls(photo.astype(np.float32), small, pyramid(silhouette(small)[:, :, None]))


def grid_ratio(frame: tuple[int, int]) -> int:
    """Return how many pixels of a picture make one of the flow's grid along a side."""
    return max(1, round(max(frame) / GRID_SIDE_PX))


def shrink_drawing(drawing: NDArray[np.uint8]) -> Floats:
    """Return a drawing, uint8 `(H, W, 3)`, on the flow's grid: float32 `(h, w, 3)`, 0 to 255."""
    ratio = grid_ratio(drawing.shape[:2])
    small: Floats = np.empty((-(-drawing.shape[0] // ratio), -(-drawing.shape[1] // ratio), 3), np.float32)
    shrink(drawing, ratio, small)
    return small


def add_details(drawing: NDArray[np.uint8], exemplar: Exemplar) -> NDArray[np.uint8]:
    """Return a drawing, uint8 `(H, W, 3)`, with the details of an exemplar of the same size."""
    small = shrink_drawing(drawing)
    shape = silhouette(small)[:, :, None]
    flow = find_flow(pyramid(shape), exemplar.shapes)
    source: Floats = np.concatenate([exemplar.drawing, exemplar.shapes[0]], axis=2)
    moved = np.empty_like(source)
    warp_cubic(source, flow, moved)
    share = _blur(reliability(shape, moved[:, :, 3:], flow))
    correction: Floats = np.concatenate([small - moved[:, :, :3], share], axis=2)
    out = np.empty_like(drawing)
    compose(drawing, exemplar.photo, flow, correction, np.float32(grid_ratio(drawing.shape[:2])), out)
    return out


def reliability(shape: Floats, moved: Floats, flow: Floats) -> Floats:
    """Return how far each pixel's details can be trusted, `(h, w, 1)` from 0 to 1.

    They cannot be where the design's shape and the exemplar's moved shape, `(h, w, 1)` each, disagree, or where the
    flow `(h, w, 2)` tears: where it differs much from one pixel to the next.
    """
    tear: Floats = np.zeros(flow.shape[:2], np.float32)
    for axis in (0, 1):
        steps = np.abs(np.diff(flow, axis=axis)).sum(axis=2)
        first, last = (slice(None, -1), slice(None)), (slice(1, None), slice(None))
        if axis == 1:
            first, last = first[::-1], last[::-1]
        tear[first] += 0.5 * steps
        tear[last] += 0.5 * steps
    agreement = np.square(1.0 - np.minimum(np.abs(shape - moved), 1.0))
    return (agreement * np.exp(-np.square(tear / TEAR_PX))[:, :, None]).astype(np.float32)


def _blur(picture: Floats) -> Floats:
    """Return a picture `(h, w, c)` without its finest details."""
    half: Floats = np.empty((-(-picture.shape[0] // 2), -(-picture.shape[1] // 2), picture.shape[2]), np.float32)
    shrink(picture, 2, half)
    blurred = np.empty_like(picture)
    enlarge(half, np.float32(2.0), blurred)
    return blurred


def drawing_distance(a: Floats, b: Floats) -> float:
    """Return the mean squared difference of two drawings on the flow's grid, `(h, w, 3)` each."""
    return float(np.square(a - b).mean())
