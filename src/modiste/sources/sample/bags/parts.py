"""Parts of bags: outline, handles, zips, locks, rings, folds, tags."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.canvas import DRAWING_SIZE, Finish
from modiste.sources.sample.curves import (
    Contour,
    Point,
    dashes,
    oval,
    ribbon,
    rounded_polygon,
    rounded_rectangle,
    spline,
)
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GOLD, GUM, STEEL, Colour
from modiste.sources.sample.raster import Field

METAL = Finish(round=1.5, depth=1.2, gloss=0.9, cast=0.4, rim=0.8)
INSIDE = Finish(round=5, depth=0.4, gloss=0.0, cast=0.0)
MIDDLE = DRAWING_SIZE[1] / 2


def pick_metal(drawing: Drawing) -> Colour:
    """Pick the metal of rings, locks and zips."""
    return drawing.rng.choice([GOLD, GOLD, STEEL, STEEL.shade(-0.45)])


def pick_trim_colour(drawing: Drawing) -> Colour:
    """Pick the colour of handles and edges: the body's own, a darker tone, or tan leather."""
    colour = drawing.colour
    way = drawing.rng.weighted_choice({"own": 5, "tone": 3, "tan": 2})
    if way == "tan":
        return GUM.shade(-0.25)
    return colour if way == "own" else colour.shade(-0.35 if colour.lightness > 0.22 else 0.2)


def place_body(drawing: Drawing, height: float, strap: float) -> tuple[float, float]:
    """Return the body's top and bottom that centre body and strap in the frame, and record both heights."""
    top = DRAWING_SIZE[0] / 2 - (height + strap) / 2 + strap
    drawing.attributes["strap_length"] = round(strap / DRAWING_SIZE[0], 4)
    drawing.attributes["body_height"] = round(height / DRAWING_SIZE[0], 4)
    return top, top + height


def add_contact_shadow(drawing: Drawing, bottom: float, width: float) -> None:
    """Add the contact shadow of a standing bag."""
    drawing.canvas.add_shadow(oval(MIDDLE, bottom, width / 2 * 0.97, 3.0), 0.5, soft=2.2)
    drawing.canvas.add_shadow(oval(MIDDLE, bottom + 2, width / 2 * 1.0, 6.0), 0.28, soft=5)


def arch(left: float, right: float, y: float, rise: float, *, square: float = 0.3) -> Contour:
    """Return a handle's line: up from (left, y), over, and down to (right, y)."""
    span = right - left
    points: list[Point] = [
        (left, y), (left + span * 0.03, y - rise * 0.5),
        (left + span * (0.22 - 0.1 * square), y - rise * (0.86 + 0.08 * square)),
        (left + span / 2, y - rise),
        (right - span * (0.22 - 0.1 * square), y - rise * (0.86 + 0.08 * square)),
        (right - span * 0.03, y - rise * 0.5), (right, y),
    ]  # fmt: skip
    return spline(points, closed=False)


def body_outline(
    top: float, bottom: float, top_width: float, width: float, *, sag: float, corner: float, bulge: float = 0.0
) -> Contour:
    """Return a bag's outline: `corner` rounds it below, its mouth sags and its sides bulge."""
    t, b = top_width / 2, width / 2
    upper = min(3.0 + corner * 0.25, 9.0)
    shape = trapezoid(top, bottom, (t, upper), (b, corner))
    across, down = (shape[:, 0] - MIDDLE) / max(t, b), (shape[:, 1] - top) / (bottom - top)
    bent = shape.copy()
    bent[:, 0] += across * 4 * down * (1 - down) * bulge
    bent[:, 1] += sag * (1 - across * across) * (1 - down) + sag * 0.2 * (1 - across * across) * down
    return bent


def inset_outline(shape: Contour, by: float, *, below: float | None = None) -> Contour:
    """Return the outline `by` units further in, closed; only the part below `below` if given."""
    x0, x1 = float(shape[:, 0].min()), float(shape[:, 0].max())
    y0, y1 = float(shape[:, 1].min()), float(shape[:, 1].max())
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    shrink = np.array([1 - 2 * by / (x1 - x0), 1 - 2 * by / (y1 - y0)])
    line = (shape - middle) * shrink + middle
    return np.concatenate([line, line[:1]]) if below is None else line[line[:, 1] > below]


def trapezoid(top: float, bottom: float, upper: tuple[float, float], lower: tuple[float, float]) -> Contour:
    """Return a symmetric outline; `upper` and `lower` are half its width there, and the radius of the corners."""
    (t, t_radius), (b, b_radius) = upper, lower
    return rounded_polygon([
        (MIDDLE - t, top, t_radius), (MIDDLE + t, top, t_radius), (MIDDLE + b, bottom, b_radius),
        (MIDDLE - b, bottom, b_radius),
    ])  # fmt: skip


def draw_ring(drawing: Drawing, x: float, y: float, size: float, metal: Colour) -> None:
    """Draw a metal ring."""
    drawing.canvas.paint([oval(x, y, size, size), oval(x, y, size - 1.5, size - 1.5)[::-1]], metal, METAL)


def draw_zipper(drawing: Drawing, line: Contour, metal: Colour, within: Field | None = None) -> None:
    """Draw a zip along a line, with its pull at the right end."""
    canvas = drawing.canvas
    canvas.paint(ribbon(line, 4.2), drawing.colour.shade(-0.5), Finish(round=2, gloss=0, cast=0), within=within)
    canvas.paint(dashes(line, 1.1, 1.1, 2.0), metal, METAL.replace(cast=0.0), within=within)
    x, y = line[-1]
    canvas.paint(rounded_rectangle(x - 4, y - 1.6, x + 1, y + 1.8, 1.2), metal, METAL)
    canvas.paint(rounded_rectangle(x - 3.2, y + 1.5, x - 0.4, y + 11, 1.2), metal, METAL)


def draw_folds(drawing: Drawing, body: Field, top: float, height: float, width: float) -> None:
    """Draw soft hollows in a hanging body."""
    dice = drawing.rng
    for _ in range(2):
        x = MIDDLE + width * dice.uniform(-0.36, 0.36)
        y = top + height * dice.uniform(0.45, 0.75)
        bend, end = (x + dice.uniform(-5, 5), y), (x + dice.uniform(-9, 9), y + height * 0.22)
        line = spline([(x, y - height * 0.26), bend, end], closed=False)
        half = len(line) // 2
        swell = np.concatenate([np.linspace(1.0, 8.0, half), np.linspace(8.0, 1.0, len(line) - half)])
        drawing.canvas.adjust_lightness(ribbon(line, swell), dice.choice([-0.16, 0.10]), soft=3, within=body)


def draw_charm(drawing: Drawing, x: float, y: float, metal: Colour) -> None:
    """Draw a tag on a cord."""
    canvas = drawing.canvas
    canvas.paint(ribbon(np.array([[x, y], [x + 4, y + 12]]), 1.4), metal, METAL)
    tag = rounded_rectangle(x - 1, y + 11, x + 9, y + 27, 4)
    canvas.paint(tag, GUM.shade(-0.2), drawing.finish.replace(round=3, cast=0.4))
    canvas.paint(oval(x + 4, y + 14, 1.3, 1.3, steps=4), metal, METAL)


def draw_lock(drawing: Drawing, x: float, y: float, size: float, metal: Colour) -> None:
    """Draw a clasp: a plate and its turning knob."""
    canvas = drawing.canvas
    if drawing.rng.chance(0.5):
        canvas.paint(rounded_rectangle(x - size, y - size * 0.62, x + size, y + size * 0.62, 2.5), metal, METAL)
        knob = rounded_rectangle(x - size * 0.3, y - size * 0.8, x + size * 0.3, y + size * 0.8, 1.5)
        canvas.paint(knob, metal.shade(0.2), METAL)
    else:
        canvas.paint(oval(x, y, size * 0.8, size * 0.8), metal, METAL.replace(round=3))
        canvas.paint(oval(x, y, size * 0.32, size * 0.32), metal.shade(-0.35), METAL.replace(cast=0.1))
