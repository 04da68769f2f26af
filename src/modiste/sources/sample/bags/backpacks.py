"""Backpacks and duffel bags: zips, pockets and webbing."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.bags import parts
from modiste.sources.sample.bags.parts import METAL, MIDDLE
from modiste.sources.sample.canvas import DRAWING_SIZE, Finish
from modiste.sources.sample.curves import polygon, ribbon, rounded_rectangle, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GUM


def draw_backpacks(drawing: Drawing) -> None:
    """Draw backpacks: a tall round body, pockets with zips, a loop on top, straps at the sides."""
    dice, canvas, colour = drawing.rng, drawing.canvas, drawing.colour
    high, wide = dice.bates(122, 176), dice.bates(88, 128)
    strap = dice.bates(8, 26)
    drawing.choose_pattern(0.25)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom, wide)
    metal = parts.pick_metal(drawing)
    accent = drawing.second_colour or (colour.shade(-0.35) if colour.lightness > 0.2 else colour.shade(0.22))
    web = Finish(round=2.5, grain=0.12, weave=True, gloss=0, cast=0.2)
    for side in (-1, 1):  # shoulder straps, seen at the sides
        bend = wide / 2 + dice.bates(3, 11)
        line = spline([
            (MIDDLE + side * wide * 0.3, top + 6), (MIDDLE + side * (bend + 1), top + high * 0.3),
            (MIDDLE + side * (bend + 3), top + high * 0.62), (MIDDLE + side * wide * 0.42, bottom - 8),
        ], closed=False)  # fmt: skip
        half = len(line) // 2
        widths = np.concatenate([np.full(half, 12.0), np.linspace(11, 4, len(line) - half)])
        canvas.paint(ribbon(line, widths), accent.shade(-0.15), web.replace(round=4))
    canvas.paint(
        ribbon(parts.arch(MIDDLE - 13, MIDDLE + 13, top + 4, strap + 4, square=0.5), 5.0, caps=False), accent, web
    )
    b, shoulder = wide / 2, wide * dice.bates(0.3, 0.48)
    narrow = b * dice.bates(0.84, 1.0)
    shape = parts.trapezoid(top, bottom, (narrow, shoulder), (b, 19))
    height_of = (shape[:, 1] - top) / high
    shape[:, 0] += (shape[:, 0] - MIDDLE) / b * 4 * height_of * (1 - height_of) * dice.bates(0, 6)
    body = drawing.paint_body(shape, drawing.finish.replace(round=18, depth=0.9))
    zip_line = spline([
        (MIDDLE - b * 0.86, top + high * 0.48), (MIDDLE - b * 0.78, top + high * 0.2),
        (MIDDLE - b * 0.42, top + high * 0.085), (MIDDLE, top + high * 0.07),
        (MIDDLE + b * 0.42, top + high * 0.085), (MIDDLE + b * 0.78, top + high * 0.2),
        (MIDDLE + b * 0.86, top + high * 0.48),
    ], closed=False)  # fmt: skip
    parts.draw_zipper(drawing, zip_line, metal, body)
    upper = top + high * dice.bates(0.48, 0.58)
    two_tone = accent if drawing.pattern == "plain" and dice.chance(0.4) else None
    soft = dice.bates(8, 22)
    w0, w1 = b * dice.bates(0.66, 0.8), b * 0.8
    pocket = parts.trapezoid(upper, bottom - 6, (w0, soft), (w1, 14))
    bulge = drawing.finish.replace(round=10, depth=0.95, cast=0.5)
    front = drawing.paint_body(pocket, bulge) if two_tone is None else canvas.paint(pocket, two_tone, bulge)
    mouth = spline([(MIDDLE - b * 0.6, upper + 10), (MIDDLE, upper + 7), (MIDDLE + b * 0.6, upper + 10)], closed=False)
    parts.draw_zipper(drawing, mouth, metal, front)
    drawing.stitch(parts.inset_outline(pocket, 3.0), 2.4, 1.8, 0.8, front)
    if dice.chance(0.55):  # a patch
        y = top + high * 0.33
        patch = rounded_rectangle(MIDDLE - 13, y - 8, MIDDLE + 13, y + 8, 3)
        tone = GUM.shade(-0.2) if dice.chance(0.5) else accent
        canvas.paint(patch, tone, Finish(round=2, gloss=0.1, cast=0.3))
        drawing.stitch(rounded_rectangle(MIDDLE - 11, y - 6, MIDDLE + 11, y + 6, 2), 1.8, 1.4, 0.7)
    if dice.chance(0.4):  # belts across
        for side in (-1, 1):
            x = MIDDLE + side * b * 0.45
            belt = rounded_rectangle(x - 3.4, top + high * 0.36, x + 3.4, upper + 20, 2)
            canvas.paint(belt, accent, web.replace(cast=0.45))
            outer = rounded_rectangle(x - 5.4, upper + 8, x + 5.4, upper + 17, 2)
            inner = rounded_rectangle(x - 3.6, upper + 9.8, x + 3.6, upper + 15.2, 1)
            canvas.paint([outer, inner[::-1]], metal, METAL)
    drawing.attributes["strap_width"] = round(12 / DRAWING_SIZE[1], 4)


def draw_duffels(drawing: Drawing) -> None:
    """Draw duffel bags: a lying barrel with a zip and two webbing handles."""
    dice, canvas = drawing.rng, drawing.canvas
    high, wide = dice.bates(62, 96), dice.bates(138, 168)
    strap = dice.bates(12, 44)
    drawing.choose_pattern(0.25)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom, wide * 0.94)
    trim, metal = parts.pick_trim_colour(drawing), parts.pick_metal(drawing)
    b = wide / 2
    grip = dice.bates(5, 8)
    web = Finish(round=2.5, grain=0.1, weave=True, gloss=0.05, cast=0.35)
    spread = b * dice.bates(0.3, 0.46)
    far = parts.arch(MIDDLE - spread + 4, MIDDLE + spread - 4, top + 6, strap + 5)
    canvas.paint(ribbon(far, grip * 0.9, caps=False), trim.shade(-0.35), web.replace(cast=0))
    round_ = dice.bates(0.24, 0.42) * high
    shape = rounded_rectangle(MIDDLE - b, top, MIDDLE + b, bottom, round_)
    body = drawing.paint_body(shape, drawing.finish.replace(round=17, depth=0.95))
    for side in (-1, 1):  # end panels
        x0, x1 = MIDDLE + side * b, MIDDLE + side * (b - wide * 0.13)
        panel = polygon((x0, top - 2), (x1, top - 2), (x1, bottom + 2), (x0, bottom + 2))
        canvas.adjust_lightness(panel, -0.14, soft=1, within=body)
        seam = np.array([[x1, top], [x1, bottom]])
        canvas.adjust_lightness(ribbon(seam, 1.2), -0.35, soft=1, within=body)
        drawing.stitch(seam - np.array([side * 2.6, 0.0]), 2.4, 1.8, 0.8, body)
    mouth = spline([(MIDDLE - b * 0.7, top + 9), (MIDDLE, top + 8), (MIDDLE + b * 0.7, top + 9)], closed=False)
    parts.draw_zipper(drawing, mouth, metal, body)
    if dice.chance(0.6):
        y0, y1 = top + high * 0.42, bottom - high * 0.13
        pocket = rounded_rectangle(MIDDLE - spread + 4, y0, MIDDLE + spread - 4, y1, 6)
        drawing.paint_body(pocket, drawing.finish.replace(round=6, depth=0.5, cast=0.35))
        drawing.stitch(rounded_rectangle(MIDDLE - spread + 7, y0 + 3, MIDDLE + spread - 7, y1 - 3, 4), 2.2, 1.8, 0.8)
    for side in (-1, 1):
        line = np.array([[MIDDLE + side * spread, top + 4], [MIDDLE + side * spread, bottom - 1]])
        canvas.paint(ribbon(line, grip, caps=False), trim, web, within=body)
        drawing.stitch(line + np.array([grip * 0.3, 0]), 2.0, 1.6, 0.6, body)
        drawing.stitch(line - np.array([grip * 0.3, 0]), 2.0, 1.6, 0.6, body)
    front = parts.arch(MIDDLE - spread, MIDDLE + spread, top + 14, strap + 13.5)
    canvas.paint(ribbon(front, grip, caps=False), trim, web)
    wrap = rounded_rectangle(MIDDLE - 12, top - strap - 3.2 + 0.5, MIDDLE + 12, top - strap + 5.5, 3)
    canvas.paint(wrap, trim.shade(-0.25), drawing.finish.replace(round=3, cast=0.2))
    drawing.attributes["strap_width"] = round(grip / DRAWING_SIZE[1], 4)
