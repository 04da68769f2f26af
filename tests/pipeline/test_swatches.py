"""Swatches of colour words show the measured colours that distinguish them."""

from __future__ import annotations

import json

import numpy as np

from modiste.images.colour import rgb_to_lab
from modiste.pipeline.swatches import colour_columns, measure_swatches
from modiste.shop.filters import Columns

COLOURS = {"Red": (190, 30, 40), "Blue": (40, 60, 170), "Black": (25, 25, 25), "White": (225, 225, 225)}


def test_swatch_ignores_the_sole_of_a_shoe() -> None:
    random = np.random.default_rng(0)
    words = [list(COLOURS)[i % 4] for i in range(80)]
    photos = np.full((80, 40, 30, 3), 255, np.uint8)
    for photo, word in zip(photos, words, strict=True):
        photo[10:30, 5:25] = (120, 120, 120)  # most of every shoe is sole and shadow
        photo[10:17, 5:25] = np.clip(np.array(COLOURS[word]) + random.integers(-9, 10, 3), 0, 255)
    texts = [json.dumps({"base_colour": word, "color2": "x", "name": f"n{i}"}) for i, word in enumerate(words)]
    columns = Columns(["shoes"] * 80, texts)
    assert set(colour_columns(columns)) == {"base_colour", "color2"}
    swatches = measure_swatches(columns, lambda rows: photos[list(rows)])
    assert swatches == measure_swatches(columns, lambda rows: photos[list(rows)])
    for word, colour in COLOURS.items():
        text = swatches["base_colour"][word]
        seen = [int(text[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.linalg.norm(rgb_to_lab(seen) - rgb_to_lab(colour)) < 8, (word, text)


def test_swatch_of_photos_without_foreground_is_white() -> None:
    texts = [json.dumps({"colour": word}) for word in ("a", "b")]
    swatches = measure_swatches(Columns(["x", "x"], texts), lambda rows: np.full((len(rows), 8, 8, 3), 255, np.uint8))
    assert set(swatches["colour"].values()) == {"#ffffff"}
