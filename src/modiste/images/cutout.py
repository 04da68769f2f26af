"""Cut a product out of its background and place it as the shop's photos do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modiste.images import product_mask
from modiste.images.photo import Photo, check_photo, fit_photo

INNER_MASK_SHARE = 0.95  # a pixel with at least this share of product has the product's own colour
SAME_COLOUR_DISTANCE = 3.0  # a background within this distance of the shop's is the shop's
EXTENT_RANGE = (0.75, 1.15)  # times the shop's extent: a product of this size stands as the shop's do
MAX_FRAME_MULTIPLE = 4  # times the frame's longer side: finer detail is not visible at the frame's size
MAX_OFFSET_SHARE = 0.1  # of the frame: largest distance from its middle


@dataclass(frozen=True, eq=False)
class CutOut:
    """A photo prepared for the shop's frame.

    `photo` is uint8 `(H, W, 3)`; `is_cut` says whether the product was cut out of its background; `share` is the share
    of the photo that was product, from 0 to 1 (1 where nothing was cut).
    """

    photo: Photo
    is_cut: bool
    share: float


def cut_out(photo: Photo, frame: tuple[int, int], background: tuple[int, int, int], extent: float) -> CutOut:
    """Place the product on the shop's background, as large as the shop's products are.

    The photo is only fitted to the frame where the background is not plain enough, where almost nothing or everything
    would be cut away, and where the product already stands on the shop's background as in the shop's photos. A product
    that stands there too small or off centre is moved together with its background: white shoes on white have no edge
    to cut along.

    Args:
        photo: uint8 `(h, w, 3)`.
        frame: (height, width) of the result.
        background: RGB of the shop's background.
        extent: share of the frame's height or width, whichever is larger, that the product takes.

    Raises:
        PhotoError: the array is not a photo.
    """
    check_photo(photo)
    photo = _limit_size(photo, MAX_FRAME_MULTIPLE * max(frame))
    fitted = CutOut(fit_photo(photo, frame), False, 1.0)
    colours = product_mask.to_working_colours(photo)
    fit = product_mask.fit_background(colours)
    if fit is None:
        return fitted
    surface, spread = fit
    shop_colour = product_mask.to_opponent_colours(np.array(background, np.float32))
    if float(np.abs(surface - shop_colour).max()) <= SAME_COLOUR_DISTANCE and spread <= SAME_COLOUR_DISTANCE:
        solid = product_mask.remove_specks(np.linalg.norm(colours - surface, axis=-1) > SAME_COLOUR_DISTANCE)
        if not product_mask.is_plausible_mask(solid) or _is_placed_like_shop(solid, photo, frame, extent):
            return fitted
        mask = _bounding_box_mask(solid)
    else:
        solid = product_mask.segment_product(colours, surface, spread)
        if not product_mask.is_plausible_mask(solid):
            return fitted
        mask = product_mask.soften_edge(solid)
    mask = product_mask.resize_mask(mask, photo)
    if not (mask > 0.5).any():  # a photo of few pixels may lose all of them
        return fitted
    return CutOut(_place_on_frame(photo, mask, frame, background, extent), True, float(solid.mean()))


def _limit_size(photo: Photo, max_side: int) -> Photo:
    """Scale the photo down to at most `max_side` pixels a side, so that memory does not depend on the upload's size."""
    h, w = photo.shape[:2]
    if max(h, w) <= max_side:
        return photo
    size = (max(1, w * max_side // max(h, w)), max(1, h * max_side // max(h, w)))
    return np.array(Image.fromarray(np.ascontiguousarray(photo)).resize(size, Image.Resampling.BOX))


def _bounding_box_mask(solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a mask of the whole rectangle around the product."""
    mask = np.zeros(solid.shape, np.float32)
    mask[_bounding_box(solid)] = 1.0
    return mask


def _is_placed_like_shop(solid: NDArray[np.bool_], photo: Photo, frame: tuple[int, int], extent: float) -> bool:
    """Return whether the product, once fitted, has about the size and position of the shop's products."""
    scale = min(frame[0] / photo.shape[0], frame[1] / photo.shape[1])
    photo_share = scale * np.array(photo.shape[:2]) / np.array(frame)  # how much of the frame the photo takes, each way
    edges = np.array([(part.start, part.stop) for part in _bounding_box(solid)]) / np.array(solid.shape)[:, None]
    size = float((np.diff(edges, axis=1)[:, 0] * photo_share).max())
    offset = float((np.abs(edges.mean(axis=1) - 0.5) * photo_share).max())
    return EXTENT_RANGE[0] * extent <= size <= EXTENT_RANGE[1] * extent and offset <= MAX_OFFSET_SHARE


def _place_on_frame(
    photo: Photo, mask: NDArray[np.float32], frame: tuple[int, int], background: tuple[int, int, int], extent: float
) -> Photo:
    """Draw the product in the middle of the frame, on the shop's background."""
    box = _bounding_box(mask > 0.5)
    opaque = mask[box][..., None]
    h, w = opaque.shape[:2]
    scale = extent * min(frame[0] / h, frame[1] / w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    # Colours are weighted by the mask before they are scaled, or the old background bleeds into the edge.
    layers = np.concatenate([_inner_colours(photo[box], mask[box]) * opaque, opaque], axis=-1)
    small = np.stack(
        [
            np.asarray(Image.fromarray(np.ascontiguousarray(layers[..., i])).resize(size, Image.Resampling.LANCZOS))
            for i in range(4)
        ],
        axis=-1,
    )
    alpha = np.clip(small[..., 3:], 0.0, 1.0)
    framed = np.empty((*frame, 3), np.float32)
    framed[:] = background
    top, left = (frame[0] - size[1]) // 2, (frame[1] - size[0]) // 2
    part = (slice(top, top + size[1]), slice(left, left + size[0]))
    framed[part] = np.clip(small[..., :3], 0.0, 255.0 * alpha) + (1.0 - alpha) * framed[part]
    return np.clip(np.rint(framed), 0, 255).astype(np.uint8)


def _inner_colours(photo: Photo, mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace the colours at the edge, where product and background mix, by those of the nearest inner pixel."""
    from scipy import ndimage

    inner = mask > INNER_MASK_SHARE
    if not inner.any():
        return photo.astype(np.float32)
    nearest: Any = ndimage.distance_transform_edt
    rows, columns = nearest(~inner, return_distances=False, return_indices=True)
    return photo[rows, columns].astype(np.float32)


def _bounding_box(solid: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
