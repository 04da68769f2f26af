"""Bytes of a code as the page computes them (`quantise` in design-codec.js)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.server.design_codec import MAX_LEVEL


def quantise(code: ArrayLike, ranges: NDArray[np.float32]) -> bytes:
    """Return `n` bytes: round(255 · (value − minimum) / (maximum − minimum)) per latent, clipped to 0…255.

    `code` is `(n,)`; `ranges` is `(n, 2)`, minimum and maximum of each latent. If they are equal, the byte is 0.
    """
    values = np.asarray(code, np.float64)
    low, high = ranges[:, 0].astype(np.float64), ranges[:, 1].astype(np.float64)
    width = high - low
    share = np.divide(values - low, width, out=np.zeros_like(values), where=width > 0)
    return np.rint(MAX_LEVEL * np.clip(share, 0.0, 1.0)).astype(np.uint8).tobytes()
