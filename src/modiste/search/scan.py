"""Scans: for every product an upper bound of its score that one matrix product in float32 can give.

The bound is what makes a float32 scan exact. For a sum of d products in float32, in any order, the error is at most
γ · Σ|terms| with γ = d·u / (1 − d·u), u = 2⁻²⁴ (Higham, Accuracy and Stability, section 3.1). Σ|terms| is itself
bounded by a number of the product plus a number of the query, so the allowance for the error is just more columns of
the same matrix: a scan gives score + allowance, which is never below the score. Whatever scores better than the worst
of the best few so far has a bound above it, and is found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scope = slice | NDArray[np.intp]
UNIT = 2.0**-24
# Beyond these, products of float32 might overflow: such queries and products are always scored exactly.
QUERY_LIMIT = 1e4
FACTOR_LIMIT = 1e28
ALWAYS = np.float32(3e38)
BLOCK = 4096
LANE = 32


def _allowance(terms: int) -> float:
    """γ for a sum of `terms` products of rounded factors, with room to spare."""
    return 2.0 * (terms + 8) * UNIT


@dataclass(frozen=True, eq=False)
class LikelihoodScan:
    """Eq. 2 as an inner product: [z², z, 1, max z²] · [−1/(2v), μ/v, c + allowance, allowance], about `middle`.

    `factors` is float32 `(N, 2n + 2)`, one row per product, so that the products of a cluster are a slice.
    """

    middle: NDArray[np.float64]
    factors: NDArray[np.float32]

    @classmethod
    def build(cls, mean: NDArray[np.float32], std: NDArray[np.float32], tau: float) -> LikelihoodScan:
        """The scan for products `(N, n)` and a query that is itself N(z, τ²)."""
        middle = mean.mean(axis=0, dtype=np.float64)
        variance = np.square(std, dtype=np.float64) + tau**2
        about = mean - middle
        logs = 0.5 * np.log(2.0 * np.pi * variance)
        n = mean.shape[1]
        squares, steepness = np.square(about) / (2.0 * variance), 1.0 / (2.0 * variance)
        # |z²a| + |zμ/v| + |c| ≤ 2 max z² Σa + 2 Σμ²/(2v) + Σ|log|, because |zμ|/v ≤ (z² + μ²)/(2v).
        gamma = _allowance(2 * n + 2)
        rows = np.empty((len(mean), 2 * n + 2))
        rows[:, :n] = -steepness
        rows[:, n : 2 * n] = about / variance
        constant = -squares.sum(axis=1) - logs.sum(axis=1)
        rows[:, 2 * n] = constant + gamma * (2.0 * squares.sum(axis=1) + np.abs(logs).sum(axis=1))
        rows[:, 2 * n + 1] = 2.0 * gamma * steepness.sum(axis=1)
        wild = np.abs(rows).max(axis=1) > FACTOR_LIMIT
        rows[wild] = 0.0
        rows[wild, 2 * n] = ALWAYS
        return cls(middle, rows.astype(np.float32))

    def bounds(self, codes: NDArray[np.float32], scope: Scope) -> NDArray[np.float32] | None:
        """Bounds for the products in scope, `(b, N)`; None where a code is too far out for float32."""
        about = codes - self.middle
        squares = np.square(about)
        largest = squares.max(axis=1, initial=0.0)
        if largest.max(initial=0.0) > QUERY_LIMIT**2:
            return None
        ones = np.ones((len(codes), 1))
        queries = np.hstack([squares, about, ones, largest[:, None]]).astype(np.float32)
        return queries @ self.factors[scope].T

    def bound(self, score: float, _code: NDArray[np.float32]) -> float:
        """The score on the scale of the scan: products whose bound is below cannot score `score`."""
        return score


@dataclass(frozen=True, eq=False)
class EuclideanScan:
    """−|z − x|² less the query's own square: [z, 1] · [2x, −|x|² + allowance], about `middle`."""

    middle: NDArray[np.float64]
    factors: NDArray[np.float32]

    @classmethod
    def build(cls, points: NDArray[np.float32]) -> EuclideanScan:
        """The scan for points `(N, n)`."""
        middle = points.mean(axis=0, dtype=np.float64)
        about = points - middle
        n = points.shape[1]
        squares = np.square(about).sum(axis=1)
        rows = np.empty((len(points), n + 1))
        rows[:, :n] = 2.0 * about
        # |2zx| + |x|² ≤ |z|² + 2|x|²: the part of the query is the same for all and taken off in `bound`.
        rows[:, n] = -squares + _allowance(n + 1) * 2.0 * squares
        wild = np.abs(rows).max(axis=1) > FACTOR_LIMIT
        rows[wild] = 0.0
        rows[wild, n] = ALWAYS
        return cls(middle, rows.astype(np.float32))

    def bounds(self, codes: NDArray[np.float32], scope: Scope) -> NDArray[np.float32] | None:
        """Bounds for the products in scope, `(b, N)`; None where a code is too far out for float32."""
        about = codes - self.middle
        if np.abs(about).max(initial=0.0) > QUERY_LIMIT:
            return None
        queries = np.hstack([about, np.ones((len(codes), 1))]).astype(np.float32)
        return queries @ self.factors[scope].T

    def bound(self, score: float, code: NDArray[np.float32]) -> float:
        """The score, minus a distance, on the scale of the scan."""
        square = float(np.square(code - self.middle).sum())
        n = len(code)
        # The square of a root may come out above the square: a little more room for that.
        return -(score**2) * (1.0 + 1e-12) + square - _allowance(n + 1) * square


@dataclass(frozen=True, eq=False)
class ManhattanScan:
    """−Σ|z − x|, gap by gap in blocks that stay in the cache; `factors` is the points, float32 `(N, n)`."""

    factors: NDArray[np.float32]

    def bounds(self, codes: NDArray[np.float32], scope: Scope) -> NDArray[np.float32] | None:
        """Bounds for the products in scope, `(b, N)`; None where a code is too far out for float32."""
        if np.abs(codes).max(initial=0.0) > QUERY_LIMIT:
            return None
        points = self.factors[scope]
        found = np.empty((len(codes), len(points)), np.float32)
        gaps = np.empty((BLOCK, points.shape[1]), np.float32)
        for first in range(0, len(points), BLOCK):
            block = points[first : first + BLOCK]
            held = gaps[: len(block)]
            for i, code in enumerate(codes):
                np.subtract(block, code, out=held)
                np.abs(held, out=held)
                # As a product with ones: NumPy's own sums over a short axis are several times slower.
                np.matmul(
                    held, np.ones(points.shape[1], np.float32), out=found[i, first : first + len(block)]
                )
        return -found

    def bound(self, score: float, code: NDArray[np.float32]) -> float:
        """The score, minus a distance, on the scale of the scan. All terms have one sign: the error is a share."""
        return score * (1.0 + _allowance(len(code)))


def highest(bounds: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], float]:
    """The places of at least `count` of the highest bounds, and the value that all others are at most.

    The bounds are parted into lanes. As many lanes as are wanted have a maximum of at least t, so at least that many
    bounds are t or more: one pass for the maxima and one for the comparison, and no sorting of all.
    """
    lanes = len(bounds) // LANE
    if lanes < 4 * count:
        if len(bounds) <= count:
            return np.arange(len(bounds)), -np.inf
        chosen = np.argpartition(bounds, len(bounds) - count)[len(bounds) - count :]
        return chosen, float(bounds[chosen[0]])
    maxima = bounds[: lanes * LANE].reshape(LANE, lanes).max(axis=0)
    threshold = np.partition(maxima, lanes - count)[lanes - count]
    return np.flatnonzero(bounds >= threshold), float(threshold)
