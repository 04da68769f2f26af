"""What the shop's colour words look like, measured on its own photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.images.colour import lab_to_rgb, rgb_to_lab, to_hex
from modiste.images.measurements import foreground
from modiste.shop.filters import MOST_VALUES, Column, Columns

PHOTOS = 60  # of each word
PIXELS = 400  # of each photo, so that large products count no more than small ones
# Lab in boxes: lightness in tenths, green–red and blue–yellow from −100 to 100.
BOXES, LOW, SIZE = (20, 40, 40), np.array([0.0, -100.0, -100.0]), 5.0
NEAR = 12.0  # in Lab: colours that people would call the same
PhotosOf = Callable[[Sequence[int]], NDArray[np.uint8]]


def colour_columns(columns: Columns) -> dict[str, Column]:
    """The attributes that name colours."""
    return {
        name: column
        for name, column in columns.by_name.items()
        if ("colour" in name.lower() or "color" in name.lower())
        and column.kind == "words"
        and len(column.words) <= MOST_VALUES
    }


def measure_swatches(columns: Columns, photos_of: PhotosOf, seed: int = 0) -> dict[str, dict[str, str]]:
    """For each attribute that names colours, the colour of each word as "#rrggbb".

    A photo of a blue shoe has a white sole, black eyelets and grey shadows. The colour of a word is therefore not the
    mean of its photos but what tells them from those of the other words: where in Lab their pixels are most more
    frequent than everyone's, weighted by how frequent they are; the median of their pixels around there.

    Args:
        photos_of: the photos of some rows, uint8 `(b, H, W, 3)`.
    """
    random = np.random.default_rng(seed)
    found: dict[str, dict[str, str]] = {}
    for name, column in colour_columns(columns).items():
        pixels: list[NDArray[np.float64]] = []
        for place in range(len(column.words)):
            rows = np.flatnonzero(column.data == place)
            chosen = np.sort(random.choice(rows, min(PHOTOS, len(rows)), replace=False))
            pixels.append(_foreground_pixels(photos_of(chosen.tolist()), random))
        shares = np.array([_density(each) for each in pixels])
        everyone = column.counts[:, None, None, None] * shares
        usual = everyone.sum(axis=0) / max(float(column.counts.sum()), 1.0)
        found[name] = {
            word: to_hex(lab_to_rgb(_telling(pixels[place], shares[place], usual)))
            for place, word in enumerate(column.words)
        }
    return found


def _foreground_pixels(photos: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float64]:
    """Lab of some pixels of each photo's foreground, `(m, 3)`; of the whole photo where there is none."""
    parts: list[NDArray[np.uint8]] = []
    for photo, mask in zip(photos, foreground(photos), strict=True):
        seen = photo[mask] if mask.any() else photo.reshape(-1, 3)
        parts.append(seen[random.integers(0, len(seen), PIXELS)])
    return rgb_to_lab(np.concatenate(parts))


def _density(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of pixels in each of the BOXES, smoothed."""
    from scipy import ndimage

    smooth: Any = ndimage.gaussian_filter
    places = np.clip(((pixels - LOW) / SIZE).astype(np.intp), 0, np.array(BOXES) - 1)
    counted = np.bincount(np.ravel_multi_index(tuple(places.T), BOXES), minlength=int(np.prod(BOXES)))
    return smooth(counted.reshape(BOXES) / len(pixels), 1.0, mode="nearest")


def _telling(
    pixels: NDArray[np.float64], share: NDArray[np.float64], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The Lab, `(3,)`, that tells these pixels from the usual."""
    gain = share * np.log((share + 1e-6) / (usual + 1e-6))
    best = LOW + SIZE * (np.array(np.unravel_index(int(gain.argmax()), BOXES)) + 0.5)
    near = np.linalg.norm(pixels - best, axis=1) <= NEAR
    return np.median(pixels[near] if near.any() else pixels, axis=0)
