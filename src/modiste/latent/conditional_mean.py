"""Conditional mean of a code under a Gaussian mixture of the catalogue: the free latents follow the fixed ones.

`conditional-mean.js` is the same in JavaScript.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.latent.mixture import Mixture

# Variance of the Gaussian around the free latents' present values, relative to the mean variance of the latents: with
# more, they follow further.
FREEDOM = 1.0
PASSES = 2  # the second starts where the first ended, nearer to products
MIN_LENGTH = 1e-3  # of what is left of a direction without what is fixed already, relative to its length


def condition(
    mixture: Mixture, code: ArrayLike, fixed: Collection[int], directions: ArrayLike | None = None
) -> NDArray[np.float32]:
    """Return a code whose free latents follow the fixed ones, float32 `(n,)`.

    The present values of the free latents are taken for a noisy observation of where they should be. So each component
    of the mixture gives them a mean, the product of the conditional Gaussian (Bishop 2006, Eq. 2.81 and 2.82) and one
    around their present values; and components count as much as they explain the fixed and the present values. A design
    of one kind so stays of that kind, unless what is fixed says otherwise.

    Args:
        mixture: of the catalogue.
        code: `(n,)`.
        fixed: the latents that keep their values.
        directions: `(d, n)`; what the code has along each of them is kept too.
    """
    z = np.asarray(code, np.float64)
    kept = _orthonormal_rows(len(z), fixed, directions)
    if len(kept) in (0, len(z)):
        return z.astype(np.float32)
    # `gain` moves a component's mean by as much as the fixed values differ from it.
    along = mixture.covariances @ kept.T
    within = kept @ along
    gap = (z - mixture.means) @ kept.T
    gain = np.linalg.solve(within, along.transpose(0, 2, 1)).transpose(0, 2, 1)
    expected = mixture.means + (gain @ gap[:, :, None])[:, :, 0]
    # `spread` is 0 along what is fixed, so that stays.
    spread = mixture.covariances - gain @ along.transpose(0, 2, 1)
    padded = spread + FREEDOM * mixture.mean_variance * np.eye(len(z))
    distances = (gap * np.linalg.solve(within, gap[:, :, None])[:, :, 0]).sum(axis=1)
    log_shares = np.log(mixture.weights) - 0.5 * (distances + np.linalg.slogdet(within)[1])
    for _ in range(PASSES):
        change = z - expected
        pull = np.linalg.solve(padded, change[:, :, None])[:, :, 0]
        moved = expected + (spread @ pull[:, :, None])[:, :, 0]
        evidence = log_shares - 0.5 * ((change * pull).sum(axis=1) + np.linalg.slogdet(padded)[1])
        shares = np.exp(evidence - evidence.max())
        z = shares @ moved / shares.sum()
    result = z.astype(np.float32)
    rows = list(fixed)
    result[rows] = np.asarray(code, np.float32)[rows]
    return result


def _orthonormal_rows(n: int, fixed: Collection[int], directions: ArrayLike | None) -> NDArray[np.float64]:
    """Return orthonormal vectors `(k, n)` that span what is fixed."""
    rows = np.eye(n)[sorted(fixed)]
    for direction in np.empty((0, n)) if directions is None else np.asarray(directions, np.float64).reshape(-1, n):
        rest = direction - (direction @ rows.T) @ rows
        length = float(np.linalg.norm(rest))
        if length > MIN_LENGTH * float(np.linalg.norm(direction)):
            rows = np.concatenate([rows, rest[None] / length])
    return rows
