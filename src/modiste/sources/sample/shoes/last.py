"""Last: the form that a shoe is built on, seen from the side, toe to the left, heel raised."""

from __future__ import annotations

from dataclasses import dataclass

from modiste.sources.sample.canvas import DRAWING_SIZE, Finish
from modiste.sources.sample.curves import Contour, Point, oval, spline
from modiste.sources.sample.drawing import Drawing

SOLE = Finish(round=4, depth=0.8, gloss=0.08, grain=0.02, cast=0.2)
INSIDE = Finish(round=6, depth=0.5, gloss=0.0, cast=0.0)
LACE = Finish(round=1.2, depth=0.8, gloss=0.05, cast=0.35, rim=0.6)
METAL = Finish(round=1.5, depth=1.2, gloss=0.9, cast=0.35, rim=0.8)


@dataclass(frozen=True)
class Last:
    """Coordinates of a shoe. u runs from toe (0) to heel (1), v upwards, both in foot lengths."""

    length: float
    ground: float
    lift: float = 0.0
    platform: float = 0.0
    spring: float = 0.02

    def sole_height(self, u: float) -> float:
        """Return the height of the sole's underside at u: toe spring in front, the heel's lift behind."""
        t = min(max((u - 0.28) / 0.62, 0.0), 1.0)
        front = max(1.0 - u / 0.22, 0.0)
        return self.lift * t * t * (3.0 - 2.0 * t) + self.spring * front * front

    def above_sole(self, u: float, v: float) -> tuple[float, float]:
        """Convert (u, v), v measured from the underside of the sole, to drawing units."""
        return self.above_ground(u, self.sole_height(u) + v)

    def above_ground(self, u: float, v: float) -> tuple[float, float]:
        """Convert (u, v), v measured from the ground, to drawing units."""
        return DRAWING_SIZE[1] / 2 + (u - 0.5) * self.length, self.ground - v * self.length

    def curve(self, points: list[Point], *, closed: bool = True) -> Contour:
        """Return a smooth outline through points (u, v), or (u, v, 1) for corners."""
        return spline([(*self.above_sole(point[0], point[1]), *point[2:]) for point in points], closed=closed)

    def ground_curve(self, points: list[Point], *, closed: bool = True) -> Contour:
        """Return a smooth outline through points like those of `curve`, with v measured from the ground."""
        return spline([(*self.above_ground(point[0], point[1]), *point[2:]) for point in points], closed=closed)

    def sole_outline(self, thickness: float, *, toe: float = 0.0, heel: float = 1.0, bulge: float = 0.01) -> Contour:
        """Return the outline of a sole along the last's underside."""
        steps = [toe + (heel - toe) * i / 12 for i in range(13)]
        under: list[Point] = [(u, 0.0) for u in steps[1:-1]]
        over: list[Point] = [(u, thickness) for u in steps[::-1]]
        over[0] = (heel - 0.005, thickness, 1)
        over[-1] = (toe + 0.01, thickness, 1)
        back: list[Point] = [(heel + bulge, thickness * 0.5)]
        front: list[Point] = [(toe - bulge, thickness * 0.55)]
        return self.curve([(toe + 0.02, 0.0), *under, (heel - 0.01, 0.0), *back, *over, *front])


def make_last(drawing: Drawing, height: float, **form: float) -> Last:
    """Return a last that centres a shoe of `height` foot lengths in the frame, and record its foot length."""
    length = drawing.rng.bates(116, 166)
    length = min(length, 206.0 / max(height, 0.2))
    ground = min(DRAWING_SIZE[0] / 2 + height * length / 2, DRAWING_SIZE[0] - 16)
    last = Last(length, ground, **form)
    drawing.attributes["foot_length"] = round(length / DRAWING_SIZE[1], 4)
    return last


def add_ground_shadow(drawing: Drawing, last: Last, start: float = 0.0, stop: float = 1.0) -> None:
    """Add a narrow dark shadow where the shoe touches the ground, and a wide pale one around it."""
    (x0, y), (x1, _) = last.above_ground(start, 0.0), last.above_ground(stop, 0.0)
    middle, half = (x0 + x1) / 2, (x1 - x0) / 2
    drawing.canvas.add_shadow(oval(middle + 2, y + 1.5, half * 0.98, 3.2), 0.5, soft=2.2)
    drawing.canvas.add_shadow(oval(middle + 2, y + 3, half * 1.0, 6.5), 0.26, soft=5)


def record_heights(drawing: Drawing, length: float, *, heel: float, sole: float, shaft: float) -> None:
    """Record the heights, given in units of `length`, as fractions of the frame's height."""
    for name, height in (("heel_height", heel), ("sole_thickness", sole), ("shaft_height", shaft)):
        drawing.attributes[name] = round(height * length / DRAWING_SIZE[0], 4)
