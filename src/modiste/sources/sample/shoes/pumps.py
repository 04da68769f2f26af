"""Heels and ballet flats: shoes cut low around the foot."""

from __future__ import annotations

from modiste.sources.sample.curves import Point, oval, ribbon
from modiste.sources.sample.drawing import Drawing
from modiste.sources.sample.palette import GUM, INK, Colour
from modiste.sources.sample.shoes.last import INSIDE, SOLE, add_ground_shadow, make_last, record_heights
from modiste.sources.sample.shoes.parts import draw_ankle_strap, draw_bow, draw_heel_block


def draw_heels(drawing: Drawing) -> None:
    """Draw pumps: from a kitten heel to a stiletto, with or without a platform or an ankle strap."""
    dice = drawing.rng
    heel = dice.uniform(0.16, 0.62)
    platform = dice.bates(0.03, 0.16) if dice.chance(0.3) else 0.0
    sole = 0.028 + platform
    toe = dice.bates(0.10, 0.14)
    back = dice.bates(0.24, 0.34)
    last = make_last(drawing, heel + sole + back, lift=heel, spring=0.012)
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.10)
    add_ground_shadow(drawing, last, 0.0, 0.42)
    x, y = last.above_ground(0.955, 0.0)
    slim = dice.bates(0.0, 1.0)
    canvas.add_shadow(oval(x, y + 1, 5 + 10 * slim, 2.4), 0.45, soft=2)
    light_soles, dark_soles = [colour.shade(-0.3), INK, GUM, colour.shade(-0.1)], [INK, GUM, Colour(2, 0.75, 0.4)]
    under = dice.choice(light_soles if colour.lightness > 0.25 else dark_soles)
    # the heel: a curve from the seat down to its tip
    wide, tip = 0.15 + 0.1 * slim, 0.028 + 0.15 * slim
    seat = heel + sole * 0.4
    post: list[Point] = [
        (0.985 - wide, heel * 0.90 + 0.01, 1), (0.965 - tip - wide * 0.1, heel * 0.55),
        (0.955 - tip, 0.0, 1), (0.955, 0.0, 1), (0.968, heel * 0.5), (1.0, seat, 1),
    ]  # fmt: skip
    own = colour if dice.chance(0.7) else INK
    canvas.paint(last.ground_curve(post), own, drawing.finish.replace(round=4, depth=1.1))
    heel_tip = last.ground_curve([(0.952 - tip, 0.018, 1), (0.958, 0.018, 1), (0.956, 0.0, 1), (0.954 - tip, 0.0, 1)])
    canvas.paint(heel_tip, INK, SOLE.replace(round=1))
    sole_colour = colour if platform != 0 and dice.chance(0.6) else under
    canvas.paint(last.sole_outline(sole, heel=0.99), sole_colour, SOLE.replace(gloss=0.2))
    t = sole * 0.6
    cut = dice.bates(0.28, 0.42)
    opening = last.curve(
        [(cut - 0.02, t + toe * 0.6), (0.5, t + 0.09), (0.75, t + 0.12), (0.97, t + back * 0.97), (0.9, t), (0.5, t)]
    )
    canvas.paint(opening, GUM.shade(0.45), INSIDE)
    sharp, side = dice.bates(-0.02, 0.035), dice.bates(0.06, 0.15)
    upper = last.curve([
        (-sharp, t + 0.012, 1), (0.005 - sharp * 0.4, t + toe * 0.36), (0.09, t + toe * 0.80),
        (0.2, t + toe * 1.05), (cut - 0.02, t + toe * 1.18, 1), (cut + 0.07, t + toe * 0.82),
        (0.58, t + side), (0.74, t + side * 1.2), (0.86, t + back * 0.66), (0.955, t + back, 1),
        (0.985, t + back * 0.72), (0.99, t + back * 0.3), (1.0, t, 1), (0.7, t - 0.015),
        (0.4, t - 0.015), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.paint_body(upper, drawing.finish.replace(round=9))
    edge = last.curve([
        (cut, t + toe * 1.0), (cut + 0.08, t + toe * 0.66), (0.58, t + side - 0.018),
        (0.74, t + side * 1.2 - 0.02), (0.87, t + back * 0.58), (0.94, t + back * 0.9),
    ], closed=False)  # fmt: skip
    drawing.stitch(edge, 1.8, 1.5, 0.7, body)
    strapped = 0.0
    if dice.chance(0.35):
        strapped = back + dice.bates(0.03, 0.11)
        draw_ankle_strap(drawing, last, heel + t + strapped, heel + t + back * 0.9, dice.bates(2.4, 4.6))
    elif dice.chance(0.3):
        draw_bow(drawing, *last.above_sole(cut - 0.06, t + toe * 1.1), dice.bates(10, 17))
    record_heights(drawing, last.length, heel=heel + sole, sole=sole, shaft=max(back, strapped))


def draw_flats(drawing: Drawing) -> None:
    """Draw ballet flats: low, round, sometimes with a bow."""
    dice = drawing.rng
    sole = dice.bates(0.03, 0.06)
    back = dice.bates(0.22, 0.31)
    toe = dice.bates(0.12, 0.18)
    last = make_last(drawing, sole + back, spring=dice.bates(0.01, 0.04), lift=dice.bates(0.0, 0.035))
    canvas = drawing.canvas
    drawing.choose_pattern(0.25)
    add_ground_shadow(drawing, last, 0.02, 0.98)
    t = sole * 0.7
    cut = dice.bates(0.24, 0.38)
    opening = last.curve(
        [(cut - 0.02, t + toe * 0.8), (0.5, t + 0.1), (0.8, t + 0.13), (0.97, t + back * 0.96), (0.9, t), (0.5, t)]
    )
    canvas.paint(opening, GUM.shade(0.4), INSIDE)
    draw_heel_block(drawing, last, sole, 0.22, 0.0, INK)
    upper = last.curve([
        (0.006, t + 0.01, 1), (0.0, t + toe * 0.42), (0.05, t + toe * 0.85), (0.15, t + toe * 1.1),
        (cut, t + toe * 1.18), (cut + 0.07, t + toe * 0.72), (0.58, t + 0.075), (0.74, t + 0.1),
        (0.88, t + back * 0.72), (0.955, t + back, 1), (0.985, t + back * 0.7), (0.98, t + back * 0.35),
        (0.995, t + 0.02, 1), (0.5, t - 0.02), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.paint_body(upper, drawing.finish.replace(round=9))
    edge = last.curve([
        (cut - 0.01, t + toe * 1.02), (cut + 0.08, t + toe * 0.55), (0.58, t + 0.055), (0.74, t + 0.08),
        (0.94, t + back * 0.88),
    ], closed=False)  # fmt: skip
    piping = drawing.colour.shade(-0.25 if drawing.colour.lightness > 0.2 else 0.15)
    canvas.paint(ribbon(edge, 1.6), piping, drawing.finish.replace(round=1, cast=0.15), within=body)
    if dice.chance(0.6):
        draw_bow(drawing, *last.above_sole(cut - 0.07, t + toe * 1.05), dice.bates(11, 19))
    canvas.paint(last.sole_outline(sole, heel=0.99), INK if dice.chance(0.5) else GUM.shade(-0.2), SOLE)
    record_heights(drawing, last.length, heel=last.sole_height(1.0) + sole, sole=sole, shaft=back)
