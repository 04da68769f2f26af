"""Patterns on cloth and leather, as the share of the second colour at each pixel."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.canvas import Canvas
from modiste.sources.sample.raster import Field
from modiste.sources.sample.rng import SeededRandom

PLAIN = "plain"
PATTERN_NAMES = ("striped", "dotted", "checked", "diagonal", "dipped")

_DIAGONAL = np.float32(0.70710678)


def pick_pattern(rng: SeededRandom, share: float) -> tuple[str, float]:
    """Pick a pattern's name and the size of its repeat in drawing units; `share` of the products are not plain."""
    if not rng.chance(share):
        return PLAIN, 0.0
    return rng.choice(PATTERN_NAMES), rng.bates(8.0, 22.0)


def pattern_mask(canvas: Canvas, name: str, size: float, span: tuple[float, float]) -> Field | None:
    """Return where the pattern shows its second colour: 0 to 1, `(h, w)`; None for plain.

    `span`: top and bottom of the part in drawing units, for patterns that start there.
    """
    if name == PLAIN:
        return None
    x, y = canvas.grid()
    soft = np.float32(canvas.scale)
    if name == "striped":
        return _bands(y - np.float32(span[0]), size, 0.45, soft)
    if name == "diagonal":
        return _bands((x + y) * _DIAGONAL, size, 0.4, soft)
    if name == "checked":
        along, across = _bands(x, size, 0.5, soft), _bands(y - np.float32(span[0]), size, 0.5, soft)
        return (along + across) * np.float32(0.5)
    if name == "dotted":
        return _dots(x, y, size, soft)
    edge = span[0] + (span[1] - span[0]) * (0.45 + size / 80)
    return _step((y - np.float32(edge)) * soft)


def quilt_mask(canvas: Canvas, size: float) -> Field:
    """Return the seams of a quilt of diamonds, 0 to 1."""
    x, y = canvas.grid()
    soft = np.float32(canvas.scale)
    down, up = (x + y) * _DIAGONAL, (x - y) * _DIAGONAL
    return np.maximum(_bands(down, size, 1.3 / size, soft), _bands(up, size, 1.3 / size, soft))


def _bands(along: Field, size: float, share: float, soft: np.float32) -> Field:
    phase = along - np.floor(along / np.float32(size)) * np.float32(size)
    middle = np.abs(phase - np.float32(size / 2))
    return _step((np.float32(size * share / 2) - middle) * soft)


def _dots(x: Field, y: Field, size: float, soft: np.float32) -> Field:
    row = np.floor(y / np.float32(size))
    odd = row - np.floor(row / 2) * 2
    px = x + odd * np.float32(size / 2)
    dx = px - (np.floor(px / np.float32(size)) + np.float32(0.5)) * np.float32(size)
    dy = y - (row + np.float32(0.5)) * np.float32(size)
    radius = size * 0.27
    inside = np.float32(radius * radius) - dx * dx - dy * dy
    return _step(inside.astype(np.float32) / np.float32(2 * radius) * soft)


def _step(signed: Field) -> Field:
    """Convert a signed distance in pixels to coverage."""
    return np.minimum(np.maximum(signed + np.float32(0.5), 0), 1).astype(np.float32)
