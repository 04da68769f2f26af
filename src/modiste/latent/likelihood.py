"""Log-likelihood of a code under each product's posterior: the paper's equation 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption
from modiste.latent.fixed_epsilon import FloatArray

MAX_TAU = 1e100


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
