"""Seeded samples of products, and their photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modiste.images.photo import decode_jpeg
from modiste.storage.product_store import ProductStore


def sample_rows(count: int, max_rows: int, seed: int) -> NDArray[np.intp]:
    """Return at most `max_rows` of the rows 0 to `count` − 1, `(b,)`, in order; the same for a seed."""
    if count <= max_rows:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, max_rows, replace=False))


def load_photos(store: ProductStore, ids: Sequence[str]) -> NDArray[np.uint8]:
    """Load the photos of products, uint8 `(b, H, W, 3)`. Raises UnknownProduct."""
    return np.stack([decode_jpeg(data) for data in store.photos(list(ids))])
