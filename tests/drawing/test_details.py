"""Details of an exemplar on a drawing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from modiste.drawing.details import Exemplar, add_details, shrink_drawing
from modiste.drawing.silhouette import silhouette

Photo = NDArray[np.uint8]


def drawing(frame: tuple[int, int], colour: tuple[int, int, int], size: float = 0.3, right: float = 0.0) -> Photo:
    """Draw a soft disc of a colour on white."""
    y, x = np.mgrid[: frame[0], : frame[1]]
    distance = np.hypot(y - frame[0] / 2, x - frame[1] * (0.5 + right))
    share = 1.0 / (1.0 + np.exp((distance - size * min(frame)) / (0.02 * min(frame))))
    return np.rint(255.0 - share[:, :, None] * (255.0 - np.array(colour))).astype(np.uint8)


def with_texture(picture: Photo) -> Photo:
    """Add stripes to the dark part of a picture."""
    stripes = 12 * (np.arange(picture.shape[1]) % 4 < 2)[None, :, None] - 6
    return np.clip(picture + stripes * (picture < 250), 0, 255).astype(np.uint8)


def texture(picture: Photo) -> float:
    """Return how much neighbouring columns differ in the middle of a picture."""
    height, width = picture.shape[:2]
    middle = picture[height * 2 // 5 : height * 3 // 5, width * 2 // 5 : width * 3 // 5].astype(float)
    return float(np.abs(np.diff(middle, axis=1)).mean())


@pytest.mark.parametrize("frame", [(240, 180), (33, 50), (101, 77), (16, 16)])
def test_own_code_is_drawn_as_the_photo(frame: tuple[int, int]) -> None:
    own = drawing(frame, (40, 60, 160))
    photo = with_texture(own)
    assert np.array_equal(add_details(own, Exemplar.of(photo, own)), photo)


def test_details_follow_colour_and_place() -> None:
    frame = (240, 180)
    own = drawing(frame, (40, 60, 160))
    exemplar = Exemplar.of(with_texture(own), own)
    moved = drawing(frame, (170, 40, 40), right=0.1)
    picture = add_details(moved, exemplar)
    middle = picture[100:140, 90:130].reshape(-1, 3).mean(axis=0)
    assert middle == pytest.approx([170, 40, 40], abs=8)
    assert texture(moved) < 0.5
    assert texture(picture) > 3.0
    # Nothing is left where the exemplar was and the design is not.
    assert picture[110:130, 20:32].min() > 235


def test_details_repeat_to_the_byte() -> None:
    own, other = drawing((120, 90), (40, 60, 160)), drawing((120, 90), (10, 200, 60), 0.35)
    exemplar = Exemplar.of(with_texture(own), own)
    assert add_details(other, exemplar).tobytes() == add_details(other, exemplar).tobytes()


def test_silhouette_is_the_product() -> None:
    shape = silhouette(shrink_drawing(drawing((240, 180), (40, 60, 160))))
    assert shape.shape == (80, 60)
    assert shape[40, 30] > 0.99
    assert shape[2, 2] < 0.05
