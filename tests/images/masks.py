"""Mask of a whole photo, from the steps that `cut_out` takes on another background than the shop's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.images import product_mask as steps
from modiste.images.photo import Photo, check_photo


def product_mask(photo: Photo) -> NDArray[np.float32] | None:
    """Return the share of each pixel that is product, or None where it cannot be told.

    Args:
        photo: uint8 `(h, w, 3)`.

    Returns:
        float32 `(h, w)`, from 0 (background) to 1 (product).

    Raises:
        PhotoError: the array is not a photo.
    """
    check_photo(photo)
    colours = steps.to_working_colours(photo)
    background = steps.fit_background(colours)
    if background is None:
        return None
    solid = steps.segment_product(colours, *background)
    return steps.resize_mask(steps.soften_edge(solid), photo) if steps.is_plausible_mask(solid) else None
