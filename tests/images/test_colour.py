"""Colour conversions and CIEDE2000."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modiste.images.colour import ciede2000, lab_to_rgb, rgb_to_lab, to_hex


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_rgb_round_trips_through_lab(rgb: tuple[int, int, int]) -> None:
    assert tuple(lab_to_rgb(rgb_to_lab(rgb)).tolist()) == rgb


def test_known_colours_have_their_lab_values() -> None:
    lab = rgb_to_lab([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]])
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab, expected, atol=0.02)


def test_colours_outside_srgb_are_clipped() -> None:
    assert lab_to_rgb([50, 200, 0]).tolist()[0] == 255


def test_to_hex_writes_six_digits() -> None:
    assert to_hex([255, 0, 16]) == "#ff0010"


# Pairs and differences published with the formula's implementation notes: Sharma, Wu and Dalal 2005, Table 1.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
    ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


def test_ciede2000_matches_the_published_differences() -> None:
    first, second, expected = (np.array(part) for part in zip(*PUBLISHED, strict=True))
    np.testing.assert_allclose(ciede2000(first, second), expected, atol=1e-4)
    np.testing.assert_allclose(ciede2000(second, first), expected, atol=1e-4)
    assert not ciede2000(first, first).any()
