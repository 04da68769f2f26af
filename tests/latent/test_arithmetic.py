"""Equation 3 and interpolation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modiste.errors import BadCode
from modiste.latent.arithmetic import interpolate, shift

codes = arrays(np.float32, 5, elements=st.floats(-8, 8, width=32))


@given(codes, codes)
def test_shift_maps_one_centre_to_the_other(i: np.ndarray, j: np.ndarray) -> None:
    np.testing.assert_allclose(shift(i, i, j), j, rtol=1e-6, atol=1e-12)


@given(codes, codes, codes)
def test_shift_is_invertible(code: np.ndarray, i: np.ndarray, j: np.ndarray) -> None:
    np.testing.assert_allclose(shift(shift(code, i, j), j, i), code, atol=1e-5)


@given(codes, codes, codes)
def test_shift_of_a_batch_equals_shifts_of_single_codes(code: np.ndarray, i: np.ndarray, j: np.ndarray) -> None:
    batch = np.stack([code, i, j])
    np.testing.assert_array_equal(shift(batch, i, j), [shift(row, i, j) for row in batch])
    shifted = shift(batch, np.stack([i, i, j]), np.stack([j, j, i]))
    np.testing.assert_array_equal(shifted[2], shift(j, j, i))


def test_shift_rejects_centres_of_another_shape() -> None:
    with pytest.raises(BadCode, match="centres"):
        shift(np.zeros(3), np.zeros(2), np.zeros(2))


@given(codes, codes)
def test_interpolation_starts_and_ends_exactly(a: np.ndarray, b: np.ndarray) -> None:
    path = interpolate(a, b, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(path[0], a)
    np.testing.assert_array_equal(path[2], b)
    np.testing.assert_allclose(path[1], (a.astype(float) + b) / 2, atol=1e-6)
    np.testing.assert_array_equal(interpolate(a, b, 0.5), path[1])


def test_interpolation_rejects_codes_of_another_shape() -> None:
    with pytest.raises(BadCode):
        interpolate(np.zeros(3), np.zeros(4), 0.5)
