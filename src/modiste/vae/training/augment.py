"""Small movements of a photo that should not change what product it is: shift and zoom."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MAX_SHIFT = 0.12  # largest shift and zoom, as a share of the frame


def shift_and_zoom(photo: Tensor, draw: Tensor) -> Tensor:
    """`(b, 3, h, w)` photos, each shifted and zoomed by up to 12 %; the edge's own colour fills what opens.

    `draw` says how, `(b, 3)` in [0, 1]; 0.5 is not at all.
    """
    count = photo.shape[0]
    draw = draw.to(photo.device) * 2.0 - 1.0
    zoom = 1.0 + MAX_SHIFT * draw[:, 0]
    shift = 2.0 * MAX_SHIFT * draw[:, 1:]
    theta = torch.zeros(count, 2, 3, device=photo.device)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom
    theta[:, :, 2] = shift
    grid = functional.affine_grid(theta, list(photo.shape), align_corners=False)
    return functional.grid_sample(photo, grid.to(photo.dtype), padding_mode="border", align_corners=False)
