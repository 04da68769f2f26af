"""Foreground mask of a product photo with a plain background.

The background is modelled by a second-degree surface through the pixels of the border. The fit is repeated without the
pixels far from it (a product that touches the edge), so light may fall off from one side to the other. Pixels near that
surface in colour and connected to the border are background, and so is a soft shadow on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modiste.images.photo import Photo

WORK_PIXELS = 320  # length of the longer side while the background is searched for
BORDER_SHARE = 0.03  # of the shorter side: depth of the border that the background is fitted to
MIN_BACKGROUND_SHARE = 0.55  # of the border's pixels
# Largest distance of a background pixel from the background's colour: for a plain background, and for a noisy one.
MIN_TOLERANCE, MAX_TOLERANCE = 7.0, 20.0
MIN_SHADOW_LIGHT = 0.6  # of the background's light that is left in its shadow
MAX_SHADOW_STEP = 2.5  # change of a shadow's lightness from one pixel to the next
MIN_PRODUCT_SHARE, MAX_PRODUCT_SHARE = 0.01, 0.9  # of the photo: a mask outside this range is not a product
MIN_PIECE_SHARE = 0.05  # of the largest piece: smaller pieces are specks


def to_working_colours(photo: Photo) -> NDArray[np.float32]:
    """Scale the photo, up or down, to WORK_PIXELS and convert it to opponent colours."""
    h, w = photo.shape[:2]
    scale = WORK_PIXELS / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    image = Image.fromarray(np.ascontiguousarray(photo))
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    return to_opponent_colours(np.asarray(image.resize(size, resampling), np.float32))


def is_plausible_mask(solid: NDArray[np.bool_]) -> bool:
    """Return whether the mask covers as much of the photo as a product may."""
    return MIN_PRODUCT_SHARE <= float(solid.mean()) <= MAX_PRODUCT_SHARE


def to_opponent_colours(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return lightness, red–green and yellow–blue of RGB `(…, 3)`, each up to about 100."""
    red, green, blue = np.moveaxis(pixels * np.float32(100.0 / 255.0), -1, 0)
    light = 0.3 * red + 0.6 * green + 0.1 * blue
    return np.stack([light, red - green, 0.5 * (red + green) - blue], axis=-1)


def fit_background(colours: NDArray[np.float32]) -> tuple[NDArray[np.float32], float] | None:
    """Fit the background's colour.

    Returns:
        The colour at every pixel, `(h, w, 3)`, and the RMS distance of the background's pixels from it; None where most
        of the border does not lie on one smooth surface.
    """
    h, w = colours.shape[:2]
    depth = max(2, round(BORDER_SHARE * min(h, w)))
    y, x = np.mgrid[-1 : 1 : complex(h), -1 : 1 : complex(w)].astype(np.float32)
    ring = np.ones((h, w), np.bool_)
    ring[depth:-depth, depth:-depth] = False
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    border, pixels = terms[ring].astype(np.float64), colours[ring].astype(np.float64)
    # Fit a flat surface first and a curved one last, so that a product at the edge does not bend it.
    distance = np.linalg.norm(pixels - np.median(pixels, axis=0), axis=1)
    fitted = distance <= max(2.5 * float(np.median(distance)), MIN_TOLERANCE)
    weights = np.zeros((6, 3))
    for count in (1, 3, 3, 6, 6):
        weights = np.zeros((6, 3))
        weights[:count] = np.linalg.lstsq(border[fitted][:, :count], pixels[fitted], rcond=None)[0]
        distance = np.linalg.norm(pixels - border @ weights, axis=1)
        fitted = distance <= min(max(3.0 * float(np.median(distance)), MIN_TOLERANCE), MAX_TOLERANCE)
        if fitted.mean() < MIN_BACKGROUND_SHARE:
            return None
    distance = np.linalg.norm(pixels[fitted] - border[fitted] @ weights, axis=1)
    surface = np.clip(
        terms @ weights.astype(np.float32), pixels[fitted].min(axis=0) - 5, pixels[fitted].max(axis=0) + 5
    )
    return surface.astype(np.float32), float(np.sqrt(np.square(distance).mean()))


def _background_mask(colours: NDArray[np.float32], surface: NDArray[np.float32], tolerance: float) -> NDArray[np.bool_]:
    """Return which pixels are background, `(h, w)`: near its colour or its soft shadow, and connected to the border."""
    from scipy import ndimage

    find: Any = ndimage
    near_colour = np.linalg.norm(colours - surface, axis=-1) <= tolerance
    # A shadow takes the same share of every colour, and has no sharp edge.
    left = (colours * surface).sum(axis=-1) / np.maximum(np.square(surface).sum(axis=-1), 1.0)
    tint = np.linalg.norm(colours - left[..., None] * surface, axis=-1)
    light = find.gaussian_filter(colours[..., 0] - surface[..., 0], 1.0)
    change = np.hypot(find.sobel(light, 0), find.sobel(light, 1)) / 8.0
    shadow = (left > MIN_SHADOW_LIGHT) & (left < 1.0) & (tint < 0.7 * tolerance) & (change < MAX_SHADOW_STEP)
    # A shadow is broad; a thin line of it is the product's own soft edge.
    labels: NDArray[np.intp] = find.label(find.binary_opening(near_colour | shadow, iterations=1) | near_colour)[0]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, edge[edge > 0])


def segment_product(colours: NDArray[np.float32], surface: NDArray[np.float32], spread: float) -> NDArray[np.bool_]:
    """Return which pixels are product, `(h, w)`, without the background seen through a handle or a frame."""
    from scipy import ndimage

    find: Any = ndimage
    reach = min(max(MIN_TOLERANCE, 3.5 * spread), MAX_TOLERANCE)
    solid = ~_background_mask(colours, surface, reach)
    through = solid & (np.linalg.norm(colours - surface, axis=-1) <= 0.7 * reach)
    through = find.binary_opening(through, iterations=2)
    solid = find.binary_closing(remove_specks(solid & ~find.binary_dilation(through)))
    holes: NDArray[np.intp] = find.label(~solid)[0]
    pinholes = np.bincount(holes.ravel()) < 0.0005 * solid.size
    pinholes[0] = False
    return solid | pinholes[holes]


def remove_specks(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the large pieces and the straps attached to them; drop specks and threads of noise."""
    from scipy import ndimage

    find: Any = ndimage
    labels: NDArray[np.intp] = find.label(solid)[0]
    sizes = np.bincount(labels[find.binary_opening(solid)], minlength=int(labels.max()) + 1)
    sizes[0] = 0
    return np.asarray((sizes > MIN_PIECE_SHARE * sizes.max())[labels], np.bool_)


def soften_edge(solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Move the mask's edge slightly inwards, where no background shines in, but keep straps at their width."""
    from scipy import ndimage

    find: Any = ndimage
    inner = find.binary_erosion(solid, border_value=1) | (solid & ~find.binary_opening(solid, iterations=2))
    return find.gaussian_filter(inner.astype(np.float32), 0.7)


def resize_mask(mask: NDArray[np.float32], photo: Photo) -> NDArray[np.float32]:
    """Scale the mask to the photo's own size."""
    h, w = photo.shape[:2]
    resampling = Image.Resampling.BICUBIC if max(h, w) > WORK_PIXELS else Image.Resampling.BOX
    return np.clip(np.asarray(Image.fromarray(mask).resize((w, h), resampling), np.float32), 0.0, 1.0)
