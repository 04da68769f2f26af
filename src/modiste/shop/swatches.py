"""What the shop's colour words look like, measured on its own photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from modiste.latent.colour import lab_to_rgb, rgb_to_lab, to_hex
from modiste.latent.measures import foreground
from modiste.shop.filters import MOST_VALUES, Column, Columns

PHOTOS = 20  # of each word: more do not change the median that one could see
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

    The median, in Lab, of the foregrounds' median colours.

    Args:
        photos_of: the photos of some rows, uint8 `(b, H, W, 3)`.
    """
    random = np.random.default_rng(seed)
    found: dict[str, dict[str, str]] = {}
    for name, column in colour_columns(columns).items():
        found[name] = {}
        for place, word in enumerate(column.words):
            rows = np.flatnonzero(column.data == place)
            chosen = np.sort(random.choice(rows, min(PHOTOS, len(rows)), replace=False))
            photos = photos_of(chosen.tolist())
            found[name][word] = to_hex(lab_to_rgb(np.median(foreground_colours(photos), axis=0)))
    return found


def foreground_colours(photos: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The median Lab of each photo's foreground, `(b, 3)`; of the whole photo where there is none."""
    found = np.empty((len(photos), 3))
    for row, (photo, mask) in enumerate(zip(photos, foreground(photos), strict=True)):
        found[row] = np.median(rgb_to_lab(photo[mask] if mask.any() else photo.reshape(-1, 3)), axis=0)
    return found
