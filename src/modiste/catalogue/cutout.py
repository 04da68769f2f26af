"""A product cut from its photo's background and placed as the shop places its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modiste.catalogue.photo import Photo, background_of, check_photo, fit_photo

LEAST, MOST = 0.01, 0.9  # of the photo: less or more product than this is no product


@dataclass(frozen=True, eq=False)
class CutOut:
    """`photo` uint8 `(H, W, 3)` at the frame; `cut` says whether its background was removed, `share` how much of it
    was product, 0 to 1 (1 where nothing was cut)."""

    photo: Photo
    cut: bool
    share: float


def cut_out(photo: Photo, frame: tuple[int, int], background: tuple[int, int, int], extent: float) -> CutOut:
    """`photo` without its background, on the shop's, as large as the shop's products are.

    Args:
        photo: uint8 `(h, w, 3)`.
        frame: (height, width) of the answer.
        background: RGB of the shop's background.
        extent: how much of the frame's height or width the product takes, whichever is more.

    Raises:
        PhotoError: not a photo.
    """
    check_photo(photo)
    mask = product_mask(photo)
    share = 0.0 if mask is None else float(mask.mean())
    if mask is None or not LEAST <= share <= MOST:
        return CutOut(fit_photo(photo, frame), False, 1.0)
    return CutOut(_placed(photo, mask, frame, background, extent), True, share)


def product_mask(photo: Photo) -> NDArray[np.bool_] | None:
    """Which pixels of a photo `(h, w, 3)` are product, `(h, w)`; None where its border is not plain enough to tell."""
    from scipy import ndimage

    find: Any = ndimage
    near = (np.abs(photo.astype(np.int16) - background_of(photo).astype(np.int16)) < 24).all(axis=-1)
    labels: NDArray[np.intp] = find.label(near)[0]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return ~np.isin(labels, edge[edge > 0])


def _placed(
    photo: Photo,
    mask: NDArray[np.bool_],
    frame: tuple[int, int],
    background: tuple[int, int, int],
    extent: float,
) -> Photo:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    opaque = mask[box].astype(np.float32)[..., None]
    ground = np.array(background, np.float32)
    # Colours are weighted by the mask before they are scaled, or the old background bleeds into the edge.
    h, w = opaque.shape[:2]
    scale = extent * min(frame[0] / h, frame[1] / w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    layers = np.concatenate([photo[box].astype(np.float32) * opaque, opaque], axis=-1)
    small = np.stack(
        [
            np.asarray(
                Image.fromarray(layers[..., i]).resize(
                    size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
                )
            )
            for i in range(4)
        ],
        axis=-1,
    )
    alpha = np.clip(small[..., 3:], 0.0, 1.0)
    framed = np.empty((*frame, 3), np.float32)
    framed[:] = ground
    top, left = (frame[0] - size[1]) // 2, (frame[1] - size[0]) // 2
    part = (slice(top, top + size[1]), slice(left, left + size[0]))
    framed[part] = small[..., :3] + (1.0 - alpha) * ground
    return np.clip(np.rint(framed), 0, 255).astype(np.uint8)
