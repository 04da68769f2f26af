"""Augmentation by shift and zoom, which should not change a photo's posterior."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MAX_SHIFT = 0.12  # largest shift and zoom, as a share of the frame


def shift_and_zoom(photo: Tensor, offsets: Tensor) -> Tensor:
    """Shift and zoom each of the photos `(b, 3, h, w)` by up to 12 %; the colour at the edge fills gaps.

    `offsets` are zoom and two shifts, `(b, 3)` in [0, 1]; 0.5 stands for no change.
    """
    count = photo.shape[0]
    offsets = offsets.to(photo.device) * 2.0 - 1.0
    zoom = 1.0 + MAX_SHIFT * offsets[:, 0]
    shift = 2.0 * MAX_SHIFT * offsets[:, 1:]
    theta = torch.zeros(count, 2, 3, device=photo.device)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom
    theta[:, :, 2] = shift
    grid = functional.affine_grid(theta, list(photo.shape), align_corners=False)
    return functional.grid_sample(photo, grid.to(photo.dtype), padding_mode="border", align_corners=False)
