"""Canvas that parts are painted on in layers, each rounded, shaded, glossed and grained by its mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from modiste.sources.sample.curves import Contour
from modiste.sources.sample.palette import Colour
from modiste.sources.sample.raster import Field, blur, coverage, noise

DRAWING_SIZE = (240.0, 180.0)
"""Height and width of a drawing in its own units; in any frame it is centred, as large as it fits."""

Shape: TypeAlias = Contour | Sequence[Contour] | Field
"""One or several outlines in drawing units (float64), or a mask of the canvas (float32)."""

_LIGHT_DIRECTION = (-0.36, -0.62, 0.70)  # towards the light: left, above, in front
_HALFWAY_DIRECTION = (-0.195, -0.336, 0.921)  # half-way between lamp and eye


@dataclass(frozen=True, slots=True)
class Finish:
    """Surface of a part.

    `round`: distance from the edge over which a part curves away, in drawing units; `depth`: how strongly; `gloss` and
    `grain` from 0 to 1; `weave`: grain in threads instead of pores; `opacity`; `cast`: how dark its shadow is on the
    parts below; `rim`: how strongly its edge is bevelled.
    """

    round: float = 8.0
    depth: float = 1.0
    gloss: float = 0.15
    grain: float = 0.0
    weave: bool = False
    opacity: float = 1.0
    cast: float = 0.28
    rim: float = 0.5

    def replace(self, **changes: float | bool) -> Finish:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class Canvas:
    """A transparent picture of `height` × `width` pixels."""

    def __init__(self, height: int, width: int, seed: int) -> None:
        self.height, self.width, self.seed = height, width, seed
        self.scale = min(height / DRAWING_SIZE[0], width / DRAWING_SIZE[1])
        self._left = (width - DRAWING_SIZE[1] * self.scale) / 2
        self._top = (height - DRAWING_SIZE[0] * self.scale) / 2
        self.colour = np.zeros((height, width, 3), np.float32)  # times alpha
        self.alpha = np.zeros((height, width), np.float32)
        self._ground_shadow = np.zeros((height, width), np.float32)
        self._noise: dict[bool, Field] = {}

    def grid(self) -> tuple[Field, Field]:
        """Return x and y of every pixel's centre, in drawing units, each `(h, w)`."""
        x = ((np.arange(self.width) + 0.5 - self._left) / self.scale).astype(np.float32)
        y = ((np.arange(self.height) + 0.5 - self._top) / self.scale).astype(np.float32)
        grids = np.broadcast_arrays(x[None, :], y[:, None])
        return grids[0], grids[1]

    def mask(self, shape: Shape, within: Field | None = None) -> Field:
        """Return the coverage of `shape`, inside `within` if given: 0 to 1, `(h, w)`."""
        if isinstance(shape, np.ndarray) and shape.dtype == np.float32:
            inside = cast(Field, shape)
        else:
            contours = [cast(Contour, shape)] if isinstance(shape, np.ndarray) else list(shape)
            moved = [contour * self.scale + np.array([self._left, self._top]) for contour in contours]
            if not moved:
                return np.zeros((self.height, self.width), np.float32)
            inside = coverage(moved, self.height, self.width)
        return inside if within is None else inside * within

    def paint(
        self,
        shape: Shape,
        colour: Colour,
        finish: Finish = Finish(),
        *,
        within: Field | None = None,
        second_colour: Colour | None = None,
        pattern: Field | None = None,
    ) -> Field:
        """Paint a part on top, inside `within` if given, and return its mask.

        `second_colour` shows where `pattern` is 1 (from 0 to 1).
        """
        mask = self.mask(shape, within)
        box = self._bounding_box(mask, margin=3)
        if box is None:
            return mask
        part = np.ascontiguousarray(mask[box])
        if finish.cast > 0:
            self._cast_shadow(part, box, finish.cast)
        light, shine = self._shade(part, finish)
        if finish.grain > 0:
            light = light + (self._grain_texture(finish.weave)[box] - np.float32(0.5)) * np.float32(finish.grain)
        alpha = part * np.float32(finish.opacity)
        clear = np.float32(1.0) - alpha
        for channel in range(3):
            base: Field | np.float32 = np.float32(colour.rgb[channel])
            if second_colour is not None and pattern is not None:
                base = base + pattern[box] * np.float32(second_colour.rgb[channel] - colour.rgb[channel])
            # overexposed parts turn pale, as in a photo
            lit = base * np.minimum(light, 1) + (1 - base) * np.maximum(light - 1, 0) * np.float32(0.55) + shine
            lit = np.minimum(np.maximum(lit, 0), 1)
            self.colour[box][..., channel] *= clear
            self.colour[box][..., channel] += lit * alpha
        self.alpha[box] = self.alpha[box] * clear + alpha
        return mask

    def adjust_lightness(self, shape: Shape, strength: float, *, soft: float, within: Field) -> None:
        """Lighten (strength above 0) or darken the picture, softly, inside `within`."""
        amount = blur(self.mask(shape), self._to_pixels(soft)) * within * np.float32(abs(strength))
        for channel in range(3):
            layer = self.colour[..., channel]
            if strength > 0:
                layer += (self.alpha - layer) * amount
            else:
                layer *= 1 - amount

    def add_shadow(self, shape: Shape, strength: float, *, soft: float) -> None:
        """Add a soft shadow on the ground, under all parts."""
        dark = blur(self.mask(shape), self._to_pixels(soft), passes=3) * np.float32(strength)
        self._ground_shadow = np.maximum(self._ground_shadow, dark)

    def extent(self) -> tuple[float, float]:
        """Return the product's height and width (without shadows) as shares of the frame's."""
        solid = self.alpha > 0.5
        rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
        if not len(rows):
            return 0.0, 0.0
        return (int(rows[-1] - rows[0]) + 1) / self.height, (int(columns[-1] - columns[0]) + 1) / self.width

    def pixels(self) -> npt.NDArray[np.uint8]:
        """Return the picture on white, uint8 `(height, width, 3)`."""
        ground = (1 - self._ground_shadow) * (1 - self.alpha)
        whole = self.colour + ground[..., None]
        return np.rint(np.minimum(np.maximum(whole, 0), 1) * np.float32(255)).astype(np.uint8)

    def _to_pixels(self, units: float) -> int:
        return max(1, round(units * self.scale))

    def _bounding_box(self, mask: Field, margin: int) -> tuple[slice, slice] | None:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None
        top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
        return slice(top, int(rows[-1]) + margin + 1), slice(left, int(columns[-1]) + margin + 1)

    def _cast_shadow(self, part: Field, box: tuple[slice, slice], strength: float) -> None:
        fall = self._to_pixels(1.2)
        soft = blur(part, self._to_pixels(1.6))
        dropped = np.zeros_like(soft)
        dropped[fall:] = soft[:-fall]
        keep = 1 - np.maximum(dropped, soft) * np.float32(strength)
        self.colour[box] *= keep[..., None]

    def _shade(self, part: Field, finish: Finish) -> tuple[Field, Field]:
        """Return each pixel's illumination (1 where it faces the viewer) and highlight, for a cushion-shaped mask."""
        radius = self._to_pixels(finish.round)
        height = blur(part, radius) * np.float32(1.1 * radius * finish.depth)
        if finish.rim > 0:
            height = height + blur(part, 1) * np.float32(finish.rim)
        tilt_y, tilt_x = _gradients(height)
        steep = np.float32(1) / np.sqrt(1 + tilt_x * tilt_x + tilt_y * tilt_y)
        facing, mirror = (
            (tilt_x * np.float32(-x) + tilt_y * np.float32(-y) + np.float32(z)) * steep
            for x, y, z in (_LIGHT_DIRECTION, _HALFWAY_DIRECTION)
        )
        light = np.float32(0.42) + np.maximum(facing, 0) * np.float32(0.58 / _LIGHT_DIRECTION[2])
        shine = np.maximum(mirror, 0)
        for _ in range(5):  # to the power of 32
            shine = shine * shine
        return light, (shine - np.float32(0.07)) * np.float32(finish.gloss)

    def _grain_texture(self, weave: bool) -> Field:
        if weave not in self._noise:
            grains = noise(self.height, self.width, self.seed + 1)
            if weave:
                threads = noise(self.height, self.width, self.seed + 2)
                along = (np.roll(grains, 1, axis=1) + grains + np.roll(grains, -1, axis=1)) / np.float32(3)
                across = (np.roll(threads, 1, axis=0) + threads + np.roll(threads, -1, axis=0)) / np.float32(3)
                field = (along + across) / np.float32(2)
            else:
                field = np.float32(0.5) + (blur(grains, 1, passes=1) - np.float32(0.5)) * np.float32(1.6)
            self._noise[weave] = field
        return self._noise[weave]


def _gradients(height: Field) -> tuple[Field, Field]:
    """Return central differences along y and x, zero at the border."""
    down, across = np.zeros_like(height), np.zeros_like(height)
    down[1:-1] = (height[2:] - height[:-2]) * np.float32(0.5)
    across[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * np.float32(0.5)
    return down, across
