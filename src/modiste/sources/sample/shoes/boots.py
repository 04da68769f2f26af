"""Boots, from ankle to knee height."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.canvas import Finish
from modiste.sources.sample.curves import Contour, Point, dashes, oval, ribbon, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GOLD, GUM, INK, STEEL
from modiste.sources.sample.shoes.last import INSIDE, LACE, METAL, SOLE, add_ground_shadow, make_last, record_heights
from modiste.sources.sample.shoes.parts import draw_buckle, draw_heel_block, draw_laces


def draw_boots(drawing: Drawing) -> None:
    """Draw boots, from ankle to knee height, flat or with a block heel."""
    dice = drawing.rng
    shaft = dice.uniform(0.42, 1.25)
    heel = dice.bates(0.05, 0.32) if dice.chance(0.75) else dice.bates(0.03, 0.08)
    sole = dice.bates(0.03, 0.07)
    toe = dice.bates(0.14, 0.19)
    last = make_last(drawing, heel * 0.9 + sole + shaft, lift=heel, spring=dice.bates(0.005, 0.03))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.06)
    finish = drawing.finish.replace(round=14, depth=0.95)
    girth = dice.bates(0.40, 0.52)
    lean = dice.bates(-0.03, 0.04)
    add_ground_shadow(drawing, last, 0.02, 1.0)
    t, top = sole * 0.7, shaft
    back = 0.985
    front = back - girth
    width, taper = dice.bates(0.2, 0.3), dice.bates(0.0, 0.06)
    draw_heel_block(drawing, last, sole, width, taper, INK.shade(0.04) if dice.chance(0.6) else GUM.shade(-0.4))
    mouth = (front + back) / 2 + lean
    opening = oval(*last.above_ground(mouth, last.lift + top), girth / 2 * last.length * 0.99, 5.0)
    canvas.paint(opening, colour.shade(-0.55), INSIDE)
    lift = last.lift

    def up(u: float, v: float, *corner: int) -> Point:
        """Return a point of the shaft, measured from the heel seat, vertical regardless of the sole below."""
        return (u, v + lift - last.sole_height(u), *corner)

    upper = last.curve([
        (0.015, t + 0.01, 1), (0.01, t + toe * 0.45), (0.07, t + toe * 0.9), (0.18, t + toe * 1.12),
        (0.34, t + toe * 1.5), up(front - 0.01, min(0.34 + toe * 0.2, top * 0.6)),
        up(front + 0.01, min(0.52, top * 0.75)), up(front + lean, top, 1), up(mouth, top - 0.025),
        up(back + lean, top, 1), up(back - 0.012, top * 0.68), up(back - 0.035, min(0.30, top * 0.45)),
        up(back + 0.006, 0.13), (back + 0.002, t, 1), (0.55, t - 0.03), (0.03, t - 0.02, 1),
    ])  # fmt: skip
    body = drawing.paint_body(upper, finish)
    style = dice.weighted_choice({"chelsea": 3, "lace": 3, "zip": 2, "buckle": 3})
    ankle = last.lift
    if style == "chelsea":
        high = ankle + min(top, 0.75)
        gore = last.ground_curve(
            [(mouth - 0.085, high), (mouth + 0.085, high), (mouth + 0.05, ankle + 0.2), (mouth - 0.03, ankle + 0.2)]
        )
        ribs = list[Contour]()
        elastic = Finish(round=3, gloss=0, grain=0.1, weave=True, cast=0.1)
        panel = canvas.paint(gore, colour.shade(-0.45 if colour.lightness > 0.2 else 0.2), elastic, within=body)
        for i in range(9):
            upper_end = last.above_ground(mouth - 0.09 + 0.0225 * i, ankle + top)
            lower_end = last.above_ground(mouth - 0.06 + 0.017 * i, ankle + 0.15)
            ribs += ribbon(np.array([upper_end, lower_end]), 0.7, caps=False)
        canvas.adjust_lightness(ribs, -0.4, soft=1, within=panel)
    elif style == "lace":
        low, high = 0.30, min(top - 0.03, 0.85)
        throat = last.above_sole(0.34, t + toe * 1.5)
        shin = last.above_ground(front, ankle + low + 0.05)
        line = spline([throat, shin, last.above_ground(front + 0.012 + lean * 0.7, ankle + high)], closed=False)
        lace = INK.shade(0.1) if colour.lightness > 0.3 else GUM.shade(-0.2)
        draw_laces(drawing, line, 4 + int(high * 6), 11.0, lace, body)
    elif style == "buckle":
        v = ankle + dice.bates(0.24, 0.36)
        strap = last.ground_curve([(front - 0.06, v - 0.02), (mouth, v - 0.05), (back + 0.02, v + 0.02)], closed=False)
        tone = colour.shade(-0.2 if colour.lightness > 0.2 else 0.15)
        canvas.paint(ribbon(strap, 6.5), tone, drawing.finish.replace(round=2.5, cast=0.4), within=body)
        draw_buckle(drawing, *last.above_ground(mouth - 0.03, v - 0.048), 9.0, 9.5, GOLD if dice.chance(0.5) else STEEL)
    else:
        zipper = last.ground_curve(
            [(mouth + 0.06 + lean, ankle + top), (mouth + 0.04, ankle + top * 0.5), (mouth + 0.05, ankle + 0.12)],
            closed=False,
        )
        canvas.paint(ribbon(zipper, 3.4), colour.shade(-0.4), LACE.replace(cast=0.2), within=body)
        metal = GOLD if dice.chance(0.4) else STEEL
        canvas.paint(dashes(zipper, 1.1, 1.1, 1.6), metal, METAL.replace(cast=0), within=body)
    seam = last.curve([(0.30, t), (0.40, t + toe * 0.8), up(0.52, 0.22), up(0.62, 0.24), (0.74, t)], closed=False)
    drawing.stitch(seam, 2.2, 1.6, 0.8, body)
    edge = ankle + top - 0.035
    rim = last.ground_curve(
        [(front + lean + 0.01, edge), (mouth, ankle + top - 0.06), (back + lean - 0.01, edge)], closed=False
    )
    drawing.stitch(rim, 2.2, 1.6, 0.8, body)
    canvas.paint(last.sole_outline(sole), INK.shade(0.06) if dice.chance(0.7) else GUM.shade(-0.3), SOLE)
    record_heights(drawing, last.length, heel=heel + sole, sole=sole, shaft=shaft)
