"""Parts of shoes: laces, heels, buckles, bows, ankle straps."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.curves import Contour, Point, oval, ribbon, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GOLD, INK, STEEL, Colour
from modiste.sources.sample.raster import Field
from modiste.sources.sample.shoes.last import LACE, METAL, SOLE, Last


def draw_laces(drawing: Drawing, line: Contour, count: int, reach: float, colour: Colour, within: Field) -> None:
    """Draw rungs of lace across the vamp along `line`, each ending in an eyelet."""
    rungs: list[Contour] = []
    holes: list[Contour] = []
    for i in range(count):
        x, y = line[round((0.06 + 0.86 * i / max(count - 1, 1)) * (len(line) - 1))]
        end = (x + reach, y + reach * 0.72)
        rungs.extend(ribbon(spline([(x - 2, y - 1), (x + reach * 0.5, y + reach * 0.22), end], closed=False), 2.9))
        holes.append(oval(*end, 2.0, 2.0, steps=4))
    drawing.canvas.paint(holes, STEEL if colour.lightness < 0.5 else INK, METAL, within=within)
    drawing.canvas.paint(rungs, colour, LACE)


def draw_heel_block(drawing: Drawing, last: Last, sole: float, width: float, taper: float, colour: Colour) -> None:
    """Draw the heel between the ground and the raised end of the sole."""
    if last.lift < 0.012:
        return
    reach = last.lift + sole * 0.5
    outline: list[Point] = [
        (1 - width, reach, 1), (1 - width + taper * 0.5 + width * 0.06, reach * 0.5),
        (1 - width + taper + width * 0.08, 0.0, 1), (0.985 - taper * 0.5, 0.0, 1),
        (0.975 - taper * 0.2, reach * 0.5), (1.0, reach, 1),
    ]  # fmt: skip
    drawing.canvas.paint(last.ground_curve(outline), colour, SOLE.replace(gloss=0.25, round=5))


def draw_buckle(drawing: Drawing, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    """Draw a square metal frame with its pin."""
    outer = oval(x, y, width / 2, height / 2, square=0.75)
    inner = oval(x, y, width / 2 - 1.7, height / 2 - 1.7, square=0.75)[::-1]
    drawing.canvas.paint([outer, inner], colour, METAL)
    drawing.canvas.paint(ribbon(np.array([[x - width / 2, y], [x + width / 2 - 1, y]]), 1.5), colour, METAL)


def draw_ankle_strap(drawing: Drawing, last: Last, v: float, seat: float, width: float) -> None:
    """Draw a strap around the ankle, `v` foot lengths above the ground, and one up the heel from `seat`."""
    canvas, finish = drawing.canvas, drawing.finish.replace(round=2, cast=0.3)
    x, y = last.above_ground(0.82, v)
    rx, ry = last.length * 0.15, last.length * 0.042
    hoop = oval(x, y, rx, ry, square=0.2)  # from the right, over the front (below), to the left, and back
    half = len(hoop) // 2
    far = ribbon(np.concatenate([hoop[half:], hoop[:1]]), width * 0.9)
    canvas.paint(far, drawing.colour.shade(-0.35), finish.replace(cast=0))
    post = spline([last.above_ground(0.965, seat), last.above_ground(0.985, (seat + v) / 2), (x + rx, y)], closed=False)
    canvas.paint(ribbon(post, width * 1.1), drawing.colour, finish)
    canvas.paint(ribbon(hoop[: half + 1], width), drawing.colour, finish)
    draw_buckle(drawing, x - rx * 0.1, y + ry, width + 3.4, width + 3.6, GOLD if drawing.rng.chance(0.6) else STEEL)


def draw_bow(drawing: Drawing, x: float, y: float, size: float) -> None:
    """Draw a bow of the main material."""
    for side in (-1, 1):
        wing = spline([
            (x, y), (x + side * size * 0.5, y - size * 0.42), (x + side * size * 0.8, y - size * 0.05),
            (x + side * size * 0.5, y + size * 0.3),
        ])  # fmt: skip
        drawing.canvas.paint(wing, drawing.colour.shade(-0.08), drawing.finish.replace(round=3))
    knot = oval(x, y, size * 0.17, size * 0.2, square=0.4)
    drawing.canvas.paint(knot, drawing.colour, drawing.finish.replace(round=2))
