"""Designs as bytes: round trips, one text per design, and invalid texts are rejected."""

from __future__ import annotations

import base64
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from modiste.errors import BadCode
from modiste.server.design_codec import dequantise, from_base64url, to_base64url
from tests.server.design_bytes import quantise

bound = st.floats(-1e3, 1e3, width=32)


@st.composite
def designs(draw: st.DrawFn) -> tuple[NDArray[np.float32], bytes]:
    """Generate ranges of 1 to 64 latents, some of zero width, and one byte for each."""
    n = draw(st.integers(1, 64))
    pairs = draw(st.lists(st.tuples(bound, bound), min_size=n, max_size=n))
    ranges = np.array([sorted(pair) for pair in pairs], np.float32)
    return ranges, draw(st.binary(min_size=n, max_size=n))


@given(designs())
def test_dequantised_code_lies_within_the_ranges(ranges_and_bytes: tuple[NDArray[np.float32], bytes]) -> None:
    ranges, data = ranges_and_bytes
    code = dequantise(data, ranges)
    assert code.dtype == np.float32
    assert code.shape == (len(ranges),)
    slack = 1e-6 * np.maximum(1.0, np.abs(ranges).max(axis=1))
    assert (code >= ranges[:, 0] - slack).all()
    assert (code <= ranges[:, 1] + slack).all()


@given(designs())
def test_bytes_survive_a_round_trip_where_the_range_is_wide_enough(
    ranges_and_bytes: tuple[NDArray[np.float32], bytes],
) -> None:
    ranges, data = ranges_and_bytes
    back = quantise(dequantise(data, ranges), ranges)
    width = ranges[:, 1] - ranges[:, 0]
    resolved = width > 1e-3 * np.maximum(1.0, np.abs(ranges).max(axis=1))
    for place in np.flatnonzero(resolved):
        assert back[place] == data[place]
    for place in np.flatnonzero(width == 0):
        assert back[place] == 0


@given(designs(), st.data())
def test_quantisation_error_is_at_most_half_a_level(
    ranges_and_bytes: tuple[NDArray[np.float32], bytes], data: st.DataObject
) -> None:
    ranges, _ = ranges_and_bytes
    shares = np.array([data.draw(st.floats(0, 1)) for _ in ranges])
    low, width = ranges[:, 0].astype(np.float64), (ranges[:, 1] - ranges[:, 0]).astype(np.float64)
    code = low + shares * width
    off = np.abs(dequantise(quantise(code, ranges), ranges) - code)
    assert (off <= width / 510 + 1e-5 * np.maximum(1.0, np.abs(ranges).max(axis=1))).all()


@given(st.binary(min_size=1, max_size=64))
def test_base64url_has_no_padding_and_survives_a_round_trip(data: bytes) -> None:
    text = to_base64url(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert from_base64url(text, len(data)) == data


@given(st.text(max_size=40), st.integers(1, 24))
def test_every_accepted_text_is_the_only_one_for_its_bytes(text: str, count: int) -> None:
    with suppress(BadCode):
        data = from_base64url(text, count)
        assert len(data) == count
        assert to_base64url(data) == text


def test_values_outside_the_range_are_clipped() -> None:
    ranges = np.array([[-2.0, 2.0], [0.0, 10.0], [3.0, 3.0]], np.float32)
    assert quantise([-2.0, 10.0, 3.0], ranges) == bytes([0, 255, 0])
    assert quantise([-99.0, 99.0, 99.0], ranges) == bytes([0, 255, 0])
    assert dequantise(bytes([0, 255, 77]), ranges).tolist() == [-2.0, 10.0, 3.0]


def test_invalid_base64url_raises_bad_code() -> None:
    assert from_base64url("AA", 1) == b"\0"
    for text in ("AB", "A", "AA==", "AA\n", "A+", "A A", "", "ÀA", "AAA"):
        with pytest.raises(BadCode):
            from_base64url(text, 1)
    with pytest.raises(BadCode):
        dequantise(b"ab", np.zeros((3, 2), np.float32))
