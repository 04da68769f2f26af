"""What the descriptors respond to, and what they ignore."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.images.descriptors import COLOUR_SIZE, SHAPE_SIZE, colour_descriptors, shape_descriptors


def photo(colour: tuple[int, int, int] = (200, 30, 30), *, round_: bool = False, at: int = 20) -> np.ndarray:
    """Return a box or a disc on white, `(1, 80, 60, 3)`."""
    pixels = np.full((1, 80, 60, 3), 255, np.uint8)
    y, x = np.mgrid[:80, :60]
    inside = (y - 40) ** 2 + (x - at - 10) ** 2 < 200 if round_ else (abs(y - 40) < 12) & (abs(x - at - 10) < 12)
    pixels[0][inside] = colour
    return pixels


def distance(of: object, a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(of(a) - of(b)))  # type: ignore[operator]


def test_shape_descriptor_ignores_colour() -> None:
    red, green = photo((180, 60, 60)), photo((60, 180, 60))
    assert distance(shape_descriptors, red, green) < 0.02 * distance(
        shape_descriptors, red, photo((180, 60, 60), round_=True)
    )


def test_colour_descriptor_hardly_depends_on_shape() -> None:
    red, disc, blue = photo(), photo(round_=True), photo((30, 30, 200))
    assert distance(colour_descriptors, red, disc) < 0.02 * distance(colour_descriptors, red, blue)


def test_colour_descriptor_ignores_position() -> None:
    np.testing.assert_allclose(colour_descriptors(photo(at=10)), colour_descriptors(photo(at=30)), atol=1e-4)


def test_descriptors_of_a_batch_equal_those_of_single_photos() -> None:
    several = np.concatenate([photo(), photo(round_=True), np.full((1, 80, 60, 3), 255, np.uint8)])
    for of, size in ((shape_descriptors, SHAPE_SIZE), (colour_descriptors, COLOUR_SIZE)):
        together = of(several)
        assert together.shape == (3, size)
        assert together.dtype == np.float32
        for row in range(3):
            np.testing.assert_allclose(together[row], of(several[row : row + 1])[0], atol=1e-5)


@pytest.mark.parametrize("size", [(3, 3), (7, 5), (80, 60), (33, 100)])
def test_descriptors_are_finite_for_any_size_and_empty_photos(size: tuple[int, int]) -> None:
    for value in (0, 255):
        flat = np.full((2, *size, 3), value, np.uint8)
        assert not colour_descriptors(flat).any()
        assert np.isfinite(shape_descriptors(flat)).all()
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    assert np.isfinite(shape_descriptors(noise)).all()
    assert np.isfinite(colour_descriptors(noise)).all()
