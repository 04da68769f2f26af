"""Swatches: the colours of the shop's colour words, measured on its photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.images.colour import lab_to_rgb, rgb_to_lab, to_hex
from modiste.images.measurements import foreground_mask
from modiste.shop.filters import MAX_VALUES, Column, Columns

PHOTOS_PER_WORD = 60
PIXELS_PER_PHOTO = 400  # the same number for large and small products
# Bins in CIE Lab: lightness from 0 to 100, green–red and blue–yellow from −100 to 100.
LAB_BINS, LAB_MINIMUM, LAB_BIN_SIZE = (20, 40, 40), np.array([0.0, -100.0, -100.0]), 5.0
SAME_COLOUR_DISTANCE = 12.0  # in Lab; people give such colours the same name
PhotoLoader = Callable[[Sequence[int]], NDArray[np.uint8]]


def colour_columns(columns: Columns) -> dict[str, Column]:
    """Return the attributes that name colours."""
    return {
        name: column
        for name, column in columns.by_name.items()
        if ("colour" in name.lower() or "color" in name.lower())
        and column.kind == "words"
        and len(column.words) <= MAX_VALUES
    }


def measure_swatches(columns: Columns, load_photos: PhotoLoader, seed: int = 0) -> dict[str, dict[str, str]]:
    """Return, for each attribute that names colours, the colour of each word as "#rrggbb".

    A photo of a blue shoe has a white sole, black eyelets and grey shadows. The colour of a word is therefore not the
    mean of its photos, but what distinguishes them from the photos of other words: the bin in Lab with the largest
    share · log(share / share in all photos), refined to the median of the word's pixels near it. `seed` selects photos
    and pixels.
    """
    random = np.random.default_rng(seed)
    swatches: dict[str, dict[str, str]] = {}
    for name, column in colour_columns(columns).items():
        pixels: list[NDArray[np.float64]] = []
        for position in range(len(column.words)):
            rows = np.flatnonzero(column.data == position)
            chosen = np.sort(random.choice(rows, min(PHOTOS_PER_WORD, len(rows)), replace=False))
            pixels.append(_foreground_pixels(load_photos(chosen.tolist()), random))
        shares = np.array([_colour_histogram(each) for each in pixels])
        weighted = column.counts[:, None, None, None] * shares
        average = weighted.sum(axis=0) / max(float(column.counts.sum()), 1.0)
        swatches[name] = {
            word: to_hex(lab_to_rgb(_distinctive_colour(pixels[position], shares[position], average)))
            for position, word in enumerate(column.words)
        }
    return swatches


def _foreground_pixels(photos: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the Lab of a sample of each photo's foreground, `(m, 3)`; of the whole photo if it has none."""
    parts: list[NDArray[np.uint8]] = []
    for photo, mask in zip(photos, foreground_mask(photos), strict=True):
        pixels = photo[mask] if mask.any() else photo.reshape(-1, 3)
        parts.append(pixels[random.integers(0, len(pixels), PIXELS_PER_PHOTO)])
    return rgb_to_lab(np.concatenate(parts))


def _colour_histogram(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of pixels in each of the LAB_BINS, smoothed."""
    from scipy import ndimage

    smooth: Any = ndimage.gaussian_filter
    bins = np.clip(((pixels - LAB_MINIMUM) / LAB_BIN_SIZE).astype(np.intp), 0, np.array(LAB_BINS) - 1)
    counts = np.bincount(np.ravel_multi_index(tuple(bins.T), LAB_BINS), minlength=int(np.prod(LAB_BINS)))
    return smooth(counts.reshape(LAB_BINS) / len(pixels), 1.0, mode="nearest")


def _distinctive_colour(
    pixels: NDArray[np.float64], share: NDArray[np.float64], average: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Lab, `(3,)`, that distinguishes these pixels from the average."""
    gain = share * np.log((share + 1e-6) / (average + 1e-6))
    best = LAB_MINIMUM + LAB_BIN_SIZE * (np.array(np.unravel_index(int(gain.argmax()), LAB_BINS)) + 0.5)
    near = np.linalg.norm(pixels - best, axis=1) <= SAME_COLOUR_DISTANCE
    return np.median(pixels[near] if near.any() else pixels, axis=0)
