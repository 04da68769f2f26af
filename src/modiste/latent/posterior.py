"""Posterior of a photo, fixed-epsilon code and log-likelihood: the paper's equations 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode, BadOption

MAX_TAU = 1e100
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


def check_tau(tau: float) -> float:
    """Return `tau` if it is from 0 to MAX_TAU, whose square is still finite.

    Raises BadOption if `tau` is outside that range.
    """
    if not 0.0 <= tau <= MAX_TAU:
        raise BadOption(f"tau is {tau}.", remedy=f"Give a tau from 0 to {MAX_TAU:g}.")
    return float(tau)


def log_likelihood(code: FloatArray, mean: FloatArray, std: FloatArray, tau: float = 0.0) -> NDArray[np.float64]:
    """Return log q(code | x) of every product x, in nats: the paper's Eq. 2, computed in float64.

    Σᵢ [ −(zᵢ−μᵢ)² / (2vᵢ) − log √(2π vᵢ) ] with vᵢ = σᵢ² + τ². With τ > 0 the code is itself N(z, τ²): the ranking
    changes from the paper's (τ = 0) to that of the expected squared distance |z − μ|² + Σσ² (τ → ∞).

    Args:
        code: `(n,)` or `(b, n)`.
        mean: `(N, n)`.
        std: `(N, n)`, above 0.
        tau: standard deviation of the code, from 0.

    Returns:
        `(N,)`, or `(b, N)` for a batch.

    Raises:
        BadOption: tau is negative or not finite.
    """
    variance = np.square(std, dtype=np.float64) + check_tau(tau) ** 2
    centre = np.asarray(mean, np.float64)
    constant = -0.5 * np.log(2.0 * np.pi * variance).sum(axis=-1)

    def one(z: FloatArray) -> NDArray[np.float64]:
        return constant - 0.5 * (np.square(np.asarray(z, np.float64) - centre) / variance).sum(axis=-1)

    if code.ndim == 1:
        return one(code)
    return np.array([one(z) for z in code], np.float64).reshape(len(code), len(centre))
