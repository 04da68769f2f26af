"""Shifts reach the other cluster, and lines their ends."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from modiste.latent.arithmetic import interpolate, shift

vectors = npst.arrays(np.float32, 4, elements=st.floats(-8, 8, width=16))


@given(vectors, vectors, vectors)
def test_a_shift_keeps_the_place_relative_to_the_centre(code, a, b) -> None:
    np.testing.assert_allclose(shift(code, a, b) - b, code - a, atol=1e-5)


@given(vectors, vectors)
def test_the_centre_itself_lands_on_the_other_centre(a, b) -> None:
    np.testing.assert_allclose(shift(a, a, b), b, atol=1e-5)


@given(vectors, vectors, vectors)
def test_there_and_back(code, a, b) -> None:
    np.testing.assert_allclose(shift(shift(code, a, b), b, a), code, atol=1e-5)


def test_a_batch_shifts_as_its_codes_do() -> None:
    codes = np.arange(8.0).reshape(2, 4)
    assert np.array_equal(shift(codes, np.zeros(4), np.ones(4)), codes + 1)


@given(vectors, vectors)
def test_a_line_begins_and_ends_where_it_should(a, b) -> None:
    line = interpolate(a, b, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(line, [a, (a + b) / 2, b], atol=1e-5)
    np.testing.assert_allclose(interpolate(a, b, 0.5), line[1], atol=1e-6)
