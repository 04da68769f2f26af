"""Bags from the front: one body each, with what closes it and what carries it."""

from __future__ import annotations

import numpy as np

from modiste.catalogue.sample.canvas import UNITS, Finish
from modiste.catalogue.sample.curves import (
    Contour,
    Point,
    dashes,
    oval,
    part_of,
    polygon,
    ribbon,
    rounded,
    spline,
)
from modiste.catalogue.sample.drawing import Drawing
from modiste.catalogue.sample.palette import GOLD, GUM, STEEL, Colour
from modiste.catalogue.sample.raster import Field

METAL = Finish(round=1.5, depth=1.2, gloss=0.9, cast=0.4, rim=0.8)
INSIDE = Finish(round=5, depth=0.4, gloss=0.0, cast=0.0)
MIDDLE = UNITS[1] / 2


def hardware(drawing: Drawing) -> Colour:
    """The metal of rings, locks and zips."""
    return drawing.dice.pick([GOLD, GOLD, STEEL, STEEL.shade(-0.45)])


def trim_colour(drawing: Drawing) -> Colour:
    """The colour of handles and edges: the body's own, a darker tone, or tan leather."""
    colour = drawing.colour
    way = drawing.dice.weighted({"own": 5, "tone": 3, "tan": 2})
    if way == "tan":
        return GUM.shade(-0.25)
    return colour if way == "own" else colour.shade(-0.35 if colour.lightness > 0.22 else 0.2)


def place(drawing: Drawing, high: float, strap: float) -> tuple[float, float]:
    """The body's top and bottom that put body and strap in the middle of the frame; casts the shadow's notes."""
    top = UNITS[0] / 2 - (high + strap) / 2 + strap
    drawing.facts["strap_length"] = round(strap / UNITS[0], 4)
    drawing.facts["body_height"] = round(high / UNITS[0], 4)
    return top, top + high


def stand(drawing: Drawing, bottom: float, wide: float) -> None:
    """The contact shadow of a bag that stands."""
    drawing.canvas.shadow(oval(MIDDLE, bottom, wide / 2 * 0.97, 3.0), 0.5, soft=2.2)
    drawing.canvas.shadow(oval(MIDDLE, bottom + 2, wide / 2 * 1.0, 6.0), 0.28, soft=5)


def arch(left: float, right: float, y: float, rise: float, *, square: float = 0.3) -> Contour:
    """A handle's line: up from (left, y), over, and down to (right, y)."""
    span = right - left
    points: list[Point] = [
        (left, y), (left + span * 0.03, y - rise * 0.5), (left + span * (0.22 - 0.1 * square), y - rise * (0.86 + 0.08 * square)),
        (left + span / 2, y - rise),
        (right - span * (0.22 - 0.1 * square), y - rise * (0.86 + 0.08 * square)), (right - span * 0.03, y - rise * 0.5), (right, y),
    ]  # fmt: skip
    return spline(points, closed=False)


def outline(top: float, bottom: float, wide_top: float, wide: float, *, sag: float, corner: float) -> Contour:
    """A bag's body: `corner` rounds it below, `sag` lets its sides and mouth hang."""
    t, b, c = wide_top / 2, wide / 2, corner
    high = bottom - top
    return spline([
        (MIDDLE - t, top, 1), (MIDDLE, top + sag), (MIDDLE + t, top, 1),
        (MIDDLE + (t + b) / 2 + sag * 0.4, top + high * 0.5), (MIDDLE + b, bottom - c), (MIDDLE + b - c * 0.3, bottom - c * 0.3), (MIDDLE + b - c, bottom),
        (MIDDLE, bottom + sag * 0.15),
        (MIDDLE - b + c, bottom), (MIDDLE - b + c * 0.3, bottom - c * 0.3), (MIDDLE - b, bottom - c), (MIDDLE - (t + b) / 2 - sag * 0.4, top + high * 0.5),
    ])  # fmt: skip


def ring(drawing: Drawing, x: float, y: float, size: float, metal: Colour) -> None:
    """A metal ring."""
    drawing.canvas.paint([oval(x, y, size, size), oval(x, y, size - 1.5, size - 1.5)[::-1]], metal, METAL)


def zipper(drawing: Drawing, line: Contour, metal: Colour, within: Field | None = None) -> None:
    """A zip along a line, with its pull at the right end."""
    canvas = drawing.canvas
    canvas.paint(
        ribbon(line, 4.2), drawing.colour.shade(-0.5), Finish(round=2, gloss=0, cast=0), within=within
    )
    canvas.paint(dashes(line, 1.1, 1.1, 2.0), metal, METAL.but(cast=0.0), within=within)
    x, y = line[-1]
    canvas.paint(rounded(x - 4, y - 1.6, x + 1, y + 1.8, 1.2), metal, METAL)
    canvas.paint(rounded(x - 3.2, y + 1.5, x - 0.4, y + 11, 1.2), metal, METAL)


def totes(drawing: Drawing) -> None:
    """Totes: an open mouth and two handles."""
    dice, canvas, colour = drawing.dice, drawing.canvas, drawing.colour
    high, wide = dice.around(78, 138), dice.around(100, 156)
    strap = dice.around(26, 84)
    flare = dice.around(0.86, 1.16)
    wide_top = min(wide * flare, 166.0)
    drawing.choose_pattern(0.42)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom, wide)
    trim, metal = trim_colour(drawing), hardware(drawing)
    grip = dice.around(4.5, 9.0)
    spread = wide_top * dice.around(0.36, 0.6) / 2
    square = dice.between(0.0, 1.0)
    leather = drawing.finish.but(round=3, depth=1.1, grain=0.04, cast=0.35)
    canvas.paint(
        ribbon(
            arch(MIDDLE - spread + 4, MIDDLE + spread - 4, top + 4, strap, square=square),
            grip * 0.9,
            caps=False,
        ),
        trim.shade(-0.3),
        leather.but(cast=0.0),
    )
    sag = dice.around(0.0, 7.0)
    mouth = spline(
        [
            (MIDDLE - wide_top / 2, top, 1),
            (MIDDLE, top - 4.5),
            (MIDDLE + wide_top / 2, top, 1),
            (MIDDLE, top + sag + 3),
        ]
    )
    canvas.paint(mouth, colour.shade(-0.55), INSIDE)
    shape = outline(top, bottom, wide_top, wide, sag=sag, corner=dice.around(4, 22))
    body = drawing.body(shape, drawing.finish.but(round=16, depth=0.62))
    if dice.chance(0.35):  # a base of the trim's leather
        base = bottom - high * dice.around(0.14, 0.3)
        canvas.paint(
            polygon((0, base), (180, base), (180, 240), (0, 240)),
            trim,
            drawing.finish.but(round=5, depth=0.5, cast=0.25),
            within=body,
        )
        drawing.stitch(dashes(np.array([[0.0, base + 2.5], [180.0, base + 2.5]]), 2.2, 1.8, 0.8), body)
    folds(drawing, body, top, high, wide)
    hem = spline(
        [(MIDDLE - wide_top / 2, top + 6), (MIDDLE, top + sag + 6), (MIDDLE + wide_top / 2, top + 6)],
        closed=False,
    )
    drawing.stitch(dashes(hem, 2.4, 1.8, 0.9), body)
    reach = dice.around(8, 26)
    front = arch(
        MIDDLE - spread,
        MIDDLE + spread,
        top + sag * 0.6 + reach,
        strap + reach + sag * 0.6 - 1.0,
        square=square,
    )
    canvas.paint(ribbon(front, grip, caps=False), trim, leather)
    for side in (-1, 1):
        x, y = MIDDLE + side * spread, top + sag * 0.6 + reach
        canvas.paint(rounded(x - grip * 0.75, y - 5, x + grip * 0.75, y + grip * 0.8, 2), trim, leather)
        drawing.stitch(
            dashes(rounded(x - grip * 0.5, y - 3.5, x + grip * 0.5, y + grip * 0.5, 1), 1.6, 1.2, 0.7)
        )
        canvas.paint(oval(x, y - 8, 1.4, 1.4, steps=4), metal, METAL)
    if dice.chance(0.3):
        charm(drawing, MIDDLE + spread * 0.9, top + reach, metal)
    drawing.facts["strap_width"] = round(grip / UNITS[1], 4)


def folds(drawing: Drawing, body: Field, top: float, high: float, wide: float) -> None:
    """Soft hollows in a hanging body."""
    dice = drawing.dice
    for _ in range(2):
        x = MIDDLE + wide * dice.between(-0.36, 0.36)
        y = top + high * dice.between(0.45, 0.75)
        line = spline(
            [(x, y - high * 0.26), (x + dice.between(-5, 5), y), (x + dice.between(-9, 9), y + high * 0.22)],
            closed=False,
        )
        half = len(line) // 2
        swell = np.concatenate([np.linspace(1.0, 8.0, half), np.linspace(8.0, 1.0, len(line) - half)])
        drawing.canvas.glow(ribbon(line, swell), dice.pick([-0.16, 0.10]), soft=3, within=body)


def charm(drawing: Drawing, x: float, y: float, metal: Colour) -> None:
    """A tag on a cord."""
    canvas = drawing.canvas
    canvas.paint(ribbon(np.array([[x, y], [x + 4, y + 12]]), 1.4), metal, METAL)
    canvas.paint(
        rounded(x - 1, y + 11, x + 9, y + 27, 4), GUM.shade(-0.2), drawing.finish.but(round=3, cast=0.4)
    )
    canvas.paint(oval(x + 4, y + 14, 1.3, 1.3, steps=4), metal, METAL)


def handbags(drawing: Drawing) -> None:
    """Handbags: stiff, with a flap or a zip, one or two round handles and metal."""
    dice, canvas, colour = drawing.dice, drawing.canvas, drawing.colour
    high, wide = dice.around(62, 112), dice.around(104, 158)
    strap = dice.around(20, 62)
    wide_top = wide * dice.around(0.66, 1.0)
    drawing.choose_pattern(0.14)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom + 2, wide)
    trim, metal = trim_colour(drawing), hardware(drawing)
    grip = dice.around(4.2, 7.5)
    spread = wide_top * dice.around(0.42, 0.72) / 2
    square = dice.between(0.0, 0.8)
    leather = drawing.finish.but(round=3, depth=1.25, grain=0.03, cast=0.35)
    two = dice.chance(0.5)
    if two:
        canvas.paint(
            ribbon(
                arch(MIDDLE - spread + 5, MIDDLE + spread - 5, top + 2, strap, square=square),
                grip * 0.9,
                caps=False,
            ),
            trim.shade(-0.35),
            leather.but(cast=0),
        )
    for side in (-1, 1):  # feet
        canvas.paint(oval(MIDDLE + side * wide * 0.36, bottom + 0.8, 3.2, 2.2, steps=4), metal, METAL)
    corner = dice.around(6, 26)
    shape = outline(top, bottom, wide_top, wide, sag=dice.around(-4, 3), corner=corner)
    canvas.paint(shape + np.array([0.0, 0.0]), colour.shade(-0.35), drawing.finish.but(round=4, cast=0))
    body = drawing.body(shape, drawing.finish.but(round=12, depth=0.8))
    quilted = dice.chance(0.22)
    if quilted:
        drawing.quilt(dice.around(13, 20), body)
    inner = (shape - np.array([MIDDLE, (top + bottom) / 2])) * 0.945 + np.array([MIDDLE, (top + bottom) / 2])
    drawing.stitch(dashes(np.concatenate([inner, inner[:1]]), 2.4, 1.8, 0.8), body)
    style = dice.weighted({"flap": 5, "zip": 3, "belts": 3})
    drop = top + high * dice.around(0.4, 0.68)
    if style == "flap":
        t, reach = wide_top / 2 + 0.5, (wide_top + wide) / 4 * dice.around(0.86, 0.98)
        point = dice.between(0, 14)
        flap = spline(
            [
                (MIDDLE - t, top - 1, 1),
                (MIDDLE, top - 2),
                (MIDDLE + t, top - 1, 1),
                (MIDDLE + reach, drop - 16),
                (MIDDLE + reach * 0.82, drop - 2),
                (MIDDLE, drop + point),
                (MIDDLE - reach * 0.82, drop - 2),
                (MIDDLE - reach, drop - 16),
            ]
        )
        lid = drawing.body(flap, drawing.finish.but(round=9, depth=0.7, cast=0.5))
        if quilted:
            drawing.quilt(16, lid)
        line = (flap - np.array([MIDDLE, top])) * np.array([0.945, 0.93]) + np.array([MIDDLE, top])
        drawing.stitch(dashes(part_of(line, 0.27, 0.98), 2.4, 1.8, 0.8), lid)
        lock(drawing, MIDDLE, drop + point * 0.6 - 3, dice.around(6, 11), metal)
    elif style == "zip":
        zipper(
            drawing,
            np.array([[MIDDLE - wide_top * 0.42, top + 6.0], [MIDDLE + wide_top * 0.42, top + 6.0]]),
            metal,
            body,
        )
        pocket = rounded(
            MIDDLE - wide * 0.36, top + high * 0.42, MIDDLE + wide * 0.36, bottom - high * 0.1, 9
        )
        drawing.body(pocket, drawing.finish.but(round=6, depth=0.5, cast=0.35), within=body)
        drawing.stitch(
            dashes(
                rounded(
                    MIDDLE - wide * 0.36 + 3,
                    top + high * 0.42 + 3,
                    MIDDLE + wide * 0.36 - 3,
                    bottom - high * 0.1 - 3,
                    7,
                ),
                2.4,
                1.8,
                0.8,
            ),
            body,
        )
        lock(drawing, MIDDLE, top + high * 0.42, dice.around(4, 7), metal)
    else:
        for side in (-1, 1):
            x = MIDDLE + side * wide * 0.25
            canvas.paint(
                rounded(x - 5, top - 1, x + 5, drop + 8, 3), trim.shade(-0.12), leather.but(cast=0.5)
            )
            drawing.stitch(dashes(rounded(x - 3.4, top + 1, x + 3.4, drop + 6, 2), 2.0, 1.6, 0.7))
            frame = [
                rounded(x - 7.5, drop - 9, x + 7.5, drop + 1, 2),
                rounded(x - 5.5, drop - 7, x + 5.5, drop - 1, 1)[::-1],
            ]
            canvas.paint(frame, metal, METAL)
        canvas.glow(
            ribbon(np.array([[0.0, top + high * 0.3], [180.0, top + high * 0.3]]), 1.2),
            -0.3,
            soft=1,
            within=body,
        )
    foot = top + 5
    canvas.paint(
        ribbon(arch(MIDDLE - spread, MIDDLE + spread, foot, strap + 4, square=square), grip, caps=False),
        trim,
        leather,
    )
    for side in (-1, 1):
        canvas.paint(
            rounded(MIDDLE + side * spread - 3.6, foot + 1, MIDDLE + side * spread + 3.6, foot + 13, 2.5),
            trim,
            leather,
        )
        ring(drawing, MIDDLE + side * spread, foot + 1, 4.6, metal)
    if dice.chance(0.2):
        charm(drawing, MIDDLE + spread, foot + 4, metal)
    drawing.facts["strap_width"] = round(grip / UNITS[1], 4)


def lock(drawing: Drawing, x: float, y: float, size: float, metal: Colour) -> None:
    """A clasp: a plate and its turning knob."""
    canvas = drawing.canvas
    if drawing.dice.chance(0.5):
        canvas.paint(rounded(x - size, y - size * 0.62, x + size, y + size * 0.62, 2.5), metal, METAL)
        canvas.paint(
            rounded(x - size * 0.3, y - size * 0.8, x + size * 0.3, y + size * 0.8, 1.5),
            metal.shade(0.2),
            METAL,
        )
    else:
        canvas.paint(oval(x, y, size * 0.8, size * 0.8), metal, METAL.but(round=3))
        canvas.paint(oval(x, y, size * 0.32, size * 0.32), metal.shade(-0.35), METAL.but(cast=0.1))


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
    b, r = wide / 2, dice.around(0.24, 0.4)
    waist = dice.around(0.94, 1.03)
    shape = spline([
        (MIDDLE, top), (MIDDLE + b * 0.55, top + high * 0.025), (MIDDLE + b * 0.9, top + high * r * 0.5), (MIDDLE + b * waist, top + high * 0.45),
        (MIDDLE + b, bottom - high * 0.12), (MIDDLE + b * 0.93, bottom - high * 0.03), (MIDDLE + b * 0.7, bottom), (MIDDLE, bottom + 1),
        (MIDDLE - b * 0.7, bottom), (MIDDLE - b * 0.93, bottom - high * 0.03), (MIDDLE - b, bottom - high * 0.12), (MIDDLE - b * waist, top + high * 0.45),
        (MIDDLE - b * 0.9, top + high * r * 0.5), (MIDDLE - b * 0.55, top + high * 0.025),
    ])  # fmt: skip
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
    pocket = spline([
        (MIDDLE - b * 0.78, upper + 9), (MIDDLE - b * 0.66, upper), (MIDDLE, upper - 3), (MIDDLE + b * 0.66, upper), (MIDDLE + b * 0.78, upper + 9),
        (MIDDLE + b * 0.82, bottom - 16), (MIDDLE + b * 0.68, bottom - 7), (MIDDLE, bottom - 5), (MIDDLE - b * 0.68, bottom - 7), (MIDDLE - b * 0.82, bottom - 16),
    ])  # fmt: skip
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
    drawing.stitch(
        dashes(
            (pocket - np.array([MIDDLE, (upper + bottom) / 2])) * 0.93
            + np.array([MIDDLE, (upper + bottom) / 2]),
            2.4,
            1.8,
            0.8,
        ),
        front,
    )
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


def clutches(drawing: Drawing) -> None:
    """Clutches: flat and low, an envelope, a frame or a fold; sometimes a loop or chain."""
    dice, canvas, colour = drawing.dice, drawing.canvas, drawing.colour
    high, wide = dice.around(44, 84), dice.around(108, 160)
    chained = dice.chance(0.35)
    strap = dice.around(20, 64) if chained else 0.0
    drawing.choose_pattern(0.22)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom, wide)
    metal = hardware(drawing)
    b = wide / 2
    if chained:
        line = arch(MIDDLE - b * 0.86, MIDDLE + b * 0.86, top + 4, strap + 4, square=0.2)
        canvas.paint(ribbon(line, 1.6), metal.shade(-0.25), METAL.but(cast=0))
        canvas.paint(dashes(line, 2.6, 2.0, 3.4), metal, METAL.but(cast=0))
    shape = outline(
        top,
        bottom,
        wide * dice.around(0.93, 1.0),
        wide,
        sag=dice.around(-2, 2),
        corner=dice.around(3, 18),
    )
    body = drawing.body(shape, drawing.finish.but(round=9, depth=0.85))
    style = dice.weighted({"envelope": 4, "frame": 3, "fold": 3})
    quilted = dice.chance(0.25)
    if quilted:
        drawing.quilt(dice.around(11, 17), body)
    if style == "envelope":
        tip = top + high * dice.around(0.52, 0.82)
        flap = spline(
            [
                (MIDDLE - b * 0.985, top - 0.5, 1),
                (MIDDLE, top - 1),
                (MIDDLE + b * 0.985, top - 0.5, 1),
                (MIDDLE + b * 0.93, top + high * 0.16),
                (MIDDLE + 9, tip - 3),
                (MIDDLE, tip),
                (MIDDLE - 9, tip - 3),
                (MIDDLE - b * 0.93, top + high * 0.16),
            ]
        )
        lid = drawing.body(flap, drawing.finish.but(round=6, depth=0.7, cast=0.5))
        line = (flap - np.array([MIDDLE, top])) * np.array([0.95, 0.9]) + np.array([MIDDLE, top])
        drawing.stitch(dashes(part_of(line, 0.27, 0.99), 2.2, 1.7, 0.8), lid)
        canvas.paint(oval(MIDDLE, tip - 7, 3.6, 3.6), metal, METAL.but(round=2.5))
    elif style == "frame":
        line = spline(
            [(MIDDLE - b * 0.95, top + 2), (MIDDLE, top - 1), (MIDDLE + b * 0.95, top + 2)], closed=False
        )
        canvas.paint(ribbon(line, 5.4), metal, METAL.but(round=2.5))
        for side in (-1, 1):
            canvas.paint(
                oval(MIDDLE + side * 3.2, top - 3.5, 3.4, 3.4), metal.shade(0.1), METAL.but(round=2.5)
            )
        pleats(drawing, body, top, bottom, b)
    else:
        drop = top + high * dice.around(0.38, 0.6)
        fold = spline(
            [
                (MIDDLE - b * 0.99, top, 1),
                (MIDDLE + b * 0.99, top, 1),
                (MIDDLE + b * 0.99, drop, 1),
                (MIDDLE, drop + 2),
                (MIDDLE - b * 0.99, drop, 1),
            ]
        )
        lid = drawing.body(fold, drawing.finish.but(round=7, depth=0.8, cast=0.5))
        drawing.stitch(dashes(np.array([[0.0, drop - 3], [180.0, drop - 3]]), 2.2, 1.7, 0.8), lid)
        zipper(
            drawing,
            np.array(
                [
                    [MIDDLE - b * 0.8, drop + (bottom - drop) * 0.4],
                    [MIDDLE + b * 0.8, drop + (bottom - drop) * 0.4],
                ]
            ),
            metal,
            body,
        )
    if not chained and dice.chance(0.35):
        loop = spline(
            [
                (MIDDLE + b - 2, top + high * 0.3),
                (MIDDLE + b + 9, top + high * 0.42),
                (MIDDLE + b + 8, top + high * 0.85),
                (MIDDLE + b + 1, bottom + 6),
                (MIDDLE + b - 5, top + high * 0.8),
                (MIDDLE + b - 3, top + high * 0.4),
            ],
            closed=False,
        )
        canvas.paint(
            ribbon(loop, 3.6),
            colour.shade(-0.15 if colour.lightness > 0.2 else 0.15),
            drawing.finish.but(round=2, cast=0.45),
        )
        ring(drawing, MIDDLE + b - 2, top + high * 0.3, 3.4, metal)
    drawing.facts["strap_width"] = round((3.4 if chained else 0.0) / UNITS[1], 4)


def pleats(drawing: Drawing, body: Field, top: float, bottom: float, half: float) -> None:
    """Gathers under a frame."""
    for i in range(-4, 5):
        line = np.array(
            [[MIDDLE + half * i * 0.19, top + 4], [MIDDLE + half * i * 0.225, top + (bottom - top) * 0.72]]
        )
        drawing.canvas.glow(
            ribbon(spline([tuple(line[0]), tuple(line[1])], closed=False), np.linspace(2.6, 0.4, 11)),
            -0.3,
            soft=1.6,
            within=body,
        )


def shoulder_bags(drawing: Drawing) -> None:
    """Shoulder bags: a soft body, from crescent to pouch, on one long strap."""
    dice, canvas = drawing.dice, drawing.canvas
    high, wide = dice.around(62, 104), dice.around(104, 150)
    strap = dice.around(58, 122)
    drawing.choose_pattern(0.2)
    top, bottom = place(drawing, high, strap)
    stand(drawing, bottom, wide * 0.8)
    trim, metal = trim_colour(drawing), hardware(drawing)
    grip = dice.around(3.6, 9.0)
    b = wide / 2
    ends = b * dice.around(0.72, 0.9)
    dip = high * dice.around(0.03, 0.22)
    leather = drawing.finish.but(round=3, depth=1.1, grain=0.04, cast=0.3)
    line = arch(MIDDLE - ends, MIDDLE + ends, top + 6, strap + 6, square=dice.between(-0.8, 0.3))
    canvas.paint(ribbon(line, grip, caps=False), trim, leather)
    drawing.stitch(dashes(line, 2.2, 1.8, 0.7))
    full = dice.around(0.86, 1.0)
    shape = spline([
        (MIDDLE - ends - 5, top + 1, 1), (MIDDLE - ends * 0.5, top + dip * 0.8), (MIDDLE, top + dip), (MIDDLE + ends * 0.5, top + dip * 0.8), (MIDDLE + ends + 5, top + 1, 1),
        (MIDDLE + b, top + high * 0.42), (MIDDLE + b * full * 0.93, bottom - high * 0.17), (MIDDLE + b * 0.62, bottom - high * 0.03), (MIDDLE, bottom + 1),
        (MIDDLE - b * 0.62, bottom - high * 0.03), (MIDDLE - b * full * 0.93, bottom - high * 0.17), (MIDDLE - b, top + high * 0.42),
    ])  # fmt: skip
    body = drawing.body(shape, drawing.finish.but(round=18, depth=0.85))
    if dice.chance(0.5):
        folds(drawing, body, top, high, wide)
        rim = spline(
            [
                (MIDDLE - ends * 0.9, top + dip * 0.7 + 8),
                (MIDDLE, top + dip + 9),
                (MIDDLE + ends * 0.9, top + dip * 0.7 + 8),
            ],
            closed=False,
        )
        zipper(drawing, rim, metal, body)
        drawing.stitch(dashes(rim + np.array([0.0, 5.0]), 2.2, 1.8, 0.8), body)
    else:
        drop = top + high * dice.around(0.5, 0.72)
        flap = spline(
            [
                (MIDDLE - ends - 4, top + 1, 1),
                (MIDDLE, top + dip - 1),
                (MIDDLE + ends + 4, top + 1, 1),
                (MIDDLE + b * 0.94, top + high * 0.33),
                (MIDDLE + b * 0.62, drop - 4),
                (MIDDLE, drop),
                (MIDDLE - b * 0.62, drop - 4),
                (MIDDLE - b * 0.94, top + high * 0.33),
            ]
        )
        lid = drawing.body(flap, drawing.finish.but(round=11, depth=0.75, cast=0.5))
        inset = (flap - np.array([MIDDLE, top])) * np.array([0.94, 0.93]) + np.array([MIDDLE, top])
        drawing.stitch(dashes(part_of(inset, 0.27, 0.98), 2.4, 1.8, 0.8), lid)
        lock(drawing, MIDDLE, drop - 5, dice.around(5, 9), metal)
    for side in (-1, 1):
        canvas.paint(
            rounded(
                MIDDLE + side * ends - grip * 0.6 - 1.5,
                top + 5,
                MIDDLE + side * ends + grip * 0.6 + 1.5,
                top + 18,
                2.5,
            ),
            trim,
            leather.but(cast=0.4),
        )
        ring(drawing, MIDDLE + side * ends, top + 4, grip * 0.6 + 2.2, metal)
    if dice.chance(0.25):
        tassel(drawing, MIDDLE + ends - 4, top + 12, trim)
    drawing.facts["strap_width"] = round(grip / UNITS[1], 4)


def tassel(drawing: Drawing, x: float, y: float, colour: Colour) -> None:
    """A tassel on the ring."""
    canvas = drawing.canvas
    skirt = spline([(x - 2, y + 8), (x + 2, y + 8), (x + 5, y + 28), (x - 5, y + 28)])
    mask = canvas.paint(skirt, colour.shade(-0.12), drawing.finish.but(round=3, cast=0.45))
    canvas.glow(
        [
            c
            for i in range(-2, 3)
            for c in ribbon(np.array([[x + i * 0.6, y + 10], [x + i * 1.8, y + 29]]), 0.6, caps=False)
        ],
        -0.4,
        soft=1,
        within=mask,
    )
    canvas.paint(oval(x, y + 6, 3, 4), colour, drawing.finish.but(round=2))


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
