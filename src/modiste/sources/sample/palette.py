"""Named colours as regions of hue, saturation and lightness, and their weights by kind of product."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from modiste.sources.sample.rng import SeededRandom


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour in HLS: `hue` in degrees from 0 to 360, `saturation` and `lightness` from 0 to 1."""

    hue: float
    saturation: float
    lightness: float

    @property
    def rgb(self) -> tuple[float, float, float]:
        """Red, green and blue, each from 0 to 1."""
        return colorsys.hls_to_rgb(self.hue / 360.0, self.lightness, self.saturation)

    def shade(self, by: float) -> Colour:
        """Return a darker (`by` below 0) or lighter colour; `by` is the share of the way to black or white."""
        end = 1.0 if by > 0 else 0.0
        return Colour(self.hue, self.saturation, self.lightness + (end - self.lightness) * abs(by))


# name: (hue from, to), (saturation from, to), (lightness from, to)
COLOUR_REGIONS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "Black": ((200, 280), (0.0, 0.08), (0.09, 0.17)),
    "White": ((30, 60), (0.0, 0.2), (0.91, 0.96)),
    "Grey": ((200, 240), (0.0, 0.08), (0.36, 0.66)),
    "Silver": ((200, 230), (0.02, 0.1), (0.70, 0.80)),
    "Brown": ((14, 28), (0.35, 0.62), (0.20, 0.34)),
    "Tan": ((24, 33), (0.42, 0.65), (0.44, 0.56)),
    "Beige": ((30, 42), (0.28, 0.5), (0.72, 0.82)),
    "Cream": ((40, 52), (0.5, 0.8), (0.86, 0.91)),
    "Red": ((-8, 8), (0.62, 0.88), (0.36, 0.50)),
    "Maroon": ((-14, 4), (0.42, 0.65), (0.19, 0.28)),
    "Pink": ((330, 350), (0.5, 0.85), (0.66, 0.80)),
    "Purple": ((265, 295), (0.32, 0.6), (0.32, 0.52)),
    "Navy Blue": ((215, 235), (0.42, 0.65), (0.16, 0.27)),
    "Blue": ((203, 225), (0.55, 0.85), (0.38, 0.58)),
    "Light Blue": ((195, 215), (0.42, 0.7), (0.70, 0.80)),
    "Teal": ((172, 190), (0.45, 0.75), (0.26, 0.40)),
    "Green": ((105, 150), (0.35, 0.65), (0.28, 0.46)),
    "Olive": ((58, 85), (0.26, 0.45), (0.26, 0.38)),
    "Yellow": ((46, 56), (0.78, 0.95), (0.52, 0.62)),
    "Mustard": ((38, 46), (0.62, 0.82), (0.40, 0.50)),
    "Orange": ((16, 30), (0.78, 0.95), (0.50, 0.60)),
    "Gold": ((40, 50), (0.45, 0.62), (0.52, 0.64)),
}

_LEATHERS = {"Black": 24, "Brown": 18, "Tan": 13, "Maroon": 5, "Navy Blue": 5, "Grey": 4, "Beige": 4, "Red": 3}
_BRIGHTS = {
    "Black": 15, "White": 17, "Grey": 9, "Blue": 9, "Navy Blue": 7, "Red": 9, "Green": 5, "Pink": 6, "Teal": 4,
    "Yellow": 4, "Orange": 4, "Purple": 4, "Light Blue": 4, "Olive": 3, "Cream": 3, "Mustard": 2,
}  # fmt: skip
_DRESSY = {
    "Black": 20, "Red": 11, "Beige": 9, "Gold": 6, "Silver": 6, "Pink": 9, "Maroon": 6, "Navy Blue": 6,
    "Brown": 6, "Tan": 6, "Purple": 5, "Teal": 4, "Cream": 5, "White": 4, "Light Blue": 3, "Mustard": 3,
}  # fmt: skip
_METALS = {"Gold": 10, "Silver": 10, "Black": 9, "Grey": 5, "Brown": 3, "Navy Blue": 2, "Pink": 2}
_ACETATES = {
    "Black": 22, "Brown": 16, "Tan": 5, "Maroon": 6, "Red": 5, "Navy Blue": 5, "Blue": 4, "Purple": 5,
    "Green": 3, "Teal": 3, "Pink": 4, "White": 3, "Grey": 4, "Olive": 3, "Orange": 2,
}  # fmt: skip

COLOUR_WEIGHTS = {"leather": _LEATHERS, "bright": _BRIGHTS, "dressy": _DRESSY, "metal": _METALS, "acetate": _ACETATES}
"""Weights of the colour names, by the palette that an article type has."""

GOLD = Colour(44, 0.55, 0.58)
STEEL = Colour(215, 0.06, 0.72)
INK = Colour(230, 0.08, 0.13)
CHALK = Colour(45, 0.12, 0.93)
GUM = Colour(30, 0.48, 0.50)


def pick_colour(rng: SeededRandom, palette: str) -> tuple[str, Colour]:
    """Pick a named colour of the palette, and this product's shade of it."""
    name = rng.weighted_choice(COLOUR_WEIGHTS[palette])
    return name, pick_shade(rng, name)


def pick_shade(rng: SeededRandom, name: str) -> Colour:
    """Pick one of the colours called `name`."""
    hue, saturation, lightness = COLOUR_REGIONS[name]
    return Colour(rng.bates(*hue) % 360.0, rng.bates(*saturation), rng.bates(*lightness))


def pick_contrast(rng: SeededRandom, colour: Colour) -> Colour:
    """Pick a second colour visible on `colour`: chalk, ink, a tone of it, or another named colour."""
    way = rng.weighted_choice({"tone": 4, "neutral": 4, "other": 3})
    light = colour.lightness > 0.5
    if way == "neutral":
        return INK if light else CHALK
    if way == "tone":
        return colour.shade(-rng.uniform(0.35, 0.6) if light else rng.uniform(0.35, 0.6))
    other = pick_shade(rng, rng.weighted_choice(_BRIGHTS))
    if abs(other.lightness - colour.lightness) < 0.2:
        other = other.shade(-0.5 if light else 0.5)
    return other
