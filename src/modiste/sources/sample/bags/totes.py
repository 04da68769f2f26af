"""Totes and shoulder bags: soft, hanging bodies."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.bags import parts
from modiste.sources.sample.bags.parts import METAL, MIDDLE
from modiste.sources.sample.canvas import DRAWING_SIZE
from modiste.sources.sample.curves import oval, polygon, ribbon, rounded_rectangle, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import Colour


def draw_totes(drawing: Drawing) -> None:
    """Draw totes: an open mouth and two handles."""
    dice, canvas, colour = drawing.rng, drawing.canvas, drawing.colour
    high, wide = dice.bates(78, 138), dice.bates(100, 156)
    strap = dice.bates(26, 84)
    flare = dice.bates(0.86, 1.16)
    wide_top = min(wide * flare, 166.0)
    drawing.choose_pattern(0.42)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom, wide)
    trim, metal = parts.pick_trim_colour(drawing), parts.pick_metal(drawing)
    grip = dice.bates(4.5, 9.0)
    spread = wide_top * dice.bates(0.36, 0.6) / 2
    square = dice.uniform(0.0, 1.0)
    leather = drawing.finish.replace(round=3, depth=1.1, grain=0.04, cast=0.35)
    far = parts.arch(MIDDLE - spread + 4, MIDDLE + spread - 4, top + 4, strap, square=square)
    canvas.paint(ribbon(far, grip * 0.9, caps=False), trim.shade(-0.3), leather.replace(cast=0.0))
    sag = dice.bates(0.0, 7.0)
    mouth = spline(
        [(MIDDLE - wide_top / 2, top, 1), (MIDDLE, top - 4.5), (MIDDLE + wide_top / 2, top, 1), (MIDDLE, top + sag + 3)]
    )
    canvas.paint(mouth, colour.shade(-0.55), parts.INSIDE)
    shape = parts.body_outline(top, bottom, wide_top, wide, sag=sag, corner=dice.bates(4, 22), bulge=dice.bates(-2, 5))
    body = drawing.paint_body(shape, drawing.finish.replace(round=16, depth=0.62))
    if dice.chance(0.35):  # a base of the trim's leather
        base = bottom - high * dice.bates(0.14, 0.3)
        below = polygon((0, base), (180, base), (180, 240), (0, 240))
        canvas.paint(below, trim, drawing.finish.replace(round=5, depth=0.5, cast=0.25), within=body)
        drawing.stitch(np.array([[0.0, base + 2.5], [180.0, base + 2.5]]), 2.2, 1.8, 0.8, body)
    parts.draw_folds(drawing, body, top, high, wide)
    hem = spline(
        [(MIDDLE - wide_top / 2, top + 6), (MIDDLE, top + sag + 6), (MIDDLE + wide_top / 2, top + 6)], closed=False
    )
    drawing.stitch(hem, 2.4, 1.8, 0.9, body)
    reach = dice.bates(8, 26)
    y = top + sag * 0.6 + reach
    front = parts.arch(MIDDLE - spread, MIDDLE + spread, y, strap + reach + sag * 0.6 - 1.0, square=square)
    canvas.paint(ribbon(front, grip, caps=False), trim, leather)
    for side in (-1, 1):
        x = MIDDLE + side * spread
        canvas.paint(rounded_rectangle(x - grip * 0.75, y - 5, x + grip * 0.75, y + grip * 0.8, 2), trim, leather)
        drawing.stitch(rounded_rectangle(x - grip * 0.5, y - 3.5, x + grip * 0.5, y + grip * 0.5, 1), 1.6, 1.2, 0.7)
        canvas.paint(oval(x, y - 8, 1.4, 1.4, steps=4), metal, METAL)
    if dice.chance(0.3):
        parts.draw_charm(drawing, MIDDLE + spread * 0.9, top + reach, metal)
    drawing.attributes["strap_width"] = round(grip / DRAWING_SIZE[1], 4)


def draw_shoulder_bags(drawing: Drawing) -> None:
    """Draw shoulder bags: a soft body, from crescent to pouch, on one long strap."""
    dice, canvas = drawing.rng, drawing.canvas
    high, wide = dice.bates(62, 104), dice.bates(104, 150)
    strap = dice.bates(58, 122)
    drawing.choose_pattern(0.2)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom, wide * 0.8)
    trim, metal = parts.pick_trim_colour(drawing), parts.pick_metal(drawing)
    grip = dice.bates(3.6, 9.0)
    b = wide / 2
    ends = b * dice.bates(0.72, 0.9)
    dip = high * dice.bates(0.03, 0.22)
    leather = drawing.finish.replace(round=3, depth=1.1, grain=0.04, cast=0.3)
    line = parts.arch(MIDDLE - ends, MIDDLE + ends, top + 6, strap + 6, square=dice.uniform(-0.8, 0.3))
    canvas.paint(ribbon(line, grip, caps=False), trim, leather)
    drawing.stitch(line, 2.2, 1.8, 0.7)
    full = dice.bates(0.86, 1.0)
    shape = spline([
        (MIDDLE - ends - 5, top + 1, 1), (MIDDLE - ends * 0.5, top + dip * 0.8), (MIDDLE, top + dip),
        (MIDDLE + ends * 0.5, top + dip * 0.8), (MIDDLE + ends + 5, top + 1, 1),
        (MIDDLE + b, top + high * 0.42), (MIDDLE + b * full * 0.93, bottom - high * 0.17),
        (MIDDLE + b * 0.62, bottom - high * 0.03), (MIDDLE, bottom + 1),
        (MIDDLE - b * 0.62, bottom - high * 0.03), (MIDDLE - b * full * 0.93, bottom - high * 0.17),
        (MIDDLE - b, top + high * 0.42),
    ])  # fmt: skip
    body = drawing.paint_body(shape, drawing.finish.replace(round=18, depth=0.85))
    if dice.chance(0.5):
        parts.draw_folds(drawing, body, top, high, wide)
        rim = spline(
            [
                (MIDDLE - ends * 0.9, top + dip * 0.7 + 8),
                (MIDDLE, top + dip + 9),
                (MIDDLE + ends * 0.9, top + dip * 0.7 + 8),
            ],
            closed=False,
        )
        parts.draw_zipper(drawing, rim, metal, body)
        drawing.stitch(rim + np.array([0.0, 5.0]), 2.2, 1.8, 0.8, body)
    else:
        drop = top + high * dice.bates(0.5, 0.72)
        flap = spline([
            (MIDDLE - ends - 4, top + 1, 1), (MIDDLE, top + dip - 1), (MIDDLE + ends + 4, top + 1, 1),
            (MIDDLE + b * 0.94, top + high * 0.33), (MIDDLE + b * 0.62, drop - 4), (MIDDLE, drop),
            (MIDDLE - b * 0.62, drop - 4), (MIDDLE - b * 0.94, top + high * 0.33),
        ])  # fmt: skip
        lid = drawing.paint_body(flap, drawing.finish.replace(round=11, depth=0.75, cast=0.5))
        drawing.stitch(parts.inset_outline(flap, 3.6, below=top + dip + 6), 2.4, 1.8, 0.8, lid)
        parts.draw_lock(drawing, MIDDLE, drop - 5, dice.bates(5, 9), metal)
    for side in (-1, 1):
        x = MIDDLE + side * ends
        loop = rounded_rectangle(x - grip * 0.6 - 1.5, top + 5, x + grip * 0.6 + 1.5, top + 18, 2.5)
        canvas.paint(loop, trim, leather.replace(cast=0.4))
        parts.draw_ring(drawing, x, top + 4, grip * 0.6 + 2.2, metal)
    if dice.chance(0.25):
        draw_tassel(drawing, MIDDLE + ends - 4, top + 12, trim)
    drawing.attributes["strap_width"] = round(grip / DRAWING_SIZE[1], 4)


def draw_tassel(drawing: Drawing, x: float, y: float, colour: Colour) -> None:
    """Draw a tassel on the ring."""
    canvas = drawing.canvas
    skirt = spline([(x - 2, y + 8), (x + 2, y + 8), (x + 5, y + 28), (x - 5, y + 28)])
    mask = canvas.paint(skirt, colour.shade(-0.12), drawing.finish.replace(round=3, cast=0.45))
    threads = [np.array([[x + i * 0.6, y + 10], [x + i * 1.8, y + 29]]) for i in range(-2, 3)]
    strands = [contour for thread in threads for contour in ribbon(thread, 0.6, caps=False)]
    canvas.adjust_lightness(strands, -0.4, soft=1, within=mask)
    canvas.paint(oval(x, y + 6, 3, 4), colour, drawing.finish.replace(round=2))
