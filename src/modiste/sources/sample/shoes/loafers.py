"""Loafers and lace-up derbies."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.curves import oval, ribbon, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GOLD, GUM, INK
from modiste.sources.sample.shoes.last import INSIDE, METAL, SOLE, add_ground_shadow, make_last, record_heights
from modiste.sources.sample.shoes.parts import draw_heel_block, draw_laces


def draw_loafers(drawing: Drawing) -> None:
    """Draw loafers: penny, tassel, horsebit, or laced."""
    dice = drawing.rng
    heel = dice.bates(0.035, 0.09)
    sole = dice.bates(0.022, 0.04)
    collar = dice.bates(0.24, 0.32)
    toe = dice.bates(0.13, 0.18)
    last = make_last(drawing, heel + sole + collar, lift=heel * 0.5, spring=dice.bates(0.01, 0.04))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.04)
    add_ground_shadow(drawing, last, 0.02, 0.99)
    t = sole * 0.7
    draw_heel_block(drawing, last, sole, 0.26, 0.0, INK.shade(0.05))
    opening = last.curve(
        [(0.42, t + collar * 0.8), (0.6, t + collar * 0.92), (0.92, t + collar * 1.02), (0.95, t + 0.1), (0.5, t + 0.1)]
    )
    canvas.paint(opening, GUM.shade(-0.1), INSIDE)
    upper = last.curve([
        (0.008, t + 0.012, 1), (0.008, t + toe * 0.45), (0.06, t + toe * 0.9), (0.16, t + toe * 1.14),
        (0.30, t + toe * 1.32), (0.45, t + collar * 1.06, 1), (0.50, t + collar * 0.80),
        (0.62, t + collar * 0.68), (0.78, t + collar * 0.74), (0.90, t + collar * 0.97),
        (0.955, t + collar, 1), (0.985, t + collar * 0.7), (0.975, t + collar * 0.4), (0.995, t + 0.05),
        (0.99, t - 0.02, 1), (0.5, t - 0.02), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.paint_body(upper, drawing.finish.replace(round=11))
    apron = last.curve(
        [(0.07, t + toe * 0.62), (0.16, t + toe * 0.80), (0.30, t + toe * 0.9), (0.42, t + collar * 0.66)], closed=False
    )
    canvas.adjust_lightness(ribbon(apron, 1.6), -0.45, soft=1, within=body)
    drawing.stitch(apron + np.array([0.0, 2.2]), 2.0, 1.6, 0.8, body)
    style = dice.weighted_choice({"penny": 3, "tassel": 2, "lace": 3, "bit": 2})
    band = colour.shade(-0.18 if colour.lightness > 0.2 else 0.14)
    saddle = last.curve([(0.30, t + toe * 1.45), (0.42, t + toe * 1.5), (0.52, t - 0.02), (0.36, t - 0.02)])
    if style == "lace":
        front = last.curve([(0.25, t + toe * 1.26), (0.35, t + toe * 1.4), (0.45, t + collar * 1.03)], closed=False)
        stay = last.curve([
            (0.22, t + toe * 1.4), (0.28, t + toe * 0.9), (0.42, t + toe * 0.85),
            (0.54, t + collar * 0.6), (0.52, t + collar * 1.1), (0.35, t + toe * 1.6),
        ])  # fmt: skip
        canvas.paint(stay, band, drawing.finish.replace(round=4), within=body)
        draw_laces(drawing, front, 4, 8.0, INK.shade(0.05), body)
    else:
        canvas.paint(saddle, band, drawing.finish.replace(round=5, cast=0.35), within=body)
        x, y = last.above_sole(0.37, t + toe * 1.2)
        if style == "bit":
            bar = ribbon(np.array([[x - 7, y - 1.5], [x + 12, y + 6.5]]), 2.2)
            canvas.paint([*bar, *ribbon(oval(x - 6, y - 1, 3.2, 3.2), 1.4, caps=False)], GOLD, METAL)
        elif style == "tassel":
            for side in (-1, 1):
                tassel = spline([(x, y), (x + side * 3 + 1, y + 5), (x + side * 4 + 3, y + 13), (x + side + 1, y + 13)])
                canvas.paint(tassel, band.shade(-0.2), drawing.finish.replace(round=2))
        else:
            slot = last.curve([(0.36, t + toe * 1.0), (0.41, t + toe * 0.92), (0.44, t + toe * 0.98)], closed=False)
            canvas.adjust_lightness(ribbon(slot, 3.2), -0.55, soft=1, within=body)
    rim = last.curve(
        [(0.52, t + collar * 0.70), (0.63, t + collar * 0.58), (0.78, t + collar * 0.64), (0.92, t + collar * 0.88)],
        closed=False,
    )
    drawing.stitch(rim, 2.0, 1.6, 0.8, body)
    canvas.paint(last.sole_outline(sole), INK.shade(0.07) if dice.chance(0.7) else GUM.shade(-0.35), SOLE)
    welt = last.curve([(0.0, sole), (0.5, sole), (1.0, sole)], closed=False)
    canvas.adjust_lightness(ribbon(welt, 1.0), 0.2, soft=1, within=body)
    record_heights(drawing, last.length, heel=last.sole_height(1.0) + sole, sole=sole, shaft=collar)
