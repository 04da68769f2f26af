"""Sandals, and flip-flops seen from above."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.canvas import DRAWING_SIZE, Finish
from modiste.sources.sample.curves import Contour, Point, oval, ribbon, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import CHALK, GUM, INK
from modiste.sources.sample.shoes.last import SOLE, add_ground_shadow, make_last, record_heights
from modiste.sources.sample.shoes.parts import draw_ankle_strap, draw_heel_block

THONG = Finish(round=2.6, depth=1.2, gloss=0.4, cast=0.45, rim=0.5)


def draw_sandals(drawing: Drawing) -> None:
    """Draw open sandals: flat, on a wedge or on a heel, with two to four straps."""
    dice = drawing.rng
    heel = dice.uniform(0.0, 0.42)
    sole = dice.bates(0.05, 0.13)
    back = dice.bates(0.26, 0.40)
    last = make_last(drawing, heel + sole + back, lift=heel, spring=dice.bates(0.005, 0.03))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.12)
    base = dice.choice([GUM, GUM.shade(-0.3), INK, GUM.shade(0.3)])
    wedge = dice.chance(0.55)
    add_ground_shadow(drawing, last, 0.0, 1.0 if wedge or heel < 0.1 else 0.45)
    if wedge and heel > 0.02:
        filler: list[Point] = [
            (0.30, 0.0, 1), (0.32, last.sole_height(0.32) + 0.01),
            (0.6, last.sole_height(0.6) + sole * 0.4), (0.99, heel + sole * 0.5, 1), (0.965, 0.0, 1),
        ]  # fmt: skip
        fill = canvas.paint(last.ground_curve(filler), base, SOLE.replace(grain=0.16, weave=True, round=6))
        levels = [np.array([last.above_ground(u, heel * i / 9) for u in (0.2, 1.0)]) for i in range(1, 9)]
        ropes = [contour for level in levels for contour in ribbon(level, 0.8, caps=False)]
        canvas.adjust_lightness(ropes, -0.3, soft=1, within=fill)
    else:
        draw_heel_block(drawing, last, sole, dice.bates(0.10, 0.26), dice.bates(0.01, 0.08), base)
    t = sole * 0.92
    far = colour.shade(-0.35)
    count = 1 + int(dice.uniform(1.0, 3.99))
    wide = dice.bates(0.06, 0.13) * last.length
    arch = dice.bates(0.13, 0.18)
    spots = [0.16 + 0.34 * i / max(count - 1, 1) for i in range(count)]
    for u in spots:  # the far halves first
        high = arch + (u - 0.1) * 0.3
        line = last.curve([(u + 0.07, t - 0.02), (u + 0.10, t + high * 0.6), (u + 0.06, t + high)], closed=False)
        canvas.paint(ribbon(line, wide * 0.7), far, drawing.finish.replace(round=3, cast=0))
    canvas.paint(last.sole_outline(sole), base, SOLE)
    tread = last.sole_outline(sole * 0.35, toe=0.005, heel=0.995)
    canvas.paint(tread, base.shade(-0.35), SOLE.replace(cast=0, round=2))
    foot = last.curve([(0.02, t + 0.002), (0.3, t + 0.006), (0.6, t + 0.006), (0.98, t + 0.004)], closed=False)
    canvas.paint(ribbon(foot, 2.6), GUM.shade(0.35), SOLE.replace(cast=0, round=2))
    strap = drawing.finish.replace(round=4, depth=0.75, cast=0.4)
    for u in spots:
        high = arch + (u - 0.1) * 0.3
        line = last.curve([(u - 0.05, t - 0.03), (u - 0.035, t + high * 0.55), (u + 0.06, t + high)], closed=False)
        part = drawing.paint_body(ribbon(line, np.linspace(wide, wide * 0.8, len(line)))[:1], strap)
        drawing.stitch(line + np.array([wide * 0.3, 0.0]), 1.8, 1.5, 0.7, part)
    counter = last.curve([
        (0.80, t - 0.02, 1), (0.86, t + back * 0.42), (0.95, t + back * 0.66, 1),
        (0.995, t + back * 0.62), (1.0, t - 0.02, 1),
    ])  # fmt: skip
    part = drawing.paint_body(counter, strap)
    seam = last.curve([(0.83, t), (0.88, t + back * 0.36), (0.95, t + back * 0.56)], closed=False)
    drawing.stitch(seam, 1.8, 1.5, 0.7, part)
    ankle, seat = last.sole_height(0.95) + t + back * 0.95, last.sole_height(0.97) + t + back * 0.5
    draw_ankle_strap(drawing, last, ankle, seat, wide * 0.45)
    drawing.attributes["straps"] = count
    record_heights(drawing, last.length, heel=heel + sole, sole=sole, shaft=back)


def draw_flip_flops(drawing: Drawing) -> None:
    """Draw a pair of flip-flops, seen from above."""
    dice = drawing.rng
    canvas, colour = drawing.canvas, drawing.colour
    length, wide = dice.bates(150, 205), dice.bates(27, 36)
    gap = dice.bates(3, 9)
    thick = dice.bates(3, 8)
    drawing.choose_pattern(0.4)
    strap = drawing.second_colour or (
        colour.shade(-0.55) if colour.lightness > 0.5 else dice.choice([CHALK, colour.shade(0.5), INK])
    )
    top, waist = 120 - length / 2, dice.bates(0.72, 0.84)
    tone = dice.bates(3.5, 6.5)
    for side in (-1, 1):
        x = 90 + side * (wide + gap)

        def foot(grow: float, down: float, x: float = x, side: int = side) -> Contour:
            w, h = wide + grow, length + 2 * grow
            y = top - grow + down
            return spline([
                (x - side * w * 0.22, y), (x + side * w * 0.45, y + h * 0.05),
                (x + side * w * 0.98, y + h * 0.24), (x + side * w * 0.92, y + h * 0.42),
                (x + side * w * waist, y + h * 0.62), (x + side * w * 0.78, y + h * 0.86), (x, y + h),
                (x - side * w * 0.74, y + h * 0.87), (x - side * w * waist * 0.86, y + h * 0.62),
                (x - side * w * 0.88, y + h * 0.36), (x - side * w * 0.86, y + h * 0.13),
            ])  # fmt: skip

        canvas.add_shadow(foot(0.5, thick + 2.5), 0.32, soft=3.5)
        canvas.paint(foot(0, thick), colour.shade(-0.35), SOLE.replace(gloss=0))
        bed = drawing.paint_body(foot(0, 0), drawing.finish.replace(round=4, depth=0.5))
        heel_print = oval(x - side * 2, top + length * 0.84, wide * 0.5, length * 0.09)
        canvas.adjust_lightness(heel_print, -0.10, soft=5, within=bed)
        canvas.adjust_lightness(oval(x, top + length * 0.27, wide * 0.6, length * 0.12), -0.08, soft=5, within=bed)
        rim = foot(-3.2, 0)
        canvas.adjust_lightness(ribbon(np.concatenate([rim, rim[:1]]), 1.0, caps=False), -0.2, soft=1, within=bed)
        post = (x - side * wide * 0.28, top + length * 0.2)
        for way in (-1, 1):
            bend, end = (x + way * wide * 0.42, top + length * 0.30), (x + way * wide * 0.84, top + length * 0.5)
            line = spline([post, bend, end], closed=False)
            canvas.paint(ribbon(line, np.linspace(tone * 0.8, tone * 1.5, len(line))), strap, THONG)
        canvas.paint(oval(*post, tone * 0.62, tone * 0.62), strap.shade(-0.1), THONG)
    drawing.attributes["thong_width"] = round(tone / DRAWING_SIZE[1], 4)
    record_heights(drawing, 1.0, heel=thick, sole=thick, shaft=0.0)
    drawing.attributes["foot_length"] = round(length / DRAWING_SIZE[0], 4)
