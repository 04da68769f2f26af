"""Posterior of a photo and its fixed-epsilon code: the paper's equation 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode

FloatArray = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior q(z|x) = N(mean, diag(std²)) of one photo, `(n,)` each, or of a batch, `(b, n)` each.

    `code` is the fixed-epsilon code, mean + std ⊙ ε.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]


def fixed_epsilon_code(mean: ArrayLike, std: ArrayLike, epsilon: ArrayLike) -> NDArray[np.float32]:
    """Return mean + std ⊙ ε, float32, shaped as `mean`.

    The paper's Eq. 1, with the standard deviation where the paper prints the variance.

    Args:
        mean: `(n,)` or `(b, n)`.
        std: shaped as `mean`.
        epsilon: `(n,)`, drawn once per model.

    Raises:
        BadCode: the shapes do not match.
    """
    centre = np.asarray(mean, np.float32)
    spread = np.asarray(std, np.float32)
    noise = np.asarray(epsilon, np.float32)
    if centre.shape != spread.shape or noise.shape != centre.shape[-1:]:
        raise BadCode(
            f"The shapes of mean {centre.shape}, std {spread.shape} and epsilon {noise.shape} do not match.",
            remedy="Give mean and std (n,) or (b, n), and epsilon (n,).",
        )
    return (centre + spread * noise).astype(np.float32, copy=False)


def check_code(code: ArrayLike, n: int) -> NDArray[np.float32]:
    """Return `code` as float32, `(n,)` or `(b, n)`.

    Raises BadCode if the code has another shape, or is not numbers, or is not finite (in float32).
    """
    remedy = f"Give {n} finite numbers, or a batch of shape (b, {n})."
    try:
        array = np.asarray(code)
        if array.dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        raise BadCode(f"A code must be numbers, not {type(code).__name__}.", remedy=remedy) from None
    if array.ndim not in (1, 2) or array.shape[-1] != n:
        raise BadCode(f"The code has shape {array.shape}; this model has {n} latents.", remedy=remedy)
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite and is rejected below
        checked = array.astype(np.float32)
    if not np.isfinite(checked).all():
        raise BadCode("The code has values that are not finite.", remedy=remedy)
    return checked
