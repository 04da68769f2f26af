"""Measurements of pictures with known values."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.images.measurements import MEASUREMENT_NAMES, measure_photos


def box(top: int, left: int, height: int, width: int, colour: tuple[int, int, int]) -> np.ndarray:
    photo = np.full((60, 40, 3), 255, np.uint8)
    photo[top : top + height, left : left + width] = colour
    return photo


colours = st.tuples(*[st.integers(0, 200)] * 3)


@given(st.integers(1, 20), st.integers(1, 10), st.integers(1, 38), st.integers(1, 28), colours)
def test_measurements_of_a_box_equal_the_known_values(
    top: int, left: int, height: int, width: int, colour: tuple[int, int, int]
) -> None:
    values = measure_photos(box(top, left, height, width, colour))
    red, green, blue = (channel / 255 for channel in colour)
    assert values["height"] == pytest.approx(height / 60)
    assert values["width"] == pytest.approx(width / 40)
    assert values["area"] == pytest.approx(height * width / 2400)
    assert values["aspect"] == pytest.approx(height / width)
    assert values["lightness"] == pytest.approx(0.2126 * red + 0.7152 * green + 0.0722 * blue, abs=1e-6)
    assert values["saturation"] == pytest.approx(max(colour) / 255 - min(colour) / 255, abs=1e-6)
    assert values["warmth"] == pytest.approx(red - blue, abs=1e-6)
    assert values["pinkness"] == pytest.approx((red + blue) / 2 - green, abs=1e-6)
    assert (values["fill"], values["contrast"]) == pytest.approx((1, 0), abs=1e-6)
    assert (values["balance"], values["lean"]) == pytest.approx((0.5, 0.5), abs=1e-6)
    assert (values["shade"], values["side"]) == pytest.approx((0, 0), abs=1e-6)
    if max(colour) - min(colour) > 20:
        expected = colorsys.rgb_to_hsv(red, green, blue)[0] * 360
        assert abs((values["hue"] - expected + 180) % 360 - 180) < 3  # a circle, where HSV has a hexagon


def test_measurements_of_a_batch_equal_those_of_single_photos() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (70, 12, 9, 3), np.uint8)
    together = measure_photos(photos)
    assert set(together) == set(MEASUREMENT_NAMES)
    for name in MEASUREMENT_NAMES:
        np.testing.assert_allclose(together[name], [measure_photos(photo)[name] for photo in photos])


def test_photo_without_foreground_has_finite_measurements() -> None:
    values = measure_photos(np.full((8, 6, 3), 250, np.uint8))
    assert (values["area"], values["height"], values["edges"], values["aspect"]) == (0, 0, 0, 1)
    assert all(np.isfinite(value) for value in values.values())
    assert measure_photos(np.empty((0, 8, 6, 3), np.uint8))["hue"].shape == (0,)


def test_stripes_have_more_edges() -> None:
    plain, striped = box(10, 10, 30, 20, (100, 100, 100)), box(10, 10, 30, 20, (100, 100, 100))
    striped[10:40:4, 10:30] = 0
    assert measure_photos(striped)["edges"] > measure_photos(plain)["edges"]


def test_shade_side_and_balance_measure_the_distribution() -> None:
    photo = box(10, 10, 30, 20, (50, 50, 50))
    photo[25:40, 10:20] = 150  # lighter below on the left
    values = measure_photos(photo)
    assert values["shade"] == pytest.approx(-50 / 255, abs=1e-6)
    assert values["side"] == pytest.approx(50 / 255, abs=1e-6)
    assert values["contrast"] > 0.1
    photo[25:40, 20:30] = 255  # and nothing on the right
    values = measure_photos(photo)
    assert values["fill"] == pytest.approx(0.75)
    assert values["balance"] < 0.5 > values["lean"]
