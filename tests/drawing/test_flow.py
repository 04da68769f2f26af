"""Optical flow between soft shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modiste.drawing.flow import find_flow, pyramid

SIZE = (80, 60)
offsets = st.floats(-8.0, 8.0)


def disc(down: float, right: float, radius: float = 18.0) -> NDArray[np.float32]:
    """Draw a soft disc, `(h, w, 1)`, that far from the middle."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    distance = np.hypot(y - SIZE[0] / 2 - down, x - SIZE[1] / 2 - right)
    return (1.0 / (1.0 + np.exp((distance - radius) / 2.0)))[:, :, None].astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(down=offsets, right=offsets)
def test_flow_finds_a_shift(down: float, right: float) -> None:
    target, source = disc(0.0, 0.0), disc(down, right)
    flow = find_flow(pyramid(target), pyramid(source))
    inside = target[:, :, 0] > 0.5
    assert np.abs(flow[inside] - [down, right]).mean() < 1.0


def test_equal_pictures_have_no_flow() -> None:
    shape = pyramid(disc(3.0, -2.0))
    assert np.abs(find_flow(shape, shape)).max() < 1e-3


def test_flow_follows_a_change_of_size() -> None:
    flow = find_flow(pyramid(disc(0.0, 0.0, 24.0)), pyramid(disc(0.0, 0.0, 16.0)))
    # The left edge of the large disc comes from the left edge of the small one, eight pixels nearer to the middle.
    assert flow[40, 30 - 24, 1] == pytest.approx(8.0, abs=1.5)
    assert flow[40, 30 + 24, 1] == pytest.approx(-8.0, abs=1.5)


def test_flow_is_smooth_and_repeats_to_the_byte() -> None:
    target, source = pyramid(disc(0.0, 0.0)), pyramid(disc(5.0, 4.0, 14.0))
    flow = find_flow(target, source)
    assert np.abs(np.diff(flow, axis=0)).max() < 1.0
    assert flow.tobytes() == find_flow(target, source).tobytes()


@pytest.mark.parametrize("size", [(80, 60), (17, 23), (8, 9), (33, 16)])
def test_pyramid_halves_down_to_eight_pixels(size: tuple[int, int]) -> None:
    levels = pyramid(np.ones((*size, 2), np.float32))
    assert levels[0].shape == (*size, 2)
    assert min(levels[-1].shape[:2]) < 16
    assert all(np.array_equal(level, np.ones_like(level)) for level in levels)
