"""Eyewear from the front: two lenses, the rims around them, the bridge between, the temples folded behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from modiste.sources.sample.canvas import DRAWING_SIZE, Finish
from modiste.sources.sample.curves import Contour, mirror, oval, polygon, ribbon, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GOLD, STEEL, Colour
from modiste.sources.sample.raster import Field

MIDDLE = DRAWING_SIZE[1] / 2
METAL = Finish(round=1.4, depth=1.2, gloss=0.8, cast=0.3, rim=0.7)

# The right-hand lens around its centre, x from the nose (-1) outwards (1), y from top (-1) to bottom (1):
# twelve corresponding points in every shape, so that shapes can be blended.
LENS_SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "aviator": (
        (-0.86, -0.80), (-0.30, -0.99), (0.35, -1.0), (0.88, -0.80), (1.0, -0.30), (0.90, 0.26),
        (0.62, 0.74), (0.20, 1.0), (-0.22, 0.97), (-0.62, 0.62), (-0.86, 0.10), (-0.98, -0.40),
    ),
    "round": (
        (-0.50, -0.866), (0.0, -1.0), (0.50, -0.866), (0.866, -0.50), (1.0, 0.0), (0.866, 0.50),
        (0.50, 0.866), (0.0, 1.0), (-0.50, 0.866), (-0.866, 0.50), (-1.0, 0.0), (-0.866, -0.50),
    ),
    "wayfarer": (
        (-0.84, -0.92), (-0.20, -0.97), (0.45, -1.0), (0.97, -0.96), (1.0, -0.45), (0.90, 0.25),
        (0.70, 0.80), (0.25, 1.0), (-0.30, 0.98), (-0.72, 0.74), (-0.90, 0.10), (-0.98, -0.55),
    ),
    "cat_eye": (
        (-0.74, -0.60), (-0.15, -0.78), (0.48, -0.96), (1.06, -1.06), (1.02, -0.42), (0.86, 0.25),
        (0.58, 0.75), (0.12, 0.98), (-0.36, 0.94), (-0.76, 0.58), (-0.94, 0.05), (-0.92, -0.36),
    ),
    "rectangle": (
        (-0.90, -0.94), (-0.30, -1.0), (0.35, -1.0), (0.92, -0.94), (1.0, -0.50), (1.0, 0.25),
        (0.88, 0.90), (0.30, 1.0), (-0.30, 1.0), (-0.86, 0.90), (-0.98, 0.25), (-1.0, -0.50),
    ),
    "sport": (
        (-0.92, -0.72), (-0.25, -0.92), (0.42, -0.98), (1.02, -0.86), (1.14, -0.48), (1.02, 0.02),
        (0.66, 0.55), (0.15, 0.90), (-0.36, 0.98), (-0.74, 0.80), (-0.94, 0.25), (-1.0, -0.35),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class EyewearStyle:
    """Ranges of one article type: half a lens's width, its height by width, the rim, the gap at the nose."""

    shape: str
    half_width: tuple[float, float]
    aspect: tuple[float, float]
    rim: tuple[float, float]
    nose_gap: tuple[float, float]
    metal: bool


EYEWEAR_STYLES = {
    "Aviators": EyewearStyle("aviator", (28, 35), (0.80, 0.98), (1.6, 2.8), (13, 20), True),
    "Round Glasses": EyewearStyle("round", (23, 32), (0.90, 1.02), (1.6, 4.4), (15, 23), True),
    "Wayfarers": EyewearStyle("wayfarer", (27, 34), (0.68, 0.88), (4.4, 8.0), (14, 20), False),
    "Cat-eye Glasses": EyewearStyle("cat_eye", (26, 33), (0.66, 0.88), (3.6, 7.5), (13, 20), False),
    "Rectangular Glasses": EyewearStyle("rectangle", (25, 33), (0.48, 0.72), (2.0, 6.0), (14, 21), False),
    "Sports Glasses": EyewearStyle("sport", (31, 36), (0.52, 0.72), (2.4, 4.6), (10, 15), False),
}

LENS_TINTS = ((215, 0.10), (28, 0.42), (95, 0.22), (210, 0.55), (330, 0.40), (44, 0.62), (265, 0.35))
"""Hue and saturation of the tints: grey, brown, green, blue, rose, amber, violet."""


def draw_style(name: str) -> Callable[[Drawing], None]:
    """Return the function that draws one style."""
    return partial(draw_glasses, style=EYEWEAR_STYLES[name])


def lens_outline(drawing: Drawing, shape: str, x: float, y: float, half_width: float, half_height: float) -> Contour:
    """Return the right-hand lens: its style's shape, blended slightly with another one."""
    other = drawing.rng.choice(list(LENS_SHAPES))
    share = drawing.rng.bates(0.0, 0.24)
    tilt = drawing.rng.bates(-0.05, 0.07)
    points = [
        (x + half_width * (px + (qx - px) * share), y + half_height * (py + (qy - py) * share - tilt * px))
        for (px, py), (qx, qy) in zip(LENS_SHAPES[shape], LENS_SHAPES[other], strict=True)
    ]
    return spline([(px, py) for px, py in points], steps=8)


def offset_outline(outline: Contour, distance: float) -> Contour:
    """Move the outline outwards by `distance` along its normals."""
    step = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    length = np.maximum(np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1]), 1e-9)
    return outline + np.stack([step[:, 1], -step[:, 0]], axis=1) / length[:, None] * distance


def draw_glasses(drawing: Drawing, style: EyewearStyle) -> None:
    """Draw a pair of glasses."""
    dice, canvas = drawing.rng, drawing.canvas
    half = dice.bates(*style.half_width)
    high = half * dice.bates(*style.aspect)
    rim = dice.bates(*style.rim)
    gap = max(dice.bates(*style.nose_gap), 2 * rim + 2)
    half = min(half, (160 - gap) / 4 - rim)
    x, y = MIDDLE + gap / 2 + half, DRAWING_SIZE[0] / 2
    metal = style.metal and dice.chance(0.7)
    tint = pick_tint(drawing)
    right = lens_outline(drawing, style.shape, x, y, half, high)
    rims = [offset_outline(right, rim), mirror(offset_outline(right, rim), MIDDLE)]
    lenses = [offset_outline(right, 0.4), mirror(offset_outline(right, 0.4), MIDDLE)]
    canvas.add_shadow([outline + np.array([1.0, 6.0]) for outline in rims], 0.20, soft=5)
    canvas.add_shadow([outline + np.array([0.5, 2.0]) for outline in rims], 0.14, soft=2)
    frame = METAL if metal else Finish(round=2.2 + rim * 0.3, depth=1.25, gloss=0.65, cast=0.35, rim=0.7)
    draw_temples(drawing, right, rim, frame, y, high)
    covers = [canvas.mask(lens) for lens in lenses]
    clear = tint.lightness
    for cover in covers:
        draw_lens(drawing, cover, tint, y, high, 1.0 - 0.72 * clear * clear)
    draw_bridge(drawing, style, right, rim, frame, y, high)
    for outer, inner in zip(rims, (right, mirror(right, MIDDLE)), strict=True):
        drawing.paint_body([outer, inner[::-1]], frame)
    if style.shape in ("wayfarer", "cat_eye") and dice.chance(0.7):
        draw_studs(drawing, right, rim, y, high)
    if metal:
        draw_nose_pads(drawing, right, rim, y, high)
    drawing.attributes["lens_lightness"] = round(tint.lightness, 4)
    drawing.attributes["lens_hue"] = round(tint.hue, 1)
    drawing.attributes["lens_width"] = round(2 * half / DRAWING_SIZE[1], 4)
    drawing.attributes["lens_height"] = round(2 * high / DRAWING_SIZE[0], 4)
    drawing.attributes["rim_thickness"] = round(rim / DRAWING_SIZE[1], 4)
    drawing.attributes["bridge_width"] = round(gap / DRAWING_SIZE[1], 4)


def pick_tint(drawing: Drawing) -> Colour:
    """Pick a lens tint from nearly clear to nearly black."""
    dice = drawing.rng
    hue, saturation = dice.choice(LENS_TINTS)
    lightness = dice.uniform(0.78, 0.92) if dice.chance(0.28) else dice.uniform(0.12, 0.72)
    return Colour((hue + dice.uniform(-8, 8)) % 360, saturation * dice.uniform(0.7, 1.1), lightness)


def draw_lens(drawing: Drawing, cover: Field, tint: Colour, y: float, half_height: float, opacity: float) -> None:
    """Draw tinted glass: darker above, with a slanting reflection."""
    canvas = drawing.canvas
    canvas.paint(cover, tint, Finish(round=10, depth=0.25, gloss=0.1, cast=0.0, rim=0.0, opacity=opacity))
    _, ys = canvas.grid()
    fade = np.minimum(np.maximum((np.float32(y) - ys) / np.float32(2 * half_height) + np.float32(0.5), 0), 1)
    canvas.adjust_lightness(fade, -0.26, soft=1, within=cover)
    canvas.adjust_lightness(1 - fade, 0.12, soft=1, within=cover)
    inside = np.flatnonzero(cover.any(axis=0))
    left = float(canvas.grid()[0][0, inside[0]]) if len(inside) else 0.0
    slant = half_height * 1.1
    for start, wide in ((8.0, 9.0), (21.0, 3.5)):
        x0 = left + start
        top, bottom = y - half_height, y + half_height
        band = polygon((x0 + slant, top), (x0 + slant + wide, top), (x0 + wide, bottom), (x0, bottom))
        canvas.adjust_lightness(band, 0.17 if tint.lightness < 0.7 else 0.5, soft=1.2, within=cover)


def draw_temples(drawing: Drawing, right: Contour, rim: float, frame: Finish, y: float, half_height: float) -> None:
    """Draw the hinges at the sides, and the temples folded behind the lenses."""
    canvas, colour = drawing.canvas, drawing.colour
    outer = float(right[:, 0].max()) + rim
    level = y - half_height * drawing.rng.bates(0.45, 0.72)
    thick = max(2.6, rim * drawing.rng.bates(0.8, 1.2))
    far = frame.replace(cast=0.0)
    for side in (1, -1):
        edge = MIDDLE + side * (outer - MIDDLE)
        reach = side * (outer - MIDDLE)
        near, far_end = (MIDDLE + reach * 0.5, level + 3.0 + side), (MIDDLE - reach * 0.62, level + 11 + side * 1.5)
        fold = spline(
            [(edge + side * 0.8, level), near, (MIDDLE - reach * 0.30, level + 5.5 + side), far_end], closed=False
        )
        canvas.paint(ribbon(fold, np.linspace(thick, thick * 1.2, len(fold))), colour.shade(-0.12), far)
    for side in (1, -1):
        edge = MIDDLE + side * (outer - MIDDLE)
        stub = spline(
            [(edge - side * 4, level + 0.5), (edge + side * 1.6, level), (edge + side * 2.4, level + 2.5)], closed=False
        )
        canvas.paint(ribbon(stub, thick * 1.15), colour, frame)


def draw_bridge(
    drawing: Drawing, style: EyewearStyle, right: Contour, rim: float, frame: Finish, y: float, half_height: float
) -> None:
    """Draw the bridge between the lenses: a bar, two bars, or a saddle."""
    near = right[right[:, 0] < float(right[:, 0].min()) + 6.0]
    x = float(right[:, 0].min())
    top = float(near[:, 1].min())
    thick = max(rim * 0.95, 1.9)
    rise = drawing.rng.bates(0.2, 0.55) * half_height * 0.4
    level = min(top + half_height * 0.35, y - half_height * 0.12)
    inner = x - rim * 0.3
    shift = inner - MIDDLE
    line = spline([(MIDDLE - shift - 1, level), (MIDDLE, level - rise), (MIDDLE + shift + 1, level)], closed=False)
    drawing.canvas.paint(ribbon(line, thick * (1.0 if style.metal else 1.25)), drawing.colour, frame)
    if style.shape == "aviator":
        above = float(right[:, 1].min()) + half_height * 0.12
        bar = spline(
            [(MIDDLE - shift - 9, above + 1.5), (MIDDLE, above - 0.5), (MIDDLE + shift + 9, above + 1.5)], closed=False
        )
        drawing.canvas.paint(ribbon(bar, thick), drawing.colour, frame)


def draw_studs(drawing: Drawing, right: Contour, rim: float, y: float, half_height: float) -> None:
    """Draw two small rivets at each outer corner."""
    x, level = float(right[:, 0].max()) + rim * 0.15, y - half_height * 0.74
    for side in (1, -1):
        for step in (0.0, 4.2):
            at = MIDDLE + side * (x - step - MIDDLE)
            rivet = oval(at, level - rim * 0.9 + 0.6, 1.3, 1.0, steps=4)
            drawing.canvas.paint(rivet, GOLD if drawing.colour.lightness < 0.3 else STEEL, METAL)


def draw_nose_pads(drawing: Drawing, right: Contour, rim: float, y: float, half_height: float) -> None:
    """Draw pale pads on thin arms."""
    x = float(right[:, 0].min()) - rim
    for side in (1, -1):
        at = MIDDLE + side * (x - MIDDLE + 1.0)
        pad = oval(at - side * 1.6, y + half_height * 0.22, 1.7, 4.2)
        drawing.canvas.paint(pad, Colour(40, 0.2, 0.86), Finish(round=2, gloss=0.5, cast=0.2, opacity=0.75))
