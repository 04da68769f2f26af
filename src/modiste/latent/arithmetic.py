"""Arithmetic on codes: the shift from one cluster to another, and interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode


def shift(code: ArrayLike, centre_i: ArrayLike, centre_j: ArrayLike) -> NDArray[np.float32]:
    """Move a code of cluster i to cluster j by adding (centre_j − centre_i): float32, shaped as `code`.

    The paper's Eq. 3. The paper prints the difference with the opposite sign, which moves away from cluster j.

    Args:
        code: `(n,)` or `(b, n)`.
        centre_i: `(n,)`; for a batch also `(b, n)`.
        centre_j: shaped as `centre_i`.

    Raises:
        BadCode: the shapes do not match.
    """
    z, source, target = (np.asarray(part, np.float64) for part in (code, centre_i, centre_j))
    if source.shape != target.shape or source.shape not in (z.shape, z.shape[-1:]):
        raise BadCode(
            f"The shapes of the code {z.shape} and of the centres {source.shape} and {target.shape} do not match.",
            remedy="Give codes and centres of the same number of latents.",
        )
    return (z + (target - source)).astype(np.float32)


def interpolate(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> NDArray[np.float32]:
    """Return (1 − t)·a + t·b, float32: exactly `a` at t = 0 and `b` at t = 1.

    Args:
        a: `(n,)`.
        b: `(n,)`.
        t: one number, or `(m,)` of them.

    Returns:
        `(n,)`, or `(m, n)`.

    Raises:
        BadCode: the shapes do not match.
    """
    first, last, position = (np.asarray(part, np.float64) for part in (a, b, t))
    if first.ndim != 1 or first.shape != last.shape or position.ndim > 1:
        raise BadCode(
            f"Cannot go from {first.shape} to {last.shape} by t {position.shape}.",
            remedy="Give two codes (n,) and t as a number or (m,).",
        )
    step = position[..., None]
    return ((1.0 - step) * first + step * last).astype(np.float32)
