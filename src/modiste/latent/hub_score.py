"""Hub score: how near a product lies to every design."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hub_score(scores: NDArray[np.floating], k: int) -> NDArray[np.float64]:
    """Return each product's mean over its `k` best scores for many designs, `(N,)`.

    Hubs are products that lie near every design and would be in every result. Subtracting a share of their hub score
    leaves what a product has for this design in particular: cross-domain similarity local scaling (Conneau et al. 2018,
    section 2.3), whose share is a half, and whose other half belongs to the design and is the same for all products.

    Args:
        scores: of designs and products, `(b, N)`, higher is nearer.
        k: number of best designs that count; all where there are fewer.
    """
    count = min(k, len(scores))
    if count == 0:
        return np.zeros(scores.shape[1])
    return np.partition(scores, len(scores) - count, axis=0)[len(scores) - count :].mean(axis=0, dtype=np.float64)
