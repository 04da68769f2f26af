"""Outlines as points: smooth curves, strokes, polygons, ovals.

Only sums, products, quotients and square roots, which IEEE 754 defines to the last bit: no sine or power, which
maths libraries round differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Contour: TypeAlias = npt.NDArray[np.float64]
"""Points of an outline: float64 `(k, 2)`, x then y, in drawing units."""

Point: TypeAlias = tuple[float, ...]
"""x, y and optionally 1 for a corner, where the curve may turn sharply."""

KAPPA = 0.5522847498
"""Control length of the cubic that approximates a quarter of a circle."""


def spline(points: Sequence[Point], *, closed: bool = True, steps: int = 10) -> Contour:
    """Return a curve through `points`: cubic Hermite with chord-length tangents, straight between two corners."""
    at = np.array([point[:2] for point in points], dtype=np.float64)
    corner = [len(point) == 3 and point[2] == 1 for point in points]
    count = len(at)
    step = np.roll(at, -1, axis=0) - at
    length = np.maximum(np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1]), 1e-9)
    slope = step / length[:, None]
    before, ahead = np.roll(length, 1)[:, None], length[:, None]
    smooth = (np.roll(slope, 1, axis=0) * ahead + slope * before) / (before + ahead)
    t = np.arange(steps, dtype=np.float64)[:, None] / steps
    h00, h10 = (1 + 2 * t) * (1 - t) * (1 - t), t * (1 - t) * (1 - t)
    h01, h11 = t * t * (3 - 2 * t), t * t * (t - 1)
    pieces: list[Contour] = []
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        sharp_here = corner[i] or (not closed and i == 0)
        sharp_there = corner[j] or (not closed and j == count - 1)
        leave = slope[i] if sharp_here else smooth[i]
        arrive = slope[i] if sharp_there else smooth[j]
        pieces.append(h00 * at[i] + h10 * leave * length[i] + h01 * at[j] + h11 * arrive * length[i])
    if not closed:
        pieces.append(at[-1:])
    return np.concatenate(pieces)


def polygon(*points: tuple[float, float]) -> Contour:
    """Return a closed polygon."""
    return np.array(points, dtype=np.float64)


def oval(x: float, y: float, rx: float, ry: float, *, square: float = 0.0, steps: int = 8) -> Contour:
    """Return an ellipse; `square` from 0 to 1 swells it towards its bounding box."""
    k = KAPPA + (1.0 - KAPPA) * square
    t = np.arange(steps, dtype=np.float64) / steps
    a, b = (1 - t) * (1 - t) * (1 - t), 3 * t * (1 - t) * (1 - t)
    c, d = 3 * t * t * (1 - t), t * t * t
    long, short = a + b + c * k, b * k + c + d  # a quarter from (1, 0) to (0, 1)
    xs = np.concatenate([long, -short, -long, short])
    ys = np.concatenate([short, long, -short, -long])
    return np.stack([x + rx * xs, y + ry * ys], axis=1)


def rounded_rectangle(x0: float, y0: float, x1: float, y1: float, radius: float) -> Contour:
    """Return a rectangle with round corners."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    unit = oval(0.0, 0.0, r, r, steps=6)
    quarter = [np.concatenate([unit[i : i + 6], unit[(i + 6) % 24][None]]) for i in (0, 6, 12, 18)]
    centres = [(x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r), (x1 - r, y0 + r)]
    return np.concatenate([arc + np.array(centre) for arc, centre in zip(quarter, centres, strict=True)])


def rounded_polygon(points: Sequence[tuple[float, float, float]]) -> Contour:
    """Return a polygon through (x, y, radius) with round corners; its sides have points too, for bending."""
    at = np.array([point[:2] for point in points], dtype=np.float64)
    towards = np.roll(at, -1, axis=0) - at
    length = np.maximum(np.sqrt(towards[:, 0] * towards[:, 0] + towards[:, 1] * towards[:, 1]), 1e-9)
    ahead = towards / length[:, None]
    t = np.arange(7, dtype=np.float64)[:, None] / 6
    pieces: list[Contour] = []
    for i, (_, _, radius) in enumerate(points):
        r = min(radius, float(length[i]) / 2, float(length[i - 1]) / 2)
        start, stop = at[i] - ahead[i - 1] * r, at[i] + ahead[i] * r
        near, far = start + ahead[i - 1] * r * KAPPA, stop - ahead[i] * r * KAPPA
        u = 1 - t
        pieces.append(u * u * u * start + 3 * t * u * u * near + 3 * t * t * u * far + t * t * t * stop)
    joined: list[Contour] = []
    for i, piece in enumerate(pieces):
        following = pieces[(i + 1) % len(pieces)][0]
        joined.append(piece)
        joined.append(piece[-1] + (following - piece[-1]) * t[1:-1])
    return np.concatenate(joined)


def ribbon(line: Contour, width: float | npt.NDArray[np.float64], *, caps: bool = True) -> list[Contour]:
    """Return the outline of a stroke along `line`; `width` is one number or one per point; `caps` rounds the ends."""
    step = np.empty_like(line)
    step[1:-1] = line[2:] - line[:-2]
    step[0], step[-1] = line[1] - line[0], line[-1] - line[-2]
    length = np.maximum(np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1]), 1e-9)
    half = np.zeros(len(line)) + np.asarray(width, dtype=np.float64) / 2
    side = np.stack([-step[:, 1], step[:, 0]], axis=1) * (half / length)[:, None]
    outline = [np.concatenate([line + side, (line - side)[::-1]])]
    if caps:
        for end in (0, -1):
            x, y = float(line[end, 0]), float(line[end, 1])
            outline.append(oval(x, y, float(half[end]), float(half[end]), steps=4)[::-1])
    return outline


def dashes(line: Contour, on: float, off: float, width: float) -> list[Contour]:
    """Return the stitches of a seam along `line`."""
    step = np.diff(line, axis=0)
    travelled = np.concatenate([[0.0], np.cumsum(np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1]))])
    starts = np.arange(off, float(travelled[-1]) - on, on + off)
    ends = np.stack([starts, starts + on])
    at = np.stack([np.interp(ends, travelled, line[:, 0]), np.interp(ends, travelled, line[:, 1])], axis=-1)
    run = at[1] - at[0]
    length = np.maximum(np.sqrt(run[:, 0] * run[:, 0] + run[:, 1] * run[:, 1]), 1e-9)
    side = np.stack([-run[:, 1], run[:, 0]], axis=1) * (width / 2 / length)[:, None]
    return list(np.stack([at[0] + side, at[1] + side, at[1] - side, at[0] - side], axis=1))


def mirror(outline: Contour, x: float) -> Contour:
    """Reflect an outline across the vertical at `x`."""
    return np.stack([2 * x - outline[:, 0], outline[:, 1]], axis=1)
