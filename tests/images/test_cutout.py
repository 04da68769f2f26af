"""Products are cut out of known backgrounds and placed as the shop does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modiste.errors import PhotoError
from modiste.images.cutout import CutOut, cut_out
from modiste.images.measurements import measure_photos
from tests.images.masks import product_mask

FRAME, WHITE, EXTENT = (120, 90), (255, 255, 255), 0.8
SIZE = (200, 160)


def product() -> np.ndarray:
    """Return where the product is: a disc with a bar through it, slightly off centre."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (y - 110) ** 2 + (x - 70) ** 2 < 45**2
    return disc | ((np.abs(y - 110) < 12) & (np.abs(x - 75) < 65))


def backgrounds() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    y, x = np.mgrid[0 : 1 : SIZE[0] * 1j, 0 : 1 : SIZE[1] * 1j][..., None]
    plain = np.ones((*SIZE, 3)) * (90, 140, 200)
    return {
        "plain": plain,
        "gradient": plain + 50 * y - 40 * x,
        "vignette": plain * (1 - 0.5 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)),
        "noise": plain + random.normal(0, 5, (*SIZE, 3)),
        "dark": plain * 0.1,
        "busy": np.repeat(np.repeat(random.integers(0, 256, (10, 8, 3)), 20, axis=0), 20, axis=1),
    }


def photo(kind: str, colour: tuple[int, int, int] = (190, 60, 40)) -> np.ndarray:
    pixels = backgrounds()[kind].copy()
    pixels[product()] = colour
    return np.clip(pixels, 0, 255).astype(np.uint8)


def overlap(mask: np.ndarray) -> float:
    product_pixels, expected = mask > 0.5, product()
    return float((product_pixels & expected).sum() / (product_pixels | expected).sum())


@pytest.mark.parametrize("kind", ["plain", "gradient", "vignette", "noise", "dark"])
def test_product_on_plain_background_is_cut_out_and_placed(kind: str) -> None:
    mask = product_mask(photo(kind))
    assert mask is not None
    assert overlap(mask) > 0.93
    result = cut_out(photo(kind), FRAME, WHITE, EXTENT)
    assert result.is_cut
    assert result.share == pytest.approx(product().mean(), abs=0.03)
    assert result.photo.shape == (*FRAME, 3)
    assert result.photo.dtype == np.uint8
    assert (result.photo[[0, -1]] == 255).all()
    size = measure_photos(result.photo)
    assert max(size["height"], size["width"]) == pytest.approx(EXTENT, abs=0.03)
    middle = result.photo[FRAME[0] // 2, FRAME[1] // 2]
    assert np.abs(middle.astype(int) - (190, 60, 40)).max() < 8
    # No rim of the old background: nothing in the new photo is bluer than it is red.
    assert (result.photo[..., 2].astype(int) - result.photo[..., 0] < 20).all()


def test_photo_with_a_busy_background_is_not_cut() -> None:
    pixels = photo("busy")
    assert product_mask(pixels) is None
    result = cut_out(pixels, FRAME, WHITE, EXTENT)
    assert (result.is_cut, result.share) == (False, 1.0)
    assert result.photo.shape == (*FRAME, 3)


def test_soft_shadow_is_background() -> None:
    pixels = backgrounds()["plain"].copy()
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    pixels *= 1 - 0.3 * np.exp(-(((y - 150) / 14) ** 2) - ((x - 70) / 45) ** 2)[..., None]
    pixels[product()] = (190, 60, 40)
    mask = product_mask(pixels.astype(np.uint8))
    assert mask is not None
    assert overlap(mask) > 0.93


def test_strap_is_kept_and_the_background_inside_it_is_cut() -> None:
    pixels = np.full((*SIZE, 3), (60, 160, 90), np.uint8)
    pixels[100:170, 40:120] = (120, 40, 30)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    ring = np.hypot(y - 100, x - 80)
    pixels[(np.abs(ring - 35) < 2.5) & (y < 100)] = (40, 20, 20)
    mask = product_mask(pixels)
    assert mask is not None
    assert mask[65:69, 78:82].max() > 0.5  # the top of the strap
    assert mask[80:95, 75:85].max() < 0.1  # the background behind it


@pytest.mark.parametrize("colour", [(90, 140, 200), (91, 141, 199)])
def test_photo_of_background_only_is_not_cut(colour: tuple[int, int, int]) -> None:
    assert not cut_out(photo("plain", colour), FRAME, WHITE, EXTENT).is_cut


def test_product_that_fills_the_photo_is_not_cut() -> None:
    pixels = np.full((*SIZE, 3), 255, np.uint8)
    pixels[3:-3, 3:-3] = (50, 80, 60)
    assert not cut_out(pixels, FRAME, (0, 0, 0), EXTENT).is_cut


def white_shoe(size: float, off: float = 0.0) -> np.ndarray:
    """White shoes on white, with a dark sole: all that an edge could be found along."""
    pixels = np.full((240, 180, 3), 255, np.uint8)
    h, w = round(150 * size), round(180 * size)
    top, left = (240 - h) // 2, round((180 - w) / 2 + off * 180)
    pixels[top : top + h, left : left + w] = 243
    pixels[top + h - 12 : top + h, left : left + w] = 60
    return pixels


def test_white_product_on_the_shops_background_stays_white() -> None:
    well_placed = white_shoe(0.8)
    unchanged = cut_out(well_placed, (240, 180), WHITE, EXTENT)
    assert not unchanged.is_cut
    np.testing.assert_array_equal(unchanged.photo, well_placed)
    for bad in (white_shoe(0.4), white_shoe(0.5, off=0.2)):
        moved = cut_out(bad, (240, 180), WHITE, EXTENT)
        assert moved.is_cut
        shoe = (moved.photo > 238) & (moved.photo < 248)
        assert shoe.mean() > 0.2


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_any_photo_is_accepted(pixels: np.ndarray) -> None:
    result = cut_out(pixels, FRAME, (250, 250, 250), EXTENT)
    assert isinstance(result, CutOut)
    assert result.photo.shape == (*FRAME, 3)
    assert 0 <= result.share <= 1


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (2, 2), (2000, 1500)])
def test_photo_of_any_size_is_accepted(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 200, np.uint8)
    pixels[size[0] // 4 : 3 * size[0] // 4, size[1] // 4 : 3 * size[1] // 4] = (200, 0, 0)
    assert cut_out(pixels, FRAME, WHITE, EXTENT).photo.shape == (*FRAME, 3)


def test_arrays_that_are_not_photos_are_rejected() -> None:
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))):
        with pytest.raises(PhotoError):
            cut_out(bad, FRAME, WHITE, EXTENT)  # type: ignore[arg-type]
        with pytest.raises(PhotoError):
            product_mask(bad)  # type: ignore[arg-type]
