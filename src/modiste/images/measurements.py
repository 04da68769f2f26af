"""Measurements of a product's picture: colour, size and shape, in plain pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatingArray = NDArray[np.floating[Any]]
MEASUREMENT_NAMES = (
    "hue",
    "lightness",
    "saturation",
    "warmth",
    "pinkness",
    "contrast",
    "shade",
    "side",
    "height",
    "width",
    "area",
    "aspect",
    "fill",
    "balance",
    "lean",
    "edges",
)
MIN_BACKGROUND_DIFFERENCE = 20  # of 255, in at least one channel
LUMA_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
EMPTY_MEASUREMENTS = dict.fromkeys(("contrast", "shade", "side", "height", "width", "area", "fill", "edges"), 0.0) | {
    "aspect": 1.0,
    "balance": 0.5,
    "lean": 0.5,
}


def measure_photos(photos: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Measure the foreground of photos, uint8 `(b, h, w, 3)`, or of one, `(h, w, 3)`.

    The background is the median of the photo's border; the foreground is what differs from it.

    Returns:
        One float64 `(b,)` per measurement, of no dimension for one photo:

        - hue in degrees, 0 up to 360 (red 0, green 120, blue 240);
        - lightness (luma) and saturation (largest minus smallest channel) from 0 to 1;
        - warmth (red minus blue) and pinkness (red and blue minus green) from −1 to 1;
        - contrast, the standard deviation of luma; edges, the mean step of luma between neighbouring pixels;
        - shade and side, the luma of the upper half minus that of the lower, of the left minus that of the right;
        - height, width and area as shares of the frame's; aspect, height over width in pixels;
        - fill, the area's share of its bounding box; balance and lean, where in that box its centre lies, from 0 at the
          top and on the left to 1.

        A photo without foreground has 0 for all of them except the colour of its background, an aspect of 1, and a
        balance and lean of ½.
    """
    if photos.ndim == 3:
        values = _measure_photo(photos, foreground_mask(photos[None])[0])
        return {name: np.asarray(value) for name, value in values.items()}
    measurements = {name: np.empty(len(photos)) for name in MEASUREMENT_NAMES}
    for row, photo in enumerate(photos):  # one at a time, they fit a processor's cache
        for name, value in _measure_photo(photo, foreground_mask(photo[None])[0]).items():
            measurements[name][row] = value
    return measurements


def foreground_mask(photos: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels of photos `(b, h, w, 3)` are product: `(b, h, w)`."""
    border = np.concatenate([photos[:, 0], photos[:, -1], photos[:, :, 0], photos[:, :, -1]], axis=1)
    background = np.median(border, axis=1)[:, None, None]
    upper = np.floor(background + MIN_BACKGROUND_DIFFERENCE).astype(np.int16)
    lower = np.ceil(background - MIN_BACKGROUND_DIFFERENCE).astype(np.int16)
    red, green, blue = ((photos[..., c] > upper[..., c]) | (photos[..., c] < lower[..., c]) for c in range(3))
    return red | green | blue


def _measure_photo(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> dict[str, float]:
    h, w = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return _measure_colours((photo.reshape(-1, 3) / 255.0).astype(np.float32)) | EMPTY_MEASUREMENTS
    top, left, box_height, box_width = (int(n) for n in (rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1))
    # Include one pixel above and on the left, if any, so that the step onto the product counts.
    margin_top, margin_left = min(top, 1), min(left, 1)
    box = photo[top - margin_top : top + box_height, left - margin_left : left + box_width]
    box = box.astype(np.float32) / np.float32(255)
    luma = box @ LUMA_WEIGHTS
    step = np.zeros_like(luma)
    step[1:] += np.abs(np.diff(luma, axis=0))
    step[:, 1:] += np.abs(np.diff(luma, axis=1))
    inner = (slice(margin_top, None), slice(margin_left, None))
    inside = mask[top : top + box_height, left : left + box_width]
    pixels, light, steps = box[inner][inside], luma[inner][inside], step[inner][inside]
    down, along = (part.astype(np.float32) + np.float32(0.5) for part in np.nonzero(inside))
    down, along = down / box_height, along / box_width
    return _measure_colours(pixels) | {
        "contrast": float(light.std(dtype=np.float64)),
        "shade": _mean_difference(light, down < 0.5),
        "side": _mean_difference(light, along < 0.5),
        "height": box_height / h,
        "width": box_width / w,
        "area": len(light) / (h * w),
        "aspect": box_height / box_width,
        "fill": len(light) / (box_height * box_width),
        "balance": _mean(down),
        "lean": _mean(along),
        "edges": _mean(steps),
    }


def _measure_colours(pixels: FloatingArray) -> dict[str, float]:
    """Return the measurements of colour of pixels `(m, 3)`, from 0 to 1."""
    red, green, blue = (float(value) for value in pixels.mean(axis=0, dtype=np.float64))
    # The hue of the mean colour: a mean of angles would count grey pixels, whose hue is noise.
    hue = float(np.degrees(np.arctan2(np.sqrt(0.75) * (green - blue), red - 0.5 * (green + blue)))) % 360.0
    return {
        "hue": 0.0 if hue >= 360.0 else hue,
        "lightness": float(LUMA_WEIGHTS.astype(np.float64) @ (red, green, blue)),
        "saturation": _mean(pixels.max(axis=1) - pixels.min(axis=1)),
        "warmth": red - blue,
        "pinkness": 0.5 * (red + blue) - green,
    }


def _mean_difference(light: FloatingArray, first: NDArray[np.bool_]) -> float:
    """Return the mean light of the `first` pixels minus that of the others; 0 where either has none."""
    return _mean(light[first]) - _mean(light[~first]) if first.any() and not first.all() else 0.0


def _mean(values: FloatingArray) -> float:
    return float(values.mean(dtype=np.float64))
