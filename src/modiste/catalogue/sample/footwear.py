"""Shoes from the side, toe to the left, all on one last: pairs of proportions that run into each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modiste.catalogue.sample.canvas import UNITS, Finish
from modiste.catalogue.sample.curves import Contour, Point, dashes, oval, part_of, ribbon, spline
from modiste.catalogue.sample.drawing import Drawing
from modiste.catalogue.sample.palette import CHALK, GOLD, GUM, INK, STEEL, Colour
from modiste.catalogue.sample.raster import Field

SOLE = Finish(round=4, depth=0.8, gloss=0.08, grain=0.02, cast=0.2)
INSIDE = Finish(round=6, depth=0.5, gloss=0.0, cast=0.0)
LACE = Finish(round=1.2, depth=0.8, gloss=0.05, cast=0.35, rim=0.6)
METAL = Finish(round=1.5, depth=1.2, gloss=0.9, cast=0.35, rim=0.8)


@dataclass(frozen=True)
class Last:
    """The form a shoe is built on. u runs from toe (0) to heel (1), v upwards, both in foot lengths."""

    length: float
    ground: float
    lift: float = 0.0
    platform: float = 0.0
    spring: float = 0.02

    def base(self, u: float) -> float:
        """How high the underside of the sole is at u: toe spring in front, the heel's lift behind."""
        t = min(max((u - 0.28) / 0.62, 0.0), 1.0)
        front = max(1.0 - u / 0.22, 0.0)
        return self.lift * t * t * (3.0 - 2.0 * t) + self.spring * front * front

    def at(self, u: float, v: float) -> tuple[float, float]:
        """The place of (u, v), v counted from the underside of the sole, in drawing units."""
        return self.flat(u, self.base(u) + v)

    def flat(self, u: float, v: float) -> tuple[float, float]:
        """The place of (u, v), v counted from the ground."""
        return UNITS[1] / 2 + (u - 0.5) * self.length, self.ground - v * self.length

    def curve(self, points: list[Point], *, closed: bool = True) -> Contour:
        """A smooth outline through points (u, v) or (u, v, 1) for corners."""
        return spline([(*self.at(point[0], point[1]), *point[2:]) for point in points], closed=closed)

    def sole(self, thickness: float, *, toe: float = 0.0, heel: float = 1.0, bulge: float = 0.01) -> Contour:
        """A sole that follows the last's underside."""
        steps = [toe + (heel - toe) * i / 12 for i in range(13)]
        under: list[Point] = [(u, 0.0) for u in steps[1:-1]]
        over: list[Point] = [(u, thickness) for u in steps[::-1]]
        over[0] = (heel - 0.005, thickness, 1)
        over[-1] = (toe + 0.01, thickness, 1)
        back: list[Point] = [(heel + bulge, thickness * 0.5)]
        front: list[Point] = [(toe - bulge, thickness * 0.55)]
        return self.curve([(toe + 0.02, 0.0), *under, (heel - 0.01, 0.0), *back, *over, *front])


def make_last(drawing: Drawing, tall: float, **form: float) -> Last:
    """A last that puts a shoe `tall` foot lengths high in the middle of the frame; casts the contact shadow."""
    length = drawing.dice.around(112, 160)
    length = min(length, 218.0 / max(tall, 0.2))
    ground = min(UNITS[0] / 2 + tall * length / 2, UNITS[0] - 12)
    last = Last(length, ground, **form)
    drawing.facts["foot_length"] = round(length / UNITS[1], 4)
    return last


def ground_shadow(drawing: Drawing, last: Last, start: float = 0.0, stop: float = 1.0) -> None:
    """A dark line where the shoe touches the ground, and a wide pale one around it."""
    (x0, y), (x1, _) = last.flat(start, 0.0), last.flat(stop, 0.0)
    middle, half = (x0 + x1) / 2, (x1 - x0) / 2
    drawing.canvas.shadow(oval(middle + 2, y + 1.5, half * 0.98, 3.2), 0.5, soft=2.2)
    drawing.canvas.shadow(oval(middle + 2, y + 3, half * 1.0, 6.5), 0.26, soft=5)


def note(drawing: Drawing, *, heel: float, sole: float, shaft: float) -> None:
    """Write down the heights, as fractions of the frame's height."""
    drawing.facts["heel_height"] = round(heel / UNITS[0], 4)
    drawing.facts["sole_thickness"] = round(sole / UNITS[0], 4)
    drawing.facts["shaft_height"] = round(shaft / UNITS[0], 4)


def laces(drawing: Drawing, line: Contour, count: int, reach: float, colour: Colour, within: Field) -> None:
    """Rungs of lace across the vamp along `line`, each ending in an eyelet."""
    rungs: list[Contour] = []
    holes: list[Contour] = []
    for i in range(count):
        x, y = line[round((0.06 + 0.86 * i / max(count - 1, 1)) * (len(line) - 1))]
        rungs.extend(
            ribbon(
                spline(
                    [(x - 2, y - 1), (x + reach * 0.5, y + reach * 0.22), (x + reach, y + reach * 0.72)],
                    closed=False,
                ),
                2.9,
            )
        )
        holes.append(oval(x + reach, y + reach * 0.72, 2.0, 2.0, steps=4))
    drawing.canvas.paint(holes, STEEL if colour.lightness < 0.5 else INK, METAL, within=within)
    drawing.canvas.paint(rungs, colour, LACE)


def sneakers(drawing: Drawing) -> None:
    """Sneakers, from low ones to high tops."""
    dice = drawing.dice
    sole = dice.around(0.07, 0.15)
    collar = dice.around(0.36, 0.50) if dice.chance(0.7) else dice.around(0.5, 0.74)
    toe = dice.around(0.15, 0.22)
    last = make_last(drawing, sole + collar, spring=dice.around(0.01, 0.05), lift=dice.around(0.0, 0.03))
    canvas, colour, finish = drawing.canvas, drawing.colour, drawing.finish
    drawing.choose_pattern(0.22)
    accent = drawing.second or (
        CHALK if colour.lightness < 0.6 else dice.pick([INK, colour.shade(-0.5), GUM])
    )
    sole_colour = CHALK if dice.chance(0.65) else dice.pick([INK, GUM, accent, colour.shade(-0.4)])
    ground_shadow(drawing, last, 0.02, 0.99)

    t = sole * 0.8
    lining = colour.shade(-0.5) if colour.lightness > 0.3 else colour.shade(0.25)
    canvas.paint(
        last.curve([(0.5, t + collar * 0.8), (0.57, t + collar * 1.02), (0.75, t + collar * 0.97), (0.93, t + collar * 1.03), (0.95, t + collar * 0.6), (0.6, t + collar * 0.5)]),
        lining, INSIDE,
    )  # fmt: skip
    tongue = last.curve(
        [
            (0.40, t + collar * 0.6),
            (0.47, t + collar * 0.92),
            (0.52, t + collar * 1.09),
            (0.58, t + collar * 1.08),
            (0.60, t + collar * 0.85),
            (0.5, t + collar * 0.6),
        ]
    )
    canvas.paint(tongue, colour.shade(0.12), finish.but(round=5))
    dip = collar * dice.around(0.68, 0.86)
    upper = last.curve([
        (0.012, t + 0.01, 1), (0.012, t + toe * 0.45), (0.06, t + toe * 0.88), (0.15, t + toe * 1.08),
        (0.28, t + toe + (collar - toe) * 0.30), (0.42, t + toe + (collar - toe) * 0.72), (0.535, t + collar * 1.0, 1),
        (0.60, t + dip * 1.06), (0.70, t + dip), (0.82, t + dip * 1.05), (0.91, t + collar * 0.99), (0.96, t + collar * 1.03, 1),
        (0.985, t + collar * 0.78), (0.972, t + collar * 0.45), (0.992, t + 0.1), (0.985, t - 0.03, 1), (0.5, t - 0.04), (0.02, t - 0.03, 1),
    ])  # fmt: skip
    body = drawing.body(upper, finish.but(round=13, depth=0.9))
    # overlays: toe cap, heel counter, a band at the side
    overlay = finish.but(round=4, depth=0.5, cast=0.3)
    trim = accent if dice.chance(0.5) else colour.shade(-0.22 if colour.lightness > 0.25 else 0.18)
    if dice.chance(0.65):
        canvas.paint(
            last.curve(
                [
                    (-0.02, t - 0.05),
                    (-0.02, t + toe),
                    (0.1, t + toe * 1.2),
                    (0.17, t + toe * 0.75),
                    (0.2, t - 0.05),
                ]
            ),
            trim,
            overlay,
            within=body,
        )
    if dice.chance(0.75):
        canvas.paint(
            last.curve(
                [
                    (0.82, t - 0.06),
                    (0.83, t + collar * 0.3),
                    (0.9, t + collar * 0.52),
                    (0.92, t + collar * 1.1),
                    (1.03, t + collar * 1.1),
                    (1.03, t - 0.06),
                ]
            ),
            trim,
            overlay,
            within=body,
        )
    side = dice.weighted({"bars": 3, "wave": 3, "none": 2})
    lean = dice.around(0.05, 0.14)
    if side == "bars":
        bars = [
            contour
            for i in range(3)
            for contour in ribbon(
                np.array(
                    [last.at(0.46 + 0.075 * i, t - 0.02), last.at(0.46 + 0.075 * i - lean, t + collar * 0.62)]
                ),
                4.6,
                caps=False,
            )
        ]
        canvas.paint(bars, accent, overlay.but(round=2), within=body)
    elif side == "wave":
        line = last.curve(
            [
                (0.30, t + 0.07),
                (0.45, t + 0.045 + lean * 0.3),
                (0.62, t + 0.10 + lean),
                (0.86, t + collar * 0.62),
            ],
            closed=False,
        )
        canvas.paint(
            ribbon(line, np.linspace(9.5, 2.0, len(line)), caps=True),
            accent,
            overlay.but(round=2),
            within=body,
        )
    # the lace stay and its stitching
    front = last.curve(
        [(0.22, t + toe * 1.05), (0.36, t + toe + (collar - toe) * 0.53), (0.53, t + collar * 0.99)],
        closed=False,
    )
    stay = last.curve(
        [
            (0.2, t + toe * 1.2),
            (0.2, t + toe * 0.82),
            (0.32, t + toe * 1.02),
            (0.45, t + collar * 0.62),
            (0.545, t + collar * 0.74),
            (0.56, t + collar * 1.1),
            (0.4, t + collar * 1.05),
        ]
    )
    canvas.paint(stay, trim, overlay, within=body)
    drawing.stitch(
        dashes(
            last.curve(
                [(0.31, t + toe * 0.93), (0.45, t + collar * 0.55), (0.565, t + collar * 0.68)], closed=False
            ),
            2.2,
            1.6,
            0.8,
        ),
        body,
    )
    drawing.stitch(
        dashes(
            last.curve(
                [
                    (0.56, t + collar * 0.86),
                    (0.64, t + dip * 0.9),
                    (0.74, t + dip * 0.86),
                    (0.9, t + collar * 0.84),
                ],
                closed=False,
            ),
            2.2,
            1.6,
            0.8,
        ),
        body,
    )
    lace = CHALK if dice.chance(0.7) else accent
    laces(drawing, front, 4 + int((collar - 0.34) * 9), 10.0, lace, body)
    # the sole over the upper's lower edge, its foxing line, and the tread
    shell = canvas.paint(last.sole(sole, bulge=0.016), sole_colour, SOLE)
    line = part_of(last.sole(sole * 0.62, bulge=0.02), 0.0, 1.0)
    canvas.glow(ribbon(np.concatenate([line, line[:1]]), 0.9), -0.28, soft=1, within=shell)
    tread = INK if sole_colour.lightness > 0.3 and dice.chance(0.5) else sole_colour.shade(-0.3)
    canvas.paint(
        last.sole(sole * 0.26, toe=0.01, heel=0.985), tread, SOLE.but(cast=0.0, round=2), within=shell
    )
    drawing.facts["sole_lightness"] = round(sole_colour.lightness, 4)
    note(
        drawing,
        heel=(last.base(1.0) + sole) * last.length,
        sole=sole * last.length,
        shaft=collar * last.length,
    )


def boots(drawing: Drawing) -> None:
    """Boots, from the ankle to the knee, flat or on a block."""
    dice = drawing.dice
    shaft = dice.between(0.42, 1.25)
    heel = dice.around(0.05, 0.32) if dice.chance(0.75) else dice.around(0.03, 0.08)
    sole = dice.around(0.03, 0.07)
    toe = dice.around(0.14, 0.19)
    last = make_last(drawing, heel * 0.9 + sole + shaft, lift=heel, spring=dice.around(0.005, 0.03))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.06)
    finish = drawing.finish.but(round=14, depth=0.95)
    girth = dice.around(0.40, 0.52)
    lean = dice.around(-0.03, 0.04)
    ground_shadow(drawing, last, 0.02, 1.0)
    t, top = sole * 0.7, shaft
    back = 0.985
    front = back - girth
    heel_block(
        drawing,
        last,
        sole,
        dice.around(0.2, 0.3),
        dice.around(0.0, 0.06),
        INK.shade(0.04) if dice.chance(0.6) else GUM.shade(-0.4),
    )
    mouth = (front + back) / 2 + lean
    canvas.paint(
        oval(*last.flat(mouth, last.lift + top), girth / 2 * last.length * 0.99, 5.0),
        colour.shade(-0.55),
        INSIDE,
    )
    lift = last.lift

    def up(u: float, v: float, *corner: int) -> Point:
        """A point of the shaft: counted from the heel seat, straight up whatever lies below."""
        return (u, v + lift - last.base(u), *corner)

    upper = last.curve([
        (0.015, t + 0.01, 1), (0.01, t + toe * 0.45), (0.07, t + toe * 0.9), (0.18, t + toe * 1.12), (0.34, t + toe * 1.5),
        up(front - 0.01, 0.34 + toe * 0.2), up(front + 0.01, min(0.5, top * 0.8)), up(front + lean, top, 1),
        up(mouth, top - 0.025), up(back + lean, top, 1),
        up(back - 0.012, top * 0.62), up(back - 0.035, 0.30), up(back + 0.006, 0.13), (back + 0.002, t, 1), (0.55, t - 0.03), (0.03, t - 0.02, 1),
    ])  # fmt: skip
    body = drawing.body(upper, finish)
    style = dice.weighted({"chelsea": 3, "lace": 3, "zip": 2, "buckle": 3})
    ankle = last.lift
    if style == "chelsea":
        gore = [
            (mouth - 0.085, ankle + min(top, 0.75)),
            (mouth + 0.085, ankle + min(top, 0.75)),
            (mouth + 0.05, ankle + 0.2),
            (mouth - 0.03, ankle + 0.2),
        ]
        panel = canvas.paint(
            spline([(*last.flat(u, v), 0) for u, v in gore]),
            colour.shade(-0.45) if colour.lightness > 0.2 else colour.shade(0.2),
            Finish(round=3, gloss=0, grain=0.1, weave=True, cast=0.1),
            within=body,
        )
        ribs = [
            c
            for i in range(9)
            for c in ribbon(
                np.array(
                    [
                        last.flat(mouth - 0.09 + 0.0225 * i, ankle + top),
                        last.flat(mouth - 0.06 + 0.017 * i, ankle + 0.15),
                    ]
                ),
                0.7,
                caps=False,
            )
        ]
        canvas.glow(ribs, -0.4, soft=1, within=panel)
    elif style == "lace":
        low, high = 0.30, min(top - 0.03, 0.85)
        line = spline(
            [
                last.at(0.34, t + toe * 1.5),
                last.flat(front, ankle + low + 0.05),
                last.flat(front + 0.012 + lean * 0.7, ankle + high),
            ],
            closed=False,
        )
        laces(
            drawing,
            line,
            4 + int(high * 6),
            11.0,
            INK.shade(0.1) if colour.lightness > 0.3 else GUM.shade(-0.2),
            body,
        )
    elif style == "buckle":
        v = ankle + dice.around(0.24, 0.36)
        strap = spline(
            [last.flat(front - 0.06, v - 0.02), last.flat(mouth, v - 0.05), last.flat(back + 0.02, v + 0.02)],
            closed=False,
        )
        canvas.paint(
            ribbon(strap, 6.5),
            colour.shade(-0.2 if colour.lightness > 0.2 else 0.15),
            drawing.finish.but(round=2.5, cast=0.4),
            within=body,
        )
        buckle(drawing, *last.flat(mouth - 0.03, v - 0.048), 9.0, 9.5, GOLD if dice.chance(0.5) else STEEL)
    else:
        zipper = spline(
            [
                last.flat(mouth + 0.06 + lean, ankle + top),
                last.flat(mouth + 0.04, ankle + top * 0.5),
                last.flat(mouth + 0.05, ankle + 0.12),
            ],
            closed=False,
        )
        canvas.paint(ribbon(zipper, 3.4), colour.shade(-0.4), LACE.but(cast=0.2), within=body)
        canvas.paint(
            dashes(zipper, 1.1, 1.1, 1.6), GOLD if dice.chance(0.4) else STEEL, METAL.but(cast=0), within=body
        )
    drawing.stitch(
        dashes(
            last.curve(
                [(0.30, t), (0.40, t + toe * 0.8), up(0.52, 0.22), up(0.62, 0.24), (0.74, t)], closed=False
            ),
            2.2,
            1.6,
            0.8,
        ),
        body,
    )
    rim = spline(
        [
            last.flat(front + lean + 0.01, ankle + top - 0.035),
            last.flat(mouth, ankle + top - 0.06),
            last.flat(back + lean - 0.01, ankle + top - 0.035),
        ],
        closed=False,
    )
    drawing.stitch(dashes(rim, 2.2, 1.6, 0.8), body)
    canvas.paint(last.sole(sole), INK.shade(0.06) if dice.chance(0.7) else GUM.shade(-0.3), SOLE)
    note(drawing, heel=(heel + sole) * last.length, sole=sole * last.length, shaft=shaft * last.length)


def heel_block(drawing: Drawing, last: Last, sole: float, wide: float, taper: float, colour: Colour) -> None:
    """The heel between the ground and the raised end of the sole."""
    if last.lift < 0.012:
        return
    reach = last.lift + sole * 0.5
    outline: list[Point] = [
        (1 - wide, reach, 1), (1 - wide + taper * 0.5 + wide * 0.06, reach * 0.5), (1 - wide + taper + wide * 0.08, 0.0, 1),
        (0.985 - taper * 0.5, 0.0, 1), (0.975 - taper * 0.2, reach * 0.5), (1.0, reach, 1),
    ]  # fmt: skip
    shape = spline([(*last.flat(p[0], p[1]), *p[2:]) for p in outline])
    drawing.canvas.paint(shape, colour, SOLE.but(gloss=0.25, round=5))


def buckle(drawing: Drawing, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
    """A square metal frame with its pin."""
    outer = oval(x, y, wide / 2, high / 2, square=0.75)
    inner = oval(x, y, wide / 2 - 1.7, high / 2 - 1.7, square=0.75)[::-1]
    drawing.canvas.paint([outer, inner], colour, METAL)
    drawing.canvas.paint(ribbon(np.array([[x - wide / 2, y], [x + wide / 2 - 1, y]]), 1.5), colour, METAL)


def heels(drawing: Drawing) -> None:
    """Pumps: from a kitten heel to a stiletto, with or without a platform or an ankle strap."""
    dice = drawing.dice
    heel = dice.between(0.16, 0.62)
    platform = dice.around(0.03, 0.16) if dice.chance(0.3) else 0.0
    sole = 0.028 + platform
    toe = dice.around(0.10, 0.14)
    back = dice.around(0.24, 0.34)
    last = make_last(drawing, heel + sole + back, lift=heel, spring=0.012)
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.10)
    ground_shadow(drawing, last, 0.0, 0.42)
    x, y = last.flat(0.955, 0.0)
    slim = dice.around(0.0, 1.0)
    canvas.shadow(oval(x, y + 1, 5 + 10 * slim, 2.4), 0.45, soft=2)
    under = (
        dice.pick([colour.shade(-0.3), INK, GUM, colour.shade(-0.1)])
        if colour.lightness > 0.25
        else dice.pick([INK, GUM, Colour(2, 0.75, 0.4)])
    )
    # the heel: a curve from the seat down to its tip
    wide, tip = 0.15 + 0.1 * slim, 0.028 + 0.15 * slim
    seat = heel + sole * 0.4
    post: list[Point] = [
        (0.985 - wide, heel * 0.90 + 0.01, 1), (0.965 - tip - wide * 0.1, heel * 0.55), (0.955 - tip, 0.0, 1), (0.955, 0.0, 1),
        (0.968, heel * 0.5), (1.0, seat, 1),
    ]  # fmt: skip
    own = colour if dice.chance(0.7) else INK
    canvas.paint(
        spline([(*last.flat(p[0], p[1]), *p[2:]) for p in post]), own, drawing.finish.but(round=4, depth=1.1)
    )
    canvas.paint(
        spline(
            [
                (*last.flat(u, v), 1)
                for u, v in [(0.952 - tip, 0.018), (0.958, 0.018), (0.956, 0.0), (0.954 - tip, 0.0)]
            ]
        ),
        INK,
        SOLE.but(round=1),
    )
    canvas.paint(
        last.sole(sole, heel=0.99),
        under if platform == 0 else (colour if dice.chance(0.6) else under),
        SOLE.but(gloss=0.2),
    )
    t = sole * 0.6
    cut = dice.around(0.28, 0.42)
    canvas.paint(
        last.curve(
            [
                (cut - 0.02, t + toe * 0.6),
                (0.5, t + 0.09),
                (0.75, t + 0.12),
                (0.97, t + back * 0.97),
                (0.9, t),
                (0.5, t),
            ]
        ),
        GUM.shade(0.45),
        INSIDE,
    )
    sharp = dice.around(-0.02, 0.035)
    upper = last.curve([
        (-sharp, t + 0.012, 1), (0.005 - sharp * 0.4, t + toe * 0.36), (0.09, t + toe * 0.80), (0.2, t + toe * 1.05), (cut - 0.02, t + toe * 1.18, 1),
        (cut + 0.06, t + toe * 0.58), (0.56, t + 0.06), (0.72, t + 0.085), (0.86, t + back * 0.66), (0.955, t + back, 1),
        (0.985, t + back * 0.72), (0.99, t + back * 0.3), (1.0, t, 1), (0.7, t - 0.015), (0.4, t - 0.015), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.body(upper, drawing.finish.but(round=9))
    edge = last.curve(
        [
            (cut - 0.0, t + toe * 1.02),
            (cut + 0.07, t + toe * 0.42),
            (0.56, t + 0.045),
            (0.72, t + 0.07),
            (0.87, t + back * 0.58),
            (0.94, t + back * 0.9),
        ],
        closed=False,
    )
    drawing.stitch(dashes(edge, 1.8, 1.5, 0.7), body)
    strapped = 0.0
    if dice.chance(0.35):
        strapped = dice.around(0.30, 0.46)
        loop = spline(
            [
                last.flat(0.93, heel + t + back * 0.9),
                last.flat(0.86, heel + t + strapped),
                last.flat(0.66, heel + t + strapped * 1.02),
                last.flat(0.63, heel * 0.86 + strapped * 0.9),
                last.flat(0.8, heel * 0.9 + t + strapped * 0.82),
                last.flat(0.955, heel + t + back * 0.8),
            ],
            closed=False,
        )
        canvas.paint(ribbon(loop, 3.6), colour, drawing.finish.but(round=1.8, cast=0.2))
        buckle(drawing, *last.flat(0.80, heel * 0.9 + t + strapped * 0.82), 6, 6.5, GOLD)
    elif dice.chance(0.3):
        bow(drawing, *last.at(cut - 0.06, t + toe * 1.1), dice.around(10, 17))
    note(
        drawing,
        heel=(heel + sole) * last.length,
        sole=sole * last.length,
        shaft=max(back, strapped) * last.length,
    )


def bow(drawing: Drawing, x: float, y: float, size: float) -> None:
    """A bow of the main material."""
    for side in (-1, 1):
        wing = spline(
            [
                (x, y),
                (x + side * size * 0.5, y - size * 0.42),
                (x + side * size * 0.8, y - size * 0.05),
                (x + side * size * 0.5, y + size * 0.3),
            ]
        )
        drawing.canvas.paint(wing, drawing.colour.shade(-0.08), drawing.finish.but(round=3))
    drawing.canvas.paint(
        oval(x, y, size * 0.17, size * 0.2, square=0.4), drawing.colour, drawing.finish.but(round=2)
    )


def sandals(drawing: Drawing) -> None:
    """Open sandals: flat, on a wedge or on a heel, with two to four straps."""
    dice = drawing.dice
    heel = dice.between(0.0, 0.42)
    sole = dice.around(0.05, 0.13)
    back = dice.around(0.26, 0.40)
    last = make_last(drawing, heel + sole + back, lift=heel, spring=dice.around(0.005, 0.03))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.12)
    base = dice.pick([GUM, GUM.shade(-0.3), INK, GUM.shade(0.3)])
    wedge = dice.chance(0.55)
    ground_shadow(drawing, last, 0.0, 1.0 if wedge or heel < 0.1 else 0.45)
    if wedge and heel > 0.02:
        filler: list[Point] = [
            (0.30, 0.0, 1),
            (0.32, last.base(0.32) + 0.01),
            (0.6, last.base(0.6) + sole * 0.4),
            (0.99, heel + sole * 0.5, 1),
            (0.965, 0.0, 1),
        ]
        fill = canvas.paint(
            spline([(*last.flat(p[0], p[1]), *p[2:]) for p in filler]),
            base,
            SOLE.but(grain=0.16, weave=True, round=6),
        )
        ropes = [
            c
            for i in range(1, 9)
            for c in ribbon(
                np.array([last.flat(0.2, heel * i / 9), last.flat(1.0, heel * i / 9)]), 0.8, caps=False
            )
        ]
        canvas.glow(ropes, -0.3, soft=1, within=fill)
    else:
        heel_block(drawing, last, sole, dice.around(0.10, 0.26), dice.around(0.01, 0.08), base)
    t = sole * 0.92
    far = colour.shade(-0.35)
    count = 1 + int(dice.between(1.0, 3.99))
    wide = dice.around(0.07, 0.15) * last.length
    arch = dice.around(0.13, 0.18)
    spots = [0.16 + 0.34 * i / max(count - 1, 1) for i in range(count)]
    for u in spots:  # the far halves first
        high = arch + (u - 0.1) * 0.3
        canvas.paint(
            ribbon(
                last.curve(
                    [(u + 0.07, t - 0.02), (u + 0.10, t + high * 0.6), (u + 0.06, t + high)], closed=False
                ),
                wide * 0.7,
            ),
            far,
            drawing.finish.but(round=3, cast=0),
        )
    ankle = [(0.985, t - 0.01), (1.0, t + back * 0.55), (0.97, t + back)]
    canvas.paint(last.sole(sole), base, SOLE)
    canvas.paint(last.sole(sole * 0.35, toe=0.005, heel=0.995), base.shade(-0.35), SOLE.but(cast=0, round=2))
    foot = last.curve(
        [(0.02, t + 0.002), (0.3, t + 0.006), (0.6, t + 0.006), (0.98, t + 0.004)], closed=False
    )
    canvas.paint(ribbon(foot, 2.6), GUM.shade(0.35), SOLE.but(cast=0, round=2))
    strap = drawing.finish.but(round=4, cast=0.4)
    for u in spots:
        high = arch + (u - 0.1) * 0.3
        line = last.curve(
            [(u - 0.05, t - 0.03), (u - 0.035, t + high * 0.55), (u + 0.06, t + high)], closed=False
        )
        part = drawing.body(ribbon(line, np.linspace(wide, wide * 0.8, len(line)))[:1], strap)
        drawing.stitch(dashes(line + np.array([wide * 0.3, 0.0]), 1.8, 1.5, 0.7), part)
    drawing.body(ribbon(last.curve(ankle, closed=False), wide * 0.9), strap)
    ring = spline(
        [
            last.at(0.975, t + back),
            last.at(0.80, t + back * 1.02),
            last.at(0.66, t + back * 0.9),
            last.at(0.70, t + back * 0.72),
            last.at(0.85, t + back * 0.78),
            last.at(0.985, t + back * 0.86),
        ],
        closed=False,
    )
    canvas.paint(ribbon(ring, wide * 0.42), colour, strap.but(round=2.5))
    buckle(
        drawing,
        *last.at(0.83, t + back * 0.775),
        wide * 0.42 + 4,
        wide * 0.42 + 4,
        GOLD if dice.chance(0.6) else STEEL,
    )
    drawing.facts["straps"] = count
    note(drawing, heel=(heel + sole) * last.length, sole=sole * last.length, shaft=back * last.length)


def loafers(drawing: Drawing) -> None:
    """Loafers and their laced cousins: penny, tassel, plain."""
    dice = drawing.dice
    heel = dice.around(0.035, 0.09)
    sole = dice.around(0.022, 0.04)
    collar = dice.around(0.24, 0.32)
    toe = dice.around(0.13, 0.18)
    last = make_last(drawing, heel + sole + collar, lift=heel * 0.5, spring=dice.around(0.01, 0.04))
    canvas, colour = drawing.canvas, drawing.colour
    drawing.choose_pattern(0.04)
    ground_shadow(drawing, last, 0.02, 0.99)
    t = sole * 0.7
    heel_block(drawing, last, sole, 0.26, 0.0, INK.shade(0.05))
    canvas.paint(
        last.curve(
            [
                (0.42, t + collar * 0.8),
                (0.6, t + collar * 0.92),
                (0.92, t + collar * 1.02),
                (0.95, t + 0.1),
                (0.5, t + 0.1),
            ]
        ),
        GUM.shade(-0.1),
        INSIDE,
    )
    upper = last.curve([
        (0.008, t + 0.012, 1), (0.008, t + toe * 0.45), (0.06, t + toe * 0.9), (0.16, t + toe * 1.14), (0.30, t + toe * 1.32), (0.45, t + collar * 1.06, 1),
        (0.50, t + collar * 0.80), (0.62, t + collar * 0.68), (0.78, t + collar * 0.74), (0.90, t + collar * 0.97), (0.955, t + collar, 1),
        (0.985, t + collar * 0.7), (0.975, t + collar * 0.4), (0.995, t + 0.05), (0.99, t - 0.02, 1), (0.5, t - 0.02), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.body(upper, drawing.finish.but(round=11))
    apron = last.curve(
        [(0.07, t + toe * 0.62), (0.16, t + toe * 0.80), (0.30, t + toe * 0.9), (0.42, t + collar * 0.66)],
        closed=False,
    )
    canvas.glow(ribbon(apron, 1.6), -0.45, soft=1, within=body)
    drawing.stitch(dashes(apron + np.array([0.0, 2.2]), 2.0, 1.6, 0.8), body)
    style = dice.weighted({"penny": 3, "tassel": 2, "lace": 3, "bit": 2})
    band = colour.shade(-0.18 if colour.lightness > 0.2 else 0.14)
    saddle = last.curve([(0.30, t + toe * 1.45), (0.42, t + toe * 1.5), (0.52, t - 0.02), (0.36, t - 0.02)])
    if style == "lace":
        front = last.curve(
            [(0.25, t + toe * 1.26), (0.35, t + toe * 1.4), (0.45, t + collar * 1.03)], closed=False
        )
        canvas.paint(
            last.curve(
                [
                    (0.22, t + toe * 1.4),
                    (0.28, t + toe * 0.9),
                    (0.42, t + toe * 0.85),
                    (0.54, t + collar * 0.6),
                    (0.52, t + collar * 1.1),
                    (0.35, t + toe * 1.6),
                ]
            ),
            band,
            drawing.finish.but(round=4),
            within=body,
        )
        laces(drawing, front, 4, 8.0, INK.shade(0.05), body)
    else:
        canvas.paint(saddle, band, drawing.finish.but(round=5, cast=0.35), within=body)
        x, y = last.at(0.37, t + toe * 1.2)
        if style == "bit":
            canvas.paint(
                [
                    *ribbon(np.array([[x - 7, y - 1.5], [x + 12, y + 6.5]]), 2.2),
                    *ribbon(oval(x - 6, y - 1, 3.2, 3.2), 1.4, caps=False),
                ],
                GOLD,
                METAL,
            )
        elif style == "tassel":
            for spread in (-1, 1):
                canvas.paint(
                    spline(
                        [
                            (x, y),
                            (x + spread * 3 + 1, y + 5),
                            (x + spread * 4 + 3, y + 13),
                            (x + spread * 1 + 1, y + 13),
                        ]
                    ),
                    band.shade(-0.2),
                    drawing.finish.but(round=2),
                )
        else:
            canvas.glow(
                ribbon(
                    last.curve(
                        [(0.36, t + toe * 1.0), (0.41, t + toe * 0.92), (0.44, t + toe * 0.98)], closed=False
                    ),
                    3.2,
                ),
                -0.55,
                soft=1,
                within=body,
            )
    rim = last.curve(
        [
            (0.52, t + collar * 0.70),
            (0.63, t + collar * 0.58),
            (0.78, t + collar * 0.64),
            (0.92, t + collar * 0.88),
        ],
        closed=False,
    )
    drawing.stitch(dashes(rim, 2.0, 1.6, 0.8), body)
    canvas.paint(last.sole(sole), INK.shade(0.07) if dice.chance(0.7) else GUM.shade(-0.35), SOLE)
    canvas.glow(
        ribbon(last.curve([(0.0, sole), (0.5, sole), (1.0, sole)], closed=False), 1.0),
        0.2,
        soft=1,
        within=body,
    )
    note(
        drawing,
        heel=(last.base(1.0) + sole) * last.length,
        sole=sole * last.length,
        shaft=collar * last.length,
    )


def flats(drawing: Drawing) -> None:
    """Ballet flats: low, round, sometimes with a bow."""
    dice = drawing.dice
    sole = dice.around(0.025, 0.05)
    back = dice.around(0.19, 0.27)
    toe = dice.around(0.10, 0.15)
    last = make_last(drawing, sole + back, spring=dice.around(0.01, 0.04), lift=dice.around(0.0, 0.035))
    canvas = drawing.canvas
    drawing.choose_pattern(0.25)
    ground_shadow(drawing, last, 0.02, 0.98)
    t = sole * 0.7
    cut = dice.around(0.24, 0.38)
    canvas.paint(
        last.curve(
            [
                (cut - 0.02, t + toe * 0.8),
                (0.5, t + 0.1),
                (0.8, t + 0.13),
                (0.97, t + back * 0.96),
                (0.9, t),
                (0.5, t),
            ]
        ),
        GUM.shade(0.4),
        INSIDE,
    )
    heel_block(drawing, last, sole, 0.22, 0.0, INK)
    upper = last.curve([
        (0.006, t + 0.01, 1), (0.0, t + toe * 0.42), (0.05, t + toe * 0.85), (0.15, t + toe * 1.1), (cut, t + toe * 1.18),
        (cut + 0.07, t + toe * 0.72), (0.58, t + 0.075), (0.74, t + 0.1), (0.88, t + back * 0.72), (0.955, t + back, 1),
        (0.985, t + back * 0.7), (0.98, t + back * 0.35), (0.995, t + 0.02, 1), (0.5, t - 0.02), (0.02, t - 0.01, 1),
    ])  # fmt: skip
    body = drawing.body(upper, drawing.finish.but(round=9))
    edge = last.curve(
        [
            (cut - 0.01, t + toe * 1.02),
            (cut + 0.08, t + toe * 0.55),
            (0.58, t + 0.055),
            (0.74, t + 0.08),
            (0.94, t + back * 0.88),
        ],
        closed=False,
    )
    canvas.paint(
        ribbon(edge, 1.6),
        drawing.colour.shade(-0.25 if drawing.colour.lightness > 0.2 else 0.15),
        drawing.finish.but(round=1, cast=0.15),
        within=body,
    )
    if dice.chance(0.6):
        bow(drawing, *last.at(cut - 0.07, t + toe * 1.05), dice.around(11, 19))
    canvas.paint(last.sole(sole, heel=0.99), INK if dice.chance(0.5) else GUM.shade(-0.2), SOLE)
    note(
        drawing, heel=(last.base(1.0) + sole) * last.length, sole=sole * last.length, shaft=back * last.length
    )


def flip_flops(drawing: Drawing) -> None:
    """Flip-flops: a pair seen from above."""
    dice = drawing.dice
    canvas, colour = drawing.canvas, drawing.colour
    length, wide = dice.around(150, 205), dice.around(27, 36)
    gap = dice.around(3, 9)
    thick = dice.around(3, 8)
    drawing.choose_pattern(0.4)
    strap = drawing.second or (
        colour.shade(-0.55) if colour.lightness > 0.5 else dice.pick([CHALK, colour.shade(0.5), INK])
    )
    top, waist = 120 - length / 2, dice.around(0.72, 0.84)
    tone = dice.around(3.5, 6.5)
    for side in (-1, 1):
        x = 90 + side * (wide + gap)

        def foot(grow: float, down: float, x: float = x, side: int = side) -> Contour:
            w, h = wide + grow, length + 2 * grow
            y = top - grow + down
            return spline([
                (x - side * w * 0.22, y), (x + side * w * 0.45, y + h * 0.05), (x + side * w * 0.98, y + h * 0.24), (x + side * w * 0.92, y + h * 0.42),
                (x + side * w * waist, y + h * 0.62), (x + side * w * 0.78, y + h * 0.86), (x, y + h), (x - side * w * 0.74, y + h * 0.87),
                (x - side * w * waist * 0.86, y + h * 0.62), (x - side * w * 0.88, y + h * 0.36), (x - side * w * 0.86, y + h * 0.13),
            ])  # fmt: skip

        canvas.shadow(foot(0.5, thick + 2.5), 0.32, soft=3.5)
        canvas.paint(foot(0, thick), colour.shade(-0.35), SOLE.but(gloss=0))
        bed = drawing.body(foot(0, 0), drawing.finish.but(round=4, depth=0.5))
        canvas.glow(
            oval(x - side * 2, top + length * 0.84, wide * 0.5, length * 0.09), -0.10, soft=5, within=bed
        )
        canvas.glow(oval(x, top + length * 0.27, wide * 0.6, length * 0.12), -0.08, soft=5, within=bed)
        rim = foot(-3.2, 0)
        canvas.glow(ribbon(np.concatenate([rim, rim[:1]]), 1.0, caps=False), -0.2, soft=1, within=bed)
        post = (x - side * wide * 0.28, top + length * 0.2)
        for way, end in ((-1, 0.5), (1, 0.5)):
            line = spline(
                [
                    post,
                    (x + way * wide * 0.42, top + length * 0.30),
                    (x + way * wide * 0.84, top + length * end),
                ],
                closed=False,
            )
            canvas.paint(ribbon(line, np.linspace(tone * 0.8, tone * 1.5, len(line))), strap, MATERIAL_STRAP)
        canvas.paint(oval(*post, tone * 0.62, tone * 0.62), strap.shade(-0.1), MATERIAL_STRAP)
    drawing.facts["thong_width"] = round(tone / UNITS[1], 4)
    note(drawing, heel=thick, sole=thick, shaft=0.0)
    drawing.facts["foot_length"] = round(length / UNITS[0], 4)


MATERIAL_STRAP = Finish(round=2.6, depth=1.2, gloss=0.4, cast=0.45, rim=0.5)
