"""What can be measured on a picture of a product: its colour, its size, its shape, in plain pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MEASURES = ("hue", "lightness", "saturation", "warmth", "height", "width", "area", "aspect", "edges")
APART = 20  # of 255 in some channel: nearer to the background than this is background
CHUNK = 64


def measures(photos: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Measure the foreground of photos, uint8 `(b, h, w, 3)`, or of one, `(h, w, 3)`.

    The background is the median of the photo's border; the foreground is what differs from it.

    Returns:
        One float64 `(b,)` per measure, of no dimension for one photo: hue in degrees, 0 up to 360 (red 0, green 120,
        blue 240); lightness (luma), saturation (largest less smallest channel) from 0 to 1; warmth (red less blue)
        from −1 to 1; height, width and area of the foreground as shares of the frame's; aspect, its height over its
        width in pixels; edges, the mean step of luma between neighbouring pixels of the foreground. A photo without
        foreground has 0 for all of them but aspect, which is 1, and the colour of its background.
    """
    batch = photos[None] if photos.ndim == 3 else photos
    parts = [_measure(batch[start : start + CHUNK]) for start in range(0, len(batch), CHUNK)]
    empty = np.empty(0)
    found = {name: np.concatenate([part[name] for part in parts]) if parts else empty for name in MEASURES}
    return {name: values[0, ...] for name, values in found.items()} if photos.ndim == 3 else found


def foreground(photos: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels of photos `(b, h, w, 3)` are product: `(b, h, w)`."""
    border = np.concatenate([photos[:, 0], photos[:, -1], photos[:, :, 0], photos[:, :, -1]], axis=1)
    background = np.median(border, axis=1)[:, None, None]
    return np.asarray((np.abs(photos.astype(np.float32) - background) > APART).any(axis=-1), np.bool_)


def _measure(photos: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    mask = foreground(photos)
    rows, columns = (np.asarray(mask.any(axis=axis), np.bool_) for axis in (2, 1))
    there = np.asarray(rows.any(axis=1), np.bool_)
    weight = np.where(there[:, None, None], mask, True).astype(np.float64)
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    colour = photos / 255.0
    red, green, blue = np.moveaxis(colour, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return (values * weight).sum(axis=(1, 2))

    # The hue of the mean colour: averaging angles would let grey pixels, whose hue is noise, have a say.
    hue = (
        np.degrees(np.arctan2(mean(np.sqrt(0.75) * (green - blue)), mean(red - 0.5 * (green + blue)))) % 360.0
    )
    h, w = mask.shape[1:]
    tall, wide = _extent(rows), _extent(columns)
    step = np.zeros_like(luma)
    step[:, 1:] += np.abs(np.diff(luma, axis=1))
    step[:, :, 1:] += np.abs(np.diff(luma, axis=2))
    return {
        "hue": np.where(hue >= 360.0, 0.0, hue),
        "lightness": mean(luma),
        "saturation": mean(colour.max(axis=-1) - colour.min(axis=-1)),
        "warmth": mean(red - blue),
        "height": tall / h,
        "width": wide / w,
        "area": mask.mean(axis=(1, 2)),
        "aspect": np.divide(tall, wide, out=np.ones(len(mask)), where=there),
        "edges": np.where(there, mean(step), 0.0),
    }


def _extent(lines: NDArray[np.bool_]) -> NDArray[np.float64]:
    """From the first line with product to the last, in pixels: `(b,)` for `(b, lines)`."""
    length = lines.shape[1]
    first, last = lines.argmax(axis=1), length - lines[:, ::-1].argmax(axis=1)
    return np.where(lines.any(axis=1), last - first, 0).astype(np.float64)
