from __future__ import annotations

import numpy as np
import pytest

from modiste.evaluate.reconstruction import GradientSums, laplacian_variance, psnr, squared_error


def test_squared_error_and_psnr_by_hand() -> None:
    photos = np.zeros((2, 2, 2, 3), np.uint8)
    drawn = np.stack([np.full((2, 2, 3), 51, np.uint8), photos[1]])
    error = squared_error(photos, drawn)
    np.testing.assert_allclose(error, [0.04, 0.0], rtol=1e-6)
    np.testing.assert_allclose(psnr(error), [-10 * np.log10(0.04), 100.0], rtol=1e-6)


def test_squared_error_is_symmetric_and_does_not_overflow() -> None:
    dark, light = np.zeros((1, 1, 1, 3), np.uint8), np.full((1, 1, 1, 3), 255, np.uint8)
    assert squared_error(dark, light)[0] == squared_error(light, dark)[0] == 1.0


def blur(photos: np.ndarray, times: int) -> np.ndarray:
    blurry = photos.astype(np.float32)
    for _ in range(times):
        for axis in (1, 2):
            blurry = (np.roll(blurry, 1, axis) + 2 * blurry + np.roll(blurry, -1, axis)) / 4
    return blurry


@pytest.fixture
def photos() -> np.ndarray:
    """Return photos of rectangles of many sizes in many places, on white."""
    random = np.random.default_rng(0)
    pixels = np.full((1000, 48, 36, 3), 255, np.uint8)
    for photo in pixels:
        top, left = random.integers(2, 20), random.integers(2, 16)
        photo[top : top + random.integers(5, 24), left : left + random.integers(4, 18)] = random.integers(0, 200, 3)
    return pixels


def test_blurring_reduces_sharpness(photos: np.ndarray) -> None:
    crisp, once, twice = (laplacian_variance(blur(photos, times)).mean() for times in (0, 1, 3))
    assert crisp > 2 * once > 4 * twice > 0


def test_uniform_photo_has_no_sharpness() -> None:
    assert laplacian_variance(np.full((1, 8, 8, 3), 77, np.uint8))[0] == pytest.approx(0.0, abs=1e-6)


def gradient_sums(photos: np.ndarray) -> GradientSums:
    sums = GradientSums((48, 36))
    sums.add(photos)
    return sums


@pytest.mark.parametrize("side", [3, 4, 6])
def test_mosaic_is_measured(photos: np.ndarray, side: int) -> None:
    small = photos.reshape(len(photos), 48 // side, side, 36 // side, side, 3).mean(axis=(2, 4))
    mosaic = gradient_sums(small.repeat(side, axis=1).repeat(side, axis=2)).mosaic()
    assert mosaic is not None
    assert mosaic > 2.0


def test_blurred_photos_have_no_mosaic(photos: np.ndarray) -> None:
    mosaic = gradient_sums(blur(photos, 3)).mosaic()
    assert mosaic is not None
    assert mosaic < 1.2


def test_mosaic_of_uniform_photos_is_none() -> None:
    assert gradient_sums(np.full((2, 48, 36, 3), 9, np.uint8)).mosaic() is None
