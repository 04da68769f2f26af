"""Arithmetic on codes: the step from one cluster to another, and the way between two codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode


def shift(code: ArrayLike, centre_i: ArrayLike, centre_j: ArrayLike) -> NDArray[np.float32]:
    """code + (centre_j − centre_i): where a code of cluster i would lie in cluster j, float32, shaped as `code`.

    The paper's Eq. 3. It prints the difference the other way round, which walks away from cluster j.

    Args:
        code: `(n,)` or `(b, n)`.
        centre_i, centre_j: `(n,)` each; for a batch also `(b, n)`.

    Raises:
        BadCode: the shapes do not go together.
    """
    z, own, other = (np.asarray(part, np.float64) for part in (code, centre_i, centre_j))
    if own.shape != other.shape or own.shape not in (z.shape, z.shape[-1:]):
        raise BadCode(
            f"The code {z.shape} and the centres {own.shape} and {other.shape} do not go together.",
            remedy="Give codes and centres of the same number of latents.",
        )
    return (z + (other - own)).astype(np.float32)


def interpolate(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> NDArray[np.float32]:
    """(1 − t)·a + t·b, float32: `a` at t = 0, `b` at t = 1, exactly.

    Args:
        a, b: `(n,)` each.
        t: one number, or `(m,)` of them.

    Returns:
        `(n,)`, or `(m, n)`.

    Raises:
        BadCode: the shapes do not go together.
    """
    first, last, way = (np.asarray(part, np.float64) for part in (a, b, t))
    if first.ndim != 1 or first.shape != last.shape or way.ndim > 1:
        raise BadCode(
            f"Cannot go from {first.shape} to {last.shape} by t {way.shape}.",
            remedy="Give two codes (n,) and t as a number or (m,).",
        )
    step = way[..., None]
    return ((1.0 - step) * first + step * last).astype(np.float32)
