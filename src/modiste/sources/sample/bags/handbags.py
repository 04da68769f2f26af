"""Handbags and clutches: stiff bodies with locks."""

from __future__ import annotations

import numpy as np

from modiste.sources.sample.bags import parts
from modiste.sources.sample.bags.parts import METAL, MIDDLE
from modiste.sources.sample.canvas import DRAWING_SIZE
from modiste.sources.sample.curves import dashes, oval, ribbon, rounded_rectangle, spline
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.raster import Field


def draw_handbags(drawing: Drawing) -> None:
    """Draw handbags: stiff, with a flap or a zip, one or two round handles and metal."""
    dice, canvas = drawing.rng, drawing.canvas
    high, wide = dice.bates(62, 112), dice.bates(104, 158)
    strap = dice.bates(20, 62)
    wide_top = wide * dice.bates(0.66, 1.0)
    drawing.choose_pattern(0.14)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom + 2, wide)
    trim, metal = parts.pick_trim_colour(drawing), parts.pick_metal(drawing)
    grip = dice.bates(4.2, 7.5)
    spread = wide_top * dice.bates(0.42, 0.72) / 2
    square = dice.uniform(0.0, 0.8)
    leather = drawing.finish.replace(round=3, depth=1.25, grain=0.03, cast=0.35)
    two = dice.chance(0.5)
    if two:
        far = parts.arch(MIDDLE - spread + 5, MIDDLE + spread - 5, top + 2, strap, square=square)
        canvas.paint(ribbon(far, grip * 0.9, caps=False), trim.shade(-0.35), leather.replace(cast=0))
    for side in (-1, 1):  # feet
        canvas.paint(oval(MIDDLE + side * wide * 0.36, bottom + 0.8, 3.2, 2.2, steps=4), metal, METAL)
    corner = dice.bates(6, 26)
    shape = parts.body_outline(
        top, bottom, wide_top, wide, sag=dice.bates(-4, 3), corner=corner, bulge=dice.bates(-4, 5)
    )
    body = drawing.paint_body(shape, drawing.finish.replace(round=12, depth=0.8))
    quilted = dice.chance(0.22)
    if quilted:
        drawing.quilt(dice.bates(13, 20), body)
    drawing.stitch(parts.inset_outline(shape, 3.2), 2.4, 1.8, 0.8, body)
    style = dice.weighted_choice({"flap": 5, "zip": 3, "belts": 3})
    drop = top + high * dice.bates(0.4, 0.68)
    if style == "flap":
        t, reach = wide_top / 2 + 0.8, (wide_top + wide) / 4 * dice.bates(0.90, 0.99)
        point, soft = dice.uniform(0, 14), dice.bates(8, 26)
        flap = parts.trapezoid(top - 1, drop, (t, 5), (reach, soft))
        across = (flap[:, 0] - MIDDLE) / reach
        flap[:, 1] += point * np.maximum(1 - across * across, 0) * (flap[:, 1] - top) / (drop - top)
        lid = drawing.paint_body(flap, drawing.finish.replace(round=9, depth=0.7, cast=0.5))
        if quilted:
            drawing.quilt(16, lid)
        drawing.stitch(parts.inset_outline(flap, 3.2, below=top + 7), 2.4, 1.8, 0.8, lid)
        parts.draw_lock(drawing, MIDDLE, drop + point * 0.6 - 3, dice.bates(6, 11), metal)
    elif style == "zip":
        mouth = np.array([[MIDDLE - wide_top * 0.42, top + 6.0], [MIDDLE + wide_top * 0.42, top + 6.0]])
        parts.draw_zipper(drawing, mouth, metal, body)
        x0, y0, x1, y1 = MIDDLE - wide * 0.36, top + high * 0.42, MIDDLE + wide * 0.36, bottom - high * 0.1
        pocket = rounded_rectangle(x0, y0, x1, y1, 9)
        drawing.paint_body(pocket, drawing.finish.replace(round=6, depth=0.5, cast=0.35), within=body)
        drawing.stitch(rounded_rectangle(x0 + 3, y0 + 3, x1 - 3, y1 - 3, 7), 2.4, 1.8, 0.8, body)
        parts.draw_lock(drawing, MIDDLE, top + high * 0.42, dice.bates(4, 7), metal)
    else:
        for side in (-1, 1):
            x = MIDDLE + side * wide * 0.25
            belt = rounded_rectangle(x - 5, top - 1, x + 5, drop + 8, 3)
            canvas.paint(belt, trim.shade(-0.12), leather.replace(cast=0.5))
            drawing.stitch(rounded_rectangle(x - 3.4, top + 1, x + 3.4, drop + 6, 2), 2.0, 1.6, 0.7)
            outer = rounded_rectangle(x - 7.5, drop - 9, x + 7.5, drop + 1, 2)
            inner = rounded_rectangle(x - 5.5, drop - 7, x + 5.5, drop - 1, 1)
            canvas.paint([outer, inner[::-1]], metal, METAL)
        fold = np.array([[0.0, top + high * 0.3], [180.0, top + high * 0.3]])
        canvas.adjust_lightness(ribbon(fold, 1.2), -0.3, soft=1, within=body)
    foot = top + 5
    handle = parts.arch(MIDDLE - spread, MIDDLE + spread, foot, strap + 4, square=square)
    canvas.paint(ribbon(handle, grip, caps=False), trim, leather)
    for side in (-1, 1):
        x = MIDDLE + side * spread
        canvas.paint(rounded_rectangle(x - 3.6, foot + 1, x + 3.6, foot + 13, 2.5), trim, leather)
        parts.draw_ring(drawing, x, foot + 1, 4.6, metal)
    if dice.chance(0.2):
        parts.draw_charm(drawing, MIDDLE + spread, foot + 4, metal)
    drawing.attributes["strap_width"] = round(grip / DRAWING_SIZE[1], 4)


def draw_clutches(drawing: Drawing) -> None:
    """Draw clutches: flat and low, an envelope, a frame or a fold; sometimes with a loop or chain."""
    dice, canvas, colour = drawing.rng, drawing.canvas, drawing.colour
    high, wide = dice.bates(44, 84), dice.bates(108, 160)
    chained = dice.chance(0.35)
    strap = dice.bates(20, 64) if chained else 0.0
    drawing.choose_pattern(0.22)
    top, bottom = parts.place_body(drawing, high, strap)
    parts.add_contact_shadow(drawing, bottom, wide)
    metal = parts.pick_metal(drawing)
    b = wide / 2
    if chained:
        line = parts.arch(MIDDLE - b * 0.86, MIDDLE + b * 0.86, top + 4, strap + 4, square=0.2)
        canvas.paint(ribbon(line, 1.6), metal.shade(-0.25), METAL.replace(cast=0))
        canvas.paint(dashes(line, 2.6, 2.0, 3.4), metal, METAL.replace(cast=0))
    shape = parts.body_outline(
        top, bottom, wide * dice.bates(0.93, 1.0), wide, sag=dice.bates(-2, 2), corner=dice.bates(3, 18)
    )
    body = drawing.paint_body(shape, drawing.finish.replace(round=9, depth=0.85))
    style = dice.weighted_choice({"envelope": 4, "frame": 3, "fold": 3})
    quilted = dice.chance(0.25)
    if quilted:
        drawing.quilt(dice.bates(11, 17), body)
    if style == "envelope":
        tip = top + high * dice.bates(0.52, 0.82)
        flap = spline([
            (MIDDLE - b * 0.985, top - 0.5, 1), (MIDDLE, top - 1), (MIDDLE + b * 0.985, top - 0.5, 1),
            (MIDDLE + b * 0.93, top + high * 0.16), (MIDDLE + 9, tip - 3), (MIDDLE, tip),
            (MIDDLE - 9, tip - 3), (MIDDLE - b * 0.93, top + high * 0.16),
        ])  # fmt: skip
        lid = drawing.paint_body(flap, drawing.finish.replace(round=6, depth=0.7, cast=0.5))
        drawing.stitch(parts.inset_outline(flap, 3.4, below=top + 6), 2.2, 1.7, 0.8, lid)
        canvas.paint(oval(MIDDLE, tip - 7, 3.6, 3.6), metal, METAL.replace(round=2.5))
    elif style == "frame":
        line = spline([(MIDDLE - b * 0.95, top + 2), (MIDDLE, top - 1), (MIDDLE + b * 0.95, top + 2)], closed=False)
        canvas.paint(ribbon(line, 5.4), metal, METAL.replace(round=2.5))
        for side in (-1, 1):
            canvas.paint(oval(MIDDLE + side * 3.2, top - 3.5, 3.4, 3.4), metal.shade(0.1), METAL.replace(round=2.5))
        draw_pleats(drawing, body, top, bottom, b)
    else:
        drop = top + high * dice.bates(0.38, 0.6)
        fold = spline([
            (MIDDLE - b * 0.99, top, 1), (MIDDLE + b * 0.99, top, 1), (MIDDLE + b * 0.99, drop, 1),
            (MIDDLE, drop + 2), (MIDDLE - b * 0.99, drop, 1),
        ])  # fmt: skip
        lid = drawing.paint_body(fold, drawing.finish.replace(round=7, depth=0.8, cast=0.5))
        drawing.stitch(np.array([[0.0, drop - 3], [180.0, drop - 3]]), 2.2, 1.7, 0.8, lid)
        y = drop + (bottom - drop) * 0.4
        parts.draw_zipper(drawing, np.array([[MIDDLE - b * 0.8, y], [MIDDLE + b * 0.8, y]]), metal, body)
    if not chained and dice.chance(0.35):
        loop = spline([
            (MIDDLE + b - 2, top + high * 0.3), (MIDDLE + b + 9, top + high * 0.42),
            (MIDDLE + b + 8, top + high * 0.85), (MIDDLE + b + 1, bottom + 6),
            (MIDDLE + b - 5, top + high * 0.8), (MIDDLE + b - 3, top + high * 0.4),
        ], closed=False)  # fmt: skip
        tone = colour.shade(-0.15 if colour.lightness > 0.2 else 0.15)
        canvas.paint(ribbon(loop, 3.6), tone, drawing.finish.replace(round=2, cast=0.45))
        parts.draw_ring(drawing, MIDDLE + b - 2, top + high * 0.3, 3.4, metal)
    drawing.attributes["strap_width"] = round((3.4 if chained else 0.0) / DRAWING_SIZE[1], 4)


def draw_pleats(drawing: Drawing, body: Field, top: float, bottom: float, half: float) -> None:
    """Draw gathers under a frame."""
    for i in range(-4, 5):
        line = np.array([[MIDDLE + half * i * 0.19, top + 4], [MIDDLE + half * i * 0.225, top + (bottom - top) * 0.72]])
        pleat = ribbon(spline([tuple(line[0]), tuple(line[1])], closed=False), np.linspace(2.6, 0.4, 11))
        drawing.canvas.adjust_lightness(pleat, -0.3, soft=1.6, within=body)
