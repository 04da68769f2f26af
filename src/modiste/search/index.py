"""Exact nearest products for codes: a fast float32 scan, then float64 for the best few.

Eq. 2 of the paper is an inner product, [z², z, 1] · [−1/(2σ²), μ/σ², const], so one matrix product scores every
product for every code, by likelihood as by Euclidean distance. Its float32 result is only used to choose
candidates: every product whose score lies within the scan's rounding error of the k-th best is scored again in
float64, which makes the answer exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount, BadOption
from modiste.latent.posterior import check_code

Floats = NDArray[np.float32]
BLOCK = 8_000_000  # scores held at once, some 32 MB
METHODS = ("likelihood", "fixed-epsilon", "mean")
METRICS = ("euclidean", "manhattan")


class LatentIndex:
    """The catalogue's encodings in memory. `mean`, `std` and `code` are `(N, n)`, `cluster` is `(N,)` or None."""

    def __init__(
        self,
        ids: Sequence[str],
        mean: ArrayLike,
        std: ArrayLike,
        code: ArrayLike,
        cluster: ArrayLike | None = None,
    ) -> None:
        self.ids = list(ids)
        self.mean, self.std, self.code = (
            np.ascontiguousarray(part, np.float32) for part in (mean, std, code)
        )
        self.cluster = None if cluster is None else np.asarray(cluster, np.intp)
        self._tables: dict[tuple[Any, ...], tuple[Floats, NDArray[np.float64]]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def nearest(
        self,
        code: ArrayLike,
        k: int,
        method: str = "likelihood",
        metric: str = "euclidean",
        rows: ArrayLike | None = None,
        tau: float = 0.0,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k nearest products of each code, best first; ties go to the earlier row.

        Args:
            code: `(n,)` or `(b, n)`.
            k: how many.
            method: "likelihood", "fixed-epsilon" or "mean".
            metric: "euclidean" or "manhattan"; the likelihood has none.
            rows: look only among these rows, `(m,)` indices or an `(N,)` mask; None is everywhere.
            tau: how uncertain the code is (likelihood only), see `latent.posterior.log_likelihood`.

        Returns:
            Row numbers and float64 scores, `(k,)` or `(b, k)` each. A likelihood is in nats, more is nearer; a
            distance is in the code's units, less is nearer.

        Raises:
            BadCode: a wrong length, or not finite.
            BadCount: k below 1 or over the number of rows.
            BadOption: an unknown method or metric.
        """
        checked = check_code(code, self.mean.shape[1])
        if method not in METHODS:
            raise BadOption(f"No method {method!r}.", remedy=f"Choose one of {', '.join(METHODS)}.")
        if metric not in METRICS:
            raise BadOption(f"No metric {metric!r}.", remedy=f"Choose one of {', '.join(METRICS)}.")
        among = None if rows is None else row_numbers(rows)
        size = len(self) if among is None else len(among)
        if not 1 <= k <= size:
            raise BadCount(
                f"k is {k}; there are {size} products to choose from.", remedy=f"Give a k from 1 to {size}."
            )
        batch = np.atleast_2d(checked)
        found = np.empty((len(batch), k), np.intp)
        scores = np.empty((len(batch), k))
        step = max(1, BLOCK // size)
        for start in range(0, len(batch), step):
            part = batch[start : start + step]
            scan, error = self._scan(part, method, metric, among, tau)
            for offset, code_one in enumerate(part):
                best = candidates(scan[offset], error[offset], k)
                numbers = best if among is None else among[best]
                exact = self._exact(code_one, numbers, method, metric, tau)
                order = np.lexsort((numbers, exact))[:k]
                found[start + offset], scores[start + offset] = numbers[order], exact[order]
        if method == "likelihood":
            scores = -scores
        return (found[0], scores[0]) if checked.ndim == 1 else (found, scores)

    def _scan(
        self, codes: Floats, method: str, metric: str, among: NDArray[np.intp] | None, tau: float
    ) -> tuple[Floats, NDArray[np.float64]]:
        """Costs (less is nearer) `(b, m)` in float32, and a bound on the rounding error of each code's, `(b,)`."""
        if method != "likelihood" and metric == "manhattan":
            points = self._points(method)
            chosen = points if among is None else points[among]
            costs = np.zeros((len(codes), len(chosen)), np.float32)
            for latent in range(points.shape[1]):
                costs += np.abs(codes[:, latent, None] - chosen[None, :, latent])
            reach = np.abs(codes).sum(axis=1, dtype=np.float64) + float(np.abs(points).sum(axis=1).max())
            return costs, rounding(points.shape[1], reach)
        centre, weights, largest = self._weights(method, tau)
        chosen = weights if among is None else weights[among]
        shifted = codes.astype(np.float64) - centre
        features = np.concatenate([shifted**2, shifted, np.ones((len(codes), 1))], axis=1)
        return (features.astype(np.float32) @ chosen.T), rounding(
            weights.shape[1], np.abs(features) @ largest
        )

    def _weights(self, method: str, tau: float) -> tuple[NDArray[np.float64], Floats, NDArray[np.float64]]:
        """The centre of the codes, `(n,)`; every product's row `(N, 2n + 1)` so that features · row is its cost; and
        each column's largest size, `(2n + 1,)`."""
        key = (method, tau if method == "likelihood" else 0.0)
        if key not in self._tables:
            points = self._points(method).astype(np.float64)
            centre = points.mean(axis=0)
            shifted = points - centre
            if method == "likelihood":
                variance = self.std.astype(np.float64) ** 2 + tau**2
                constant = 0.5 * np.log(2.0 * math.pi * variance).sum(axis=1)
            else:
                variance, constant = np.full_like(points, 0.5), np.zeros(len(points))
            squared = 0.5 * (shifted**2 / variance).sum(axis=1)
            table = np.concatenate(
                [0.5 / variance, -shifted / variance, (squared + constant)[:, None]], axis=1
            )
            self._tables[key] = (table.astype(np.float32), np.stack([np.append(centre, 0.0)]))
        table, held = self._tables[key]
        return held[0, :-1], table, np.abs(table).max(axis=0).astype(np.float64)

    def _points(self, method: str) -> Floats:
        return self.code if method == "fixed-epsilon" else self.mean

    def _exact(
        self, code: Floats, rows: NDArray[np.intp], method: str, metric: str, tau: float
    ) -> NDArray[np.float64]:
        """Costs of some rows in float64: minus the likelihood in nats, or the distance, `(m,)`."""
        apart = code.astype(np.float64) - self._points(method)[rows].astype(np.float64)
        if method == "likelihood":
            variance = self.std[rows].astype(np.float64) ** 2 + tau**2
            return 0.5 * (apart**2 / variance + np.log(2.0 * math.pi * variance)).sum(axis=1)
        return np.abs(apart).sum(axis=1) if metric == "manhattan" else np.sqrt((apart**2).sum(axis=1))


def candidates(costs: Floats, error: float, k: int) -> NDArray[np.intp]:
    """Every row whose true cost may be among the k least, given the error that the costs may have."""
    if k >= len(costs):
        return np.arange(len(costs), dtype=np.intp)
    kth = float(np.partition(costs, k - 1)[k - 1])
    return np.flatnonzero(costs <= np.float32(kth + 2.0 * error)).astype(np.intp)


def rounding(terms: int, size: NDArray[np.float64]) -> NDArray[np.float64]:
    """A bound on the float32 error of a sum of `terms` products whose sizes add up to `size`.

    (terms + 2) · u · Σ|aᵢbᵢ| with u = 2⁻²⁴ (Higham 2002, section 3.1), the 2 for rounding both factors.
    """
    return (terms + 3) * 2.0**-24 * size


def row_numbers(rows: ArrayLike) -> NDArray[np.intp]:
    """Row numbers from numbers or a mask."""
    array: NDArray[Any] = np.asarray(rows)
    return np.flatnonzero(array) if array.dtype == np.bool_ else array.astype(np.intp)
