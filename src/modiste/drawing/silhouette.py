"""Soft silhouette of a drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EDGE = 0.06 * 255.0  # distance from the background at which a pixel is half product
SLOPE = 4.0 / EDGE


def silhouette(drawing: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much each pixel of a drawing `(h, w, 3)`, 0 to 255, is product: `(h, w)` from 0 to 1."""
    border = np.concatenate([drawing[0], drawing[-1], drawing[:, 0], drawing[:, -1]])
    background = np.median(border, axis=0)
    distance = np.abs(drawing - background).max(axis=2)
    return (1.0 / (1.0 + np.exp(SLOPE * (EDGE - distance)))).astype(np.float32)
