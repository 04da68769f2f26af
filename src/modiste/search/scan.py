"""Scans: the products that may be among the nearest, by kernels in float32, and what these can miss.

The error bound is what makes a float32 scan exact. A gap z − μ of two float32 numbers is right to one rounding, and so
is each term w (z − μ)²: nothing cancels. A sum of d such terms of one sign, in any order, is then right to a share
γ = d·u / (1 − d·u), u = 2⁻²⁴, of itself (Higham, Accuracy and Stability, section 3.1). So from the exact score of the
worst of the best few follows a mark below which nothing can matter, and whatever is above it is scored in float64.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.posterior import log_likelihood
from modiste.search.blocks import Blocks, LikelihoodTerms
from modiste.search.constants import (
    ALWAYS_CANDIDATE,
    EUCLIDEAN,
    LANES,
    LIKELIHOOD,
    MANHATTAN,
)

METHODS = ("likelihood", "fixed-epsilon", "mean")
METRICS = ("euclidean", "manhattan")
Floats = NDArray[np.float32]
Slots = NDArray[np.intp]
Mask = NDArray[np.bool_]

UNIT_ROUNDOFF = 2.0**-24
MAX_FLOAT32_CODE = 1e4  # codes farther out are scored in float64 alone
MAX_FLOAT32_NEARNESS = 1e37  # nearness beyond is not told by float32
MAX_CACHED_TAUS = 3
BLOCKS_PER_THREAD = 512  # blocks per thread: less is not worth a second one
NO_MASK: Mask = np.ones((0, LANES), np.bool_)
_UNUSED: Floats = np.empty((1, 1, LANES), np.float32)  # in place of what only likelihoods have


@dataclass(frozen=True, slots=True)
class Scoring:
    """How nearness is meant: a method, a metric where it is a distance, and τ where it is a likelihood."""

    method: str
    metric: str
    tau: float

    @property
    def kind(self) -> int:
        """The kernels' word for it."""
        if self.method == "likelihood":
            return LIKELIHOOD
        return EUCLIDEAN if self.metric == "euclidean" else MANHATTAN

    def nearness(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores as nearness: higher is nearer, and a Euclidean distance squared."""
        if self.kind == LIKELIHOOD:
            return scores
        return -np.square(scores) if self.kind == EUCLIDEAN else -scores

    def threshold(self, score: float, n: int, largest: float) -> float:
        """The least nearness in float32 of whatever scores `score` or better; `largest` bounds |constant|."""
        share = 2.0 * (n + 8) * UNIT_ROUNDOFF
        near = float(self.nearness(np.float64(score)))  # type: ignore[arg-type]
        size = 2.0 * largest - near if self.kind == LIKELIHOOD else -near
        # The square of a root may come out above the square: a little more room for that.
        return near - share * size - 1e-12 * abs(near) - 1e-30

    def upper_bound(self, estimate: Floats, n: int, largest: float) -> NDArray[np.float64]:
        """The greatest nearness, in float64, of products that float32 says are so near, `(m,)`; see `mark`."""
        near = estimate.astype(np.float64)
        size = 2.0 * largest - near if self.kind == LIKELIHOOD else -near
        most = near + 4.0 * (n + 8) * UNIT_ROUNDOFF * np.abs(size) + 1e-12 * np.abs(near) + 1e-30
        return np.where(near > -MAX_FLOAT32_NEARNESS, most, np.inf)


@dataclass(frozen=True, eq=False, slots=True)
class BlockRange:
    """Where to look: blocks from `first` to `last`, and of their places those `allowed` `(B, LANES)`, None for all."""

    first: int
    last: int
    allowed: Mask | None = None

    @property
    def kernel_mask(self) -> Mask:
        """What kernels are given for `allowed`."""
        return NO_MASK if self.allowed is None else self.allowed


class BlockScanner:
    """Products in blocks, and the search among them."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self._terms_by_tau: dict[float, LikelihoodTerms] = {}
        self._lock = Lock()

    def rows_in_slots(self, places: Slots) -> Slots:
        """Which products lie at some places."""
        return self.blocks.rows.reshape(-1)[places].astype(np.intp)

    def scan(
        self, asked: Scoring, codes: Floats, scope: BlockRange, count: int, threads: int
    ) -> tuple[Slots, Floats]:
        """For each code the places of some products, `(b, ≥ count)`, −1 for none, and a nearness, `(b,)`.

        No other product in scope is nearer, in float32, than that.
        """
        from modiste.search import kernels

        given = self._kernel_arrays(asked)
        values = np.empty((len(codes), count), np.float32)
        places = np.empty((len(codes), count), np.int64)

        def look(some: slice, first: int, last: int, near: Floats, where: Slots) -> None:
            held = self.blocks.rows, scope.kernel_mask, codes[some], first, last, near, where
            kernels.scan_blocks(asked.kind, *given, *held)

        blocks = scope.last - scope.first
        shares = min(threads, max(1, len(codes) * blocks // BLOCKS_PER_THREAD))
        if shares == 1:
            look(slice(None), scope.first, scope.last, values, places)
            return places, values[:, 0]
        if len(codes) >= 2 * shares:  # each thread its own codes
            cuts = np.linspace(0, len(codes), shares + 1).astype(int).tolist()
            parts = [slice(*pair) for pair in pairwise(cuts)]
            jobs = [(part, scope.first, scope.last, values[part], places[part]) for part in parts]
            list(_thread_pool(shares).map(lambda job: look(*job), jobs))
            return places, values[:, 0]
        edges = np.linspace(scope.first, scope.last, shares + 1).astype(int).tolist()
        near = [np.empty_like(values) for _ in range(shares)]
        where = [np.empty_like(places) for _ in range(shares)]
        spans = [(slice(None), *pair) for pair in pairwise(edges)]
        jobs = [(*span, near[i], where[i]) for i, span in enumerate(spans)]
        list(_thread_pool(shares).map(lambda job: look(*job), jobs))
        return np.concatenate(where, axis=1), np.max([each[:, 0] for each in near], axis=0)

    def gather(self, asked: Scoring, code: Floats, scope: BlockRange, mark: np.float32) -> Slots:
        """The places of all products in scope of at least the nearness `mark`, in float32, to a code `(n,)`."""
        from modiste.search import kernels

        found = np.empty((scope.last - scope.first) * LANES, np.int64)
        count = kernels.gather_above(
            asked.kind,
            *self._kernel_arrays(asked),
            self.blocks.rows,
            scope.kernel_mask,
            code,
            scope.first,
            scope.last,
            mark,
            found,
        )
        return found[:count]

    def slots_in(self, scope: BlockRange) -> Slots:
        """The places of all products in scope."""
        there = self.blocks.rows[scope.first : scope.last] >= 0
        if scope.allowed is not None:
            there &= scope.allowed[scope.first : scope.last]
        return np.flatnonzero(there) + scope.first * LANES

    def estimate(self, asked: Scoring, codes: Floats, first: int, last: int) -> Floats:
        """The nearness of codes `(b, n)` to all places of some blocks, in float32, `(b, blocks · LANES)`."""
        from modiste.search import kernels

        points, weight, constant, _ = self._kernel_arrays(asked)
        found = np.empty((len(codes), (last - first) * LANES), np.float32)
        kernels.estimate_blocks(asked.kind, points, weight, constant, codes, first, last, found)
        return found

    def scores(self, asked: Scoring, code: Floats, places: Slots) -> NDArray[np.float64]:
        """The scores of some places for a code `(n,)`, in float64: log likelihoods, or distances."""
        block, lane = np.divmod(places, LANES)
        held = self.blocks
        if asked.kind == LIKELIHOOD:
            return log_likelihood(code, held.mean[block, :, lane], held.std[block, :, lane], asked.tau)
        points = held.mean if asked.method == "mean" else held.code
        return distance(code, points[block, :, lane], asked.metric)

    def max_constant(self, asked: Scoring) -> float:
        """The largest constant of any product's likelihood, without its sign; 0 for distances."""
        return self._likelihood_terms(asked.tau).largest if asked.kind == LIKELIHOOD else 0.0

    def unscorable(self, asked: Scoring, places: Slots) -> Slots:
        """Which of some places float32 cannot score: where they are among `places`."""
        if asked.kind != LIKELIHOOD:
            return np.empty(0, np.intp)
        steep = self._likelihood_terms(asked.tau)
        if bool((steep.most < ALWAYS_CANDIDATE).all()):
            return np.empty(0, np.intp)
        return np.flatnonzero(~(steep.constant.reshape(-1)[places] < ALWAYS_CANDIDATE))

    def _kernel_arrays(self, asked: Scoring) -> tuple[Any, Any, Any, tuple[Any, Any, Any, Any]]:
        """What kernels ask for: points, weights, constants, and the boxes."""
        held = self.blocks
        if asked.kind == LIKELIHOOD:
            steep = self._likelihood_terms(asked.tau)
            return held.mean, steep.weight, steep.constant, (*held.mean_box, steep.least, steep.most)
        points, box = (held.mean, held.mean_box) if asked.method == "mean" else (held.code, held.code_box)
        return points, _UNUSED, _UNUSED[0], (*box, _UNUSED[0], _UNUSED[0, 0])

    def _likelihood_terms(self, tau: float) -> LikelihoodTerms:
        """For a τ, derived when first asked for; the last few are kept."""
        with self._lock:
            found = self._terms_by_tau.pop(tau, None)
            if found is None:
                found = self.blocks.likelihood_terms_for(tau)
                while len(self._terms_by_tau) >= MAX_CACHED_TAUS:
                    del self._terms_by_tau[next(iter(self._terms_by_tau))]
            self._terms_by_tau[tau] = found  # last: the most recently used
            return found


def distance(code: Floats, points: Floats, metric: str) -> NDArray[np.float64]:
    """The distance of a code `(n,)` to points `(N, n)`, float64 `(N,)`; metric "euclidean" or "manhattan"."""
    gaps = points.astype(np.float64) - code
    if metric == "euclidean":
        return np.sqrt(np.square(gaps).sum(axis=1))
    return np.abs(gaps).sum(axis=1)


def _clear_pools() -> None:
    """A child that was forked has the pools, and none of their threads."""
    _thread_pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_clear_pools)


@cache
def _thread_pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="scan")
