"""Which part of a photo is product and which is background, where the background is plain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modiste.images.photo import Photo, check_photo

WORK_PIXELS = 320  # pixels of the longer side on which the background is found
BORDER_SHARE = 0.03  # of the shorter side: how deep the border is that the background is read from
MIN_BACKGROUND_SHARE = 0.55  # of the border must be background
# How far from the background's colour a pixel may be and belong to it: of a plain one, and of a noisy one at most.
MIN_TOLERANCE, MAX_TOLERANCE = 7.0, 20.0
MIN_SHADOW_LIGHT = 0.6  # of the background's light is left in its shadow, at least
MAX_SHADOW_STEP = 2.5  # and by how much at most it changes from one pixel to the next
MIN_PRODUCT_SHARE, MAX_PRODUCT_SHARE = 0.01, 0.9  # of the photo: less or more product than this is no product
MIN_PIECE_SHARE = 0.05  # of the largest piece: smaller ones are specks


def product_mask(photo: Photo) -> NDArray[np.float32] | None:
    """How much of each pixel of a photo `(h, w, 3)` is product, float32 `(h, w)` from 0 to 1; None where that cannot
    be told.

    The background is what the border shows: a surface of second degree through its pixels, fitted again without those
    that lie off it (a product that touches the edge), so that light may fall off from one side to the other. Whatever
    is near that surface in colour and hangs together with the border is background, and so is a soft shadow on it.
    """
    check_photo(photo)
    colours = to_working_colours(photo)
    found = fit_background(colours)
    if found is None:
        return None
    solid = segment_product(colours, *found)
    return resize_mask(soften_edge(solid), photo) if is_plausible_mask(solid) else None


def to_working_colours(photo: Photo) -> NDArray[np.float32]:
    """The photo at the size to work on, larger or smaller, in opponent colours."""
    h, w = photo.shape[:2]
    scale = WORK_PIXELS / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    image = Image.fromarray(np.ascontiguousarray(photo))
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    return to_opponent_colours(np.asarray(image.resize(size, how), np.float32))


def is_plausible_mask(solid: NDArray[np.bool_]) -> bool:
    """Whether a mask is about as much of the photo as a product may be."""
    return MIN_PRODUCT_SHARE <= float(solid.mean()) <= MAX_PRODUCT_SHARE


def to_opponent_colours(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lightness, red–green and yellow–blue of RGB `(…, 3)`, each over some 100."""
    red, green, blue = np.moveaxis(pixels * np.float32(100.0 / 255.0), -1, 0)
    light = 0.3 * red + 0.6 * green + 0.1 * blue
    return np.stack([light, red - green, 0.5 * (red + green) - blue], axis=-1)


def fit_background(colours: NDArray[np.float32]) -> tuple[NDArray[np.float32], float] | None:
    """The background's colour at every pixel, `(h, w, 3)`, and how far its pixels lie from it; None where most of the
    border is not of one smooth surface."""
    h, w = colours.shape[:2]
    depth = max(2, round(BORDER_SHARE * min(h, w)))
    y, x = np.mgrid[-1 : 1 : complex(h), -1 : 1 : complex(w)].astype(np.float32)
    ring = np.ones((h, w), np.bool_)
    ring[depth:-depth, depth:-depth] = False
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    border, seen = terms[ring].astype(np.float64), colours[ring].astype(np.float64)
    # From the flat surface to the curved one, so that a product at the edge does not bend it.
    inside = np.linalg.norm(seen - np.median(seen, axis=0), axis=1)
    chosen = inside <= max(2.5 * float(np.median(inside)), MIN_TOLERANCE)
    weights = np.zeros((6, 3))
    for count in (1, 3, 3, 6, 6):
        weights = np.zeros((6, 3))
        weights[:count] = np.linalg.lstsq(border[chosen][:, :count], seen[chosen], rcond=None)[0]
        off = np.linalg.norm(seen - border @ weights, axis=1)
        chosen = off <= min(max(3.0 * float(np.median(off)), MIN_TOLERANCE), MAX_TOLERANCE)
        if chosen.mean() < MIN_BACKGROUND_SHARE:
            return None
    off = np.linalg.norm(seen[chosen] - border[chosen] @ weights, axis=1)
    surface = np.clip(
        terms @ weights.astype(np.float32), seen[chosen].min(axis=0) - 5, seen[chosen].max(axis=0) + 5
    )
    return surface.astype(np.float32), float(np.sqrt(np.square(off).mean()))


def _background_mask(
    colours: NDArray[np.float32], surface: NDArray[np.float32], tolerance: float
) -> NDArray[np.bool_]:
    """Which pixels are background, `(h, w)`: near its colour, or its soft shadow, and reached from the border."""
    from scipy import ndimage

    find: Any = ndimage
    near = np.linalg.norm(colours - surface, axis=-1) <= tolerance
    # A shadow takes the same share of every colour, and has no sharp edge.
    left = (colours * surface).sum(axis=-1) / np.maximum(np.square(surface).sum(axis=-1), 1.0)
    tint = np.linalg.norm(colours - left[..., None] * surface, axis=-1)
    light = find.gaussian_filter(colours[..., 0] - surface[..., 0], 1.0)
    change = np.hypot(find.sobel(light, 0), find.sobel(light, 1)) / 8.0
    shadow = (left > MIN_SHADOW_LIGHT) & (left < 1.0) & (tint < 0.7 * tolerance) & (change < MAX_SHADOW_STEP)
    # A shadow is broad: threads of it are a product's own soft edge.
    labels: NDArray[np.intp] = find.label(find.binary_opening(near | shadow, iterations=1) | near)[0]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, edge[edge > 0])


def segment_product(
    colours: NDArray[np.float32], surface: NDArray[np.float32], spread: float
) -> NDArray[np.bool_]:
    """Which pixels are product, `(h, w)`; what shows the background through a handle or a frame is cut as well."""
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
    """The pieces that are more than specks or threads of noise, with the straps that hang on them."""
    from scipy import ndimage

    find: Any = ndimage
    labels: NDArray[np.intp] = find.label(solid)[0]
    sizes = np.bincount(labels[find.binary_opening(solid)], minlength=int(labels.max()) + 1)
    sizes[0] = 0
    return np.asarray((sizes > MIN_PIECE_SHARE * sizes.max())[labels], np.bool_)


def soften_edge(solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The mask a little inside its edge, where the background no longer shines in, but straps as wide as they are."""
    from scipy import ndimage

    find: Any = ndimage
    inner = find.binary_erosion(solid, border_value=1) | (solid & ~find.binary_opening(solid, iterations=2))
    return find.gaussian_filter(inner.astype(np.float32), 0.7)


def resize_mask(mask: NDArray[np.float32], photo: Photo) -> NDArray[np.float32]:
    """The mask at the photo's own size."""
    h, w = photo.shape[:2]
    how = Image.Resampling.BICUBIC if max(h, w) > WORK_PIXELS else Image.Resampling.BOX
    return np.clip(np.asarray(Image.fromarray(mask).resize((w, h), how), np.float32), 0.0, 1.0)
