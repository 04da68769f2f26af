"""Colours to Lab and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modiste.latent.colour import lab_to_rgb, rgb_to_lab, to_hex


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_there_and_back(rgb: tuple[int, int, int]) -> None:
    assert tuple(lab_to_rgb(rgb_to_lab(rgb)).tolist()) == rgb


def test_known_colours() -> None:
    found = rgb_to_lab([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]])
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_what_no_screen_shows_is_brought_in() -> None:
    assert lab_to_rgb([50, 200, 0]).tolist()[0] == 255


def test_hex() -> None:
    assert to_hex([255, 0, 16]) == "#ff0010"
