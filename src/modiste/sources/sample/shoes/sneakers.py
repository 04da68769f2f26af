"""Sneakers, from low ones to high tops."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.curves import Contour, ribbon
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import CHALK, GUM, INK
from modiste.sources.sample.shoes.last import INSIDE, SOLE, add_ground_shadow, make_last, record_heights
from modiste.sources.sample.shoes.parts import draw_laces


def draw_sneakers(drawing: Drawing) -> None:
    """Draw sneakers, from low ones to high tops."""
    dice = drawing.rng
    sole = dice.bates(0.07, 0.15)
    collar = dice.bates(0.36, 0.50) if dice.chance(0.7) else dice.bates(0.5, 0.74)
    toe = dice.bates(0.15, 0.22)
    last = make_last(drawing, sole + collar, spring=dice.bates(0.01, 0.05), lift=dice.bates(0.0, 0.03))
    canvas, colour, finish = drawing.canvas, drawing.colour, drawing.finish
    drawing.choose_pattern(0.22)
    accent = drawing.second_colour or (CHALK if colour.lightness < 0.6 else dice.choice([INK, colour.shade(-0.5), GUM]))
    sole_colour = CHALK if dice.chance(0.65) else dice.choice([INK, GUM, accent, colour.shade(-0.4)])
    add_ground_shadow(drawing, last, 0.02, 0.99)

    t = sole * 0.8
    lining = colour.shade(-0.5) if colour.lightness > 0.3 else colour.shade(0.25)
    opening = last.curve([
        (0.5, t + collar * 0.8), (0.57, t + collar * 1.02), (0.75, t + collar * 0.97),
        (0.93, t + collar * 1.03), (0.95, t + collar * 0.6), (0.6, t + collar * 0.5),
    ])  # fmt: skip
    canvas.paint(opening, lining, INSIDE)
    tongue = last.curve([
        (0.40, t + collar * 0.6), (0.47, t + collar * 0.92), (0.52, t + collar * 1.09),
        (0.58, t + collar * 1.08), (0.60, t + collar * 0.85), (0.5, t + collar * 0.6),
    ])  # fmt: skip
    canvas.paint(tongue, colour.shade(0.12), finish.replace(round=5))
    dip = collar * dice.bates(0.68, 0.86)
    upper = last.curve([
        (0.012, t + 0.01, 1), (0.012, t + toe * 0.45), (0.06, t + toe * 0.88), (0.15, t + toe * 1.08),
        (0.28, t + toe + (collar - toe) * 0.30), (0.42, t + toe + (collar - toe) * 0.72),
        (0.535, t + collar * 1.0, 1), (0.60, t + dip * 1.06), (0.70, t + dip), (0.82, t + dip * 1.05),
        (0.91, t + collar * 0.99), (0.96, t + collar * 1.03, 1), (0.985, t + collar * 0.78),
        (0.972, t + collar * 0.45), (0.992, t + 0.1), (0.985, t - 0.03, 1), (0.5, t - 0.04),
        (0.02, t - 0.03, 1),
    ])  # fmt: skip
    body = drawing.paint_body(upper, finish.replace(round=13, depth=0.9))
    # overlays: toe cap, heel counter, a band at the side
    overlay = finish.replace(round=4, depth=0.5, cast=0.3)
    trim = accent if dice.chance(0.5) else colour.shade(-0.22 if colour.lightness > 0.25 else 0.18)
    if dice.chance(0.65):
        cap = last.curve(
            [(-0.02, t - 0.05), (-0.02, t + toe), (0.1, t + toe * 1.2), (0.17, t + toe * 0.75), (0.2, t - 0.05)]
        )
        canvas.paint(cap, trim, overlay, within=body)
    if dice.chance(0.75):
        counter = last.curve([
            (0.82, t - 0.06), (0.83, t + collar * 0.3), (0.9, t + collar * 0.52),
            (0.92, t + collar * 1.1), (1.03, t + collar * 1.1), (1.03, t - 0.06),
        ])  # fmt: skip
        canvas.paint(counter, trim, overlay, within=body)
    side = dice.weighted_choice({"bars": 3, "wave": 3, "none": 2})
    lean = dice.bates(0.05, 0.14)
    if side == "bars":
        bars = list[Contour]()
        for u in (0.46 + 0.075 * i for i in range(3)):
            line = np.array([last.above_sole(u, t - 0.02), last.above_sole(u - lean, t + collar * 0.62)])
            bars += ribbon(line, 4.6, caps=False)
        canvas.paint(bars, accent, overlay.replace(round=2), within=body)
    elif side == "wave":
        line = last.curve(
            [(0.30, t + 0.07), (0.45, t + 0.045 + lean * 0.3), (0.62, t + 0.10 + lean), (0.86, t + collar * 0.62)],
            closed=False,
        )
        wave = ribbon(line, np.linspace(9.5, 2.0, len(line)))
        canvas.paint(wave, accent, overlay.replace(round=2), within=body)
    # the lace stay and its stitching
    front = last.curve(
        [(0.22, t + toe * 1.05), (0.36, t + toe + (collar - toe) * 0.53), (0.53, t + collar * 0.99)], closed=False
    )
    stay = last.curve([
        (0.2, t + toe * 1.2), (0.2, t + toe * 0.82), (0.32, t + toe * 1.02), (0.45, t + collar * 0.62),
        (0.545, t + collar * 0.74), (0.56, t + collar * 1.1), (0.4, t + collar * 1.05),
    ])  # fmt: skip
    canvas.paint(stay, trim, overlay, within=body)
    seam = last.curve([(0.31, t + toe * 0.93), (0.45, t + collar * 0.55), (0.565, t + collar * 0.68)], closed=False)
    drawing.stitch(seam, 2.2, 1.6, 0.8, body)
    rim = last.curve(
        [(0.56, t + collar * 0.86), (0.64, t + dip * 0.9), (0.74, t + dip * 0.86), (0.9, t + collar * 0.84)],
        closed=False,
    )
    drawing.stitch(rim, 2.2, 1.6, 0.8, body)
    lace = CHALK if dice.chance(0.7) else accent
    draw_laces(drawing, front, 4 + int((collar - 0.34) * 9), 10.0, lace, body)
    # the sole over the upper's lower edge, its foxing line, and the tread
    shell = canvas.paint(last.sole_outline(sole, bulge=0.016), sole_colour, SOLE)
    line = last.sole_outline(sole * 0.62, bulge=0.02)
    canvas.adjust_lightness(ribbon(np.concatenate([line, line[:1]]), 0.9), -0.28, soft=1, within=shell)
    tread = INK if sole_colour.lightness > 0.3 and dice.chance(0.5) else sole_colour.shade(-0.3)
    ground = last.sole_outline(sole * 0.26, toe=0.01, heel=0.985)
    canvas.paint(ground, tread, SOLE.replace(cast=0.0, round=2), within=shell)
    drawing.attributes["sole_lightness"] = round(sole_colour.lightness, 4)
    record_heights(drawing, last.length, heel=last.sole_height(1.0) + sole, sole=sole, shaft=collar)
