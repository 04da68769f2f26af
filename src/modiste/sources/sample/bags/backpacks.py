"""Backpacks and duffel bags: zips, pockets and webbing."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.bags.parts import (
    METAL,
    MIDDLE,
    arch,
    hardware,
    inset,
    place,
    stand,
    trim_colour,
    zipper,
)
from modiste.sources.sample.canvas import UNITS, Finish
from modiste.sources.sample.curves import (
    dashes,
    filleted,
    polygon,
    ribbon,
    rounded,
    spline,
)
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GUM


def backpacks(drawing: Drawing) -> None:
    """Backpacks: a tall round body, pockets with zips, a loop on top, straps at the sides."""
    dice, canvas, colour = drawing.dice, drawing.canvas, drawing.colour
    high, wide = dice.around(122, 176), dice.around(88, 128)
    strap = dice.around(8, 26)
    drawing.choose_pattern(0.25)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom, wide)
    metal = hardware(drawing)
    accent = drawing.second or (colour.shade(-0.35) if colour.lightness > 0.2 else colour.shade(0.22))
    web = Finish(round=2.5, grain=0.12, weave=True, gloss=0, cast=0.2)
    for side in (-1, 1):  # shoulder straps, seen at the sides
        bend = wide / 2 + dice.around(3, 11)
        line = spline(
            [
                (MIDDLE + side * wide * 0.3, top + 6),
                (MIDDLE + side * (bend + 1), top + high * 0.3),
                (MIDDLE + side * (bend + 3), top + high * 0.62),
                (MIDDLE + side * wide * 0.42, bottom - 8),
            ],
            closed=False,
        )
        canvas.paint(
            ribbon(
                line,
                np.concatenate(
                    [np.linspace(12, 12, len(line) // 2), np.linspace(11, 4, len(line) - len(line) // 2)]
                ),
            ),
            accent.shade(-0.15),
            web.but(round=4),
        )
    canvas.paint(
        ribbon(arch(MIDDLE - 13, MIDDLE + 13, top + 4, strap + 4, square=0.5), 5.0, caps=False), accent, web
    )
    b, shoulder = wide / 2, wide * dice.around(0.3, 0.48)
    narrow = b * dice.around(0.84, 1.0)
    shape = filleted(
        [
            (MIDDLE - narrow, top, shoulder),
            (MIDDLE + narrow, top, shoulder),
            (MIDDLE + b, bottom, 19),
            (MIDDLE - b, bottom, 19),
        ]
    )
    height_of = (shape[:, 1] - top) / high
    shape[:, 0] += (shape[:, 0] - MIDDLE) / b * 4 * height_of * (1 - height_of) * dice.around(0, 6)
    body = drawing.body(shape, drawing.finish.but(round=18, depth=0.9))
    zip_line = spline(
        [
            (MIDDLE - b * 0.86, top + high * 0.48),
            (MIDDLE - b * 0.78, top + high * 0.2),
            (MIDDLE - b * 0.42, top + high * 0.085),
            (MIDDLE, top + high * 0.07),
            (MIDDLE + b * 0.42, top + high * 0.085),
            (MIDDLE + b * 0.78, top + high * 0.2),
            (MIDDLE + b * 0.86, top + high * 0.48),
        ],
        closed=False,
    )
    zipper(drawing, zip_line, metal, body)
    upper = top + high * dice.around(0.48, 0.58)
    two_tone = accent if drawing.pattern == "plain" and dice.chance(0.4) else None
    soft = dice.around(8, 22)
    w0, w1 = b * dice.around(0.66, 0.8), b * 0.8
    pocket = filleted(
        [
            (MIDDLE - w0, upper, soft),
            (MIDDLE + w0, upper, soft),
            (MIDDLE + w1, bottom - 6, 14),
            (MIDDLE - w1, bottom - 6, 14),
        ]
    )
    bulge = drawing.finish.but(round=10, depth=0.95, cast=0.5)
    front = drawing.body(pocket, bulge) if two_tone is None else canvas.paint(pocket, two_tone, bulge)
    zipper(
        drawing,
        spline(
            [(MIDDLE - b * 0.6, upper + 10), (MIDDLE, upper + 7), (MIDDLE + b * 0.6, upper + 10)],
            closed=False,
        ),
        metal,
        front,
    )
    drawing.stitch(dashes(inset(pocket, 3.0), 2.4, 1.8, 0.8), front)
    if dice.chance(0.55):  # a patch
        y = top + high * 0.33
        canvas.paint(
            rounded(MIDDLE - 13, y - 8, MIDDLE + 13, y + 8, 3),
            GUM.shade(-0.2) if dice.chance(0.5) else accent,
            Finish(round=2, gloss=0.1, cast=0.3),
        )
        drawing.stitch(dashes(rounded(MIDDLE - 11, y - 6, MIDDLE + 11, y + 6, 2), 1.8, 1.4, 0.7))
    if dice.chance(0.4):  # belts across
        for side in (-1, 1):
            x = MIDDLE + side * b * 0.45
            canvas.paint(
                rounded(x - 3.4, top + high * 0.36, x + 3.4, upper + 20, 2), accent, web.but(cast=0.45)
            )
            canvas.paint(
                [
                    rounded(x - 5.4, upper + 8, x + 5.4, upper + 17, 2),
                    rounded(x - 3.6, upper + 9.8, x + 3.6, upper + 15.2, 1)[::-1],
                ],
                metal,
                METAL,
            )
    drawing.facts["strap_width"] = round(12 / UNITS[1], 4)


def duffels(drawing: Drawing) -> None:
    """Duffel bags: a lying barrel with a zip and two webbing handles."""
    dice, canvas = drawing.dice, drawing.canvas
    high, wide = dice.around(62, 96), dice.around(138, 168)
    strap = dice.around(12, 44)
    drawing.choose_pattern(0.25)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom, wide * 0.94)
    trim, metal = trim_colour(drawing), hardware(drawing)
    b = wide / 2
    grip = dice.around(5, 8)
    web = Finish(round=2.5, grain=0.1, weave=True, gloss=0.05, cast=0.35)
    spread = b * dice.around(0.3, 0.46)
    canvas.paint(
        ribbon(arch(MIDDLE - spread + 4, MIDDLE + spread - 4, top + 6, strap + 5), grip * 0.9, caps=False),
        trim.shade(-0.35),
        web.but(cast=0),
    )
    round_ = dice.around(0.24, 0.42) * high
    shape = rounded(MIDDLE - b, top, MIDDLE + b, bottom, round_)
    body = drawing.body(shape, drawing.finish.but(round=17, depth=0.95))
    for side in (-1, 1):  # end panels
        panel = polygon(
            (MIDDLE + side * b, top - 2),
            (MIDDLE + side * (b - wide * 0.13), top - 2),
            (MIDDLE + side * (b - wide * 0.13), bottom + 2),
            (MIDDLE + side * b, bottom + 2),
        )
        canvas.glow(panel, -0.14, soft=1, within=body)
        seam = np.array(
            [[MIDDLE + side * (b - wide * 0.13), top], [MIDDLE + side * (b - wide * 0.13), bottom]]
        )
        canvas.glow(ribbon(seam, 1.2), -0.35, soft=1, within=body)
        drawing.stitch(dashes(seam - np.array([side * 2.6, 0.0]), 2.4, 1.8, 0.8), body)
    zipper(
        drawing,
        spline([(MIDDLE - b * 0.7, top + 9), (MIDDLE, top + 8), (MIDDLE + b * 0.7, top + 9)], closed=False),
        metal,
        body,
    )
    if dice.chance(0.6):
        y0, y1 = top + high * 0.42, bottom - high * 0.13
        drawing.body(
            rounded(MIDDLE - spread + 4, y0, MIDDLE + spread - 4, y1, 6),
            drawing.finish.but(round=6, depth=0.5, cast=0.35),
        )
        drawing.stitch(
            dashes(rounded(MIDDLE - spread + 7, y0 + 3, MIDDLE + spread - 7, y1 - 3, 4), 2.2, 1.8, 0.8)
        )
    for side in (-1, 1):
        line = np.array([[MIDDLE + side * spread, top + 4], [MIDDLE + side * spread, bottom - 1]])
        canvas.paint(ribbon(line, grip, caps=False), trim, web, within=body)
        drawing.stitch(dashes(line + np.array([grip * 0.3, 0]), 2.0, 1.6, 0.6), body)
        drawing.stitch(dashes(line - np.array([grip * 0.3, 0]), 2.0, 1.6, 0.6), body)
    front = arch(MIDDLE - spread, MIDDLE + spread, top + 14, strap + 13.5)
    canvas.paint(ribbon(front, grip, caps=False), trim, web)
    canvas.paint(
        rounded(MIDDLE - 12, top - strap - 3.2 + 0.5, MIDDLE + 12, top - strap + 5.5, 3),
        trim.shade(-0.25),
        drawing.finish.but(round=3, cast=0.2),
    )
    drawing.facts["strap_width"] = round(grip / UNITS[1], 4)
