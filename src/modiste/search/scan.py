"""Float32 scans with a bound on their error, which select the candidates for exact search.

The bound makes a float32 scan exact. A gap z − μ of two float32 numbers is correct to one rounding, and so is each term
w (z − μ)²: nothing cancels. A sum of d such terms of one sign, in any order, has a relative error of at most γ = d·u /
(1 − d·u), u = 2⁻²⁴ (Higham, Accuracy and Stability, section 3.1). So the exact score of the worst of the best few
products gives a threshold: no product below it can be among the best, and every product above it is scored in float64.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from modiste.choices import Method, Metric
from modiste.latent.likelihood import log_likelihood
from modiste.search.blocks import Blocks, LikelihoodTerms
from modiste.search.constants import ALWAYS_CANDIDATE, EUCLIDEAN, LANES, LIKELIHOOD, MANHATTAN

METHODS: tuple[Method, ...] = get_args(Method)
METRICS: tuple[Metric, ...] = get_args(Metric)
Floats = NDArray[np.float32]
Slots = NDArray[np.intp]
Mask = NDArray[np.bool_]

UNIT_ROUNDOFF = 2.0**-24
MAX_FLOAT32_CODE = 1e4  # codes with larger entries are scored in float64 only
MAX_FLOAT32_NEARNESS = 1e37  # larger nearness is not computed in float32
MAX_CACHED_TAUS = 3
BLOCKS_PER_THREAD = 512  # with fewer, another thread does not pay
NO_MASK: Mask = np.ones((0, LANES), np.bool_)
_UNUSED: Floats = np.empty((1, 1, LANES), np.float32)  # passed in place of arrays that only likelihoods have


@dataclass(frozen=True, slots=True)
class Scoring:
    """Scoring of products: a method, a metric for distances, and τ for the likelihood."""

    method: str
    metric: str
    tau: float

    @property
    def kind(self) -> int:
        """The kernels' constant for it."""
        if self.method == "likelihood":
            return LIKELIHOOD
        return EUCLIDEAN if self.metric == "euclidean" else MANHATTAN

    def nearness(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert scores to nearness: higher is nearer, and a Euclidean distance is squared."""
        if self.kind == LIKELIHOOD:
            return scores
        return -np.square(scores) if self.kind == EUCLIDEAN else -scores

    def threshold(self, score: float, n: int, largest: float) -> float:
        """Return the smallest float32 nearness of products that score `score` or better.

        `n` is the number of latents, and `largest` bounds the likelihood's |constant|.
        """
        relative_error = 2.0 * (n + 8) * UNIT_ROUNDOFF
        near = float(self.nearness(np.float64(score)))  # type: ignore[arg-type]
        size = 2.0 * largest - near if self.kind == LIKELIHOOD else -near
        # The square of a root may be above the square, so allow a little more.
        return near - relative_error * size - 1e-12 * abs(near) - 1e-30

    def upper_bound(self, estimate: Floats, n: int, largest: float) -> NDArray[np.float64]:
        """Return the largest possible float64 nearness for float32 estimates `(m,)`; see `threshold`."""
        near = estimate.astype(np.float64)
        size = 2.0 * largest - near if self.kind == LIKELIHOOD else -near
        bound = near + 4.0 * (n + 8) * UNIT_ROUNDOFF * np.abs(size) + 1e-12 * np.abs(near) + 1e-30
        return np.where(near > -MAX_FLOAT32_NEARNESS, bound, np.inf)


@dataclass(frozen=True, eq=False, slots=True)
class BlockRange:
    """The blocks from `first` to `last`, and of their slots those `allowed`, a mask `(B, LANES)`; None for all."""

    first: int
    last: int
    allowed: Mask | None = None

    @property
    def kernel_mask(self) -> Mask:
        """The mask to pass to kernels."""
        return NO_MASK if self.allowed is None else self.allowed


class BlockScanner:
    """Scans of the products in blocks. A slot is a product's number in the layout: block · LANES + lane."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self._terms_by_tau: dict[float, LikelihoodTerms] = {}
        self._lock = Lock()

    def rows_in_slots(self, slots: Slots) -> Slots:
        """Return the rows of the products in some slots."""
        return self.blocks.rows.reshape(-1)[slots].astype(np.intp)

    def scan(
        self, scoring: Scoring, codes: Floats, blocks: BlockRange, count: int, threads: int
    ) -> tuple[Slots, Floats]:
        """Return, for each code, the slots of the nearest products, `(b, ≥ count)`, −1 for none, and a bound, `(b,)`.

        No other product in the blocks has a greater float32 nearness than the bound.
        """
        from modiste.search import kernels

        arrays = self._kernel_arrays(scoring)
        values = np.empty((len(codes), count), np.float32)
        slots = np.empty((len(codes), count), np.int64)

        def scan_part(part: slice, first: int, last: int, part_values: Floats, part_slots: Slots) -> None:
            target = self.blocks.rows, blocks.kernel_mask, codes[part], first, last, part_values, part_slots
            kernels.scan_blocks(scoring.kind, *arrays, *target)

        size = blocks.last - blocks.first
        shares = min(threads, max(1, len(codes) * size // BLOCKS_PER_THREAD))
        if shares == 1:
            scan_part(slice(None), blocks.first, blocks.last, values, slots)
            return slots, values[:, 0]
        if len(codes) >= 2 * shares:  # split the codes between the threads
            edges = np.linspace(0, len(codes), shares + 1).astype(int).tolist()
            parts = [slice(*pair) for pair in pairwise(edges)]
            jobs = [(part, blocks.first, blocks.last, values[part], slots[part]) for part in parts]
            list(_thread_pool(shares).map(lambda job: scan_part(*job), jobs))
            return slots, values[:, 0]
        edges = np.linspace(blocks.first, blocks.last, shares + 1).astype(int).tolist()
        all_values = [np.empty_like(values) for _ in range(shares)]
        all_slots = [np.empty_like(slots) for _ in range(shares)]
        jobs = [(slice(None), *pair, all_values[i], all_slots[i]) for i, pair in enumerate(pairwise(edges))]
        list(_thread_pool(shares).map(lambda job: scan_part(*job), jobs))
        return np.concatenate(all_slots, axis=1), np.max([part[:, 0] for part in all_values], axis=0)

    def gather(self, scoring: Scoring, code: Floats, blocks: BlockRange, threshold: np.float32) -> Slots:
        """Return the slots of all products with at least this float32 nearness to a code `(n,)`."""
        from modiste.search import kernels

        slots = np.empty((blocks.last - blocks.first) * LANES, np.int64)
        count = kernels.gather_above(
            scoring.kind,
            *self._kernel_arrays(scoring),
            self.blocks.rows,
            blocks.kernel_mask,
            code,
            blocks.first,
            blocks.last,
            threshold,
            slots,
        )
        return slots[:count]

    def slots_in(self, blocks: BlockRange) -> Slots:
        """Return the slots of all products in a range of blocks."""
        used = self.blocks.rows[blocks.first : blocks.last] >= 0
        if blocks.allowed is not None:
            used &= blocks.allowed[blocks.first : blocks.last]
        return np.flatnonzero(used) + blocks.first * LANES

    def estimate(self, scoring: Scoring, codes: Floats, first: int, last: int) -> Floats:
        """Return the float32 nearness of codes `(b, n)` to all slots of some blocks, `(b, blocks · LANES)`."""
        from modiste.search import kernels

        points, weight, constant, _ = self._kernel_arrays(scoring)
        nearness = np.empty((len(codes), (last - first) * LANES), np.float32)
        kernels.estimate_blocks(scoring.kind, points, weight, constant, codes, first, last, nearness)
        return nearness

    def scores(self, scoring: Scoring, code: Floats, slots: Slots) -> NDArray[np.float64]:
        """Return the float64 scores of some slots for a code `(n,)`: log likelihoods, or distances."""
        block, lane = np.divmod(slots, LANES)
        blocks = self.blocks
        if scoring.kind == LIKELIHOOD:
            return log_likelihood(code, blocks.mean[block, :, lane], blocks.std[block, :, lane], scoring.tau)
        points = blocks.mean if scoring.method == "mean" else blocks.code
        return distance(code, points[block, :, lane], scoring.metric)

    def max_constant(self, scoring: Scoring) -> float:
        """Return the largest |constant| of any product's likelihood; 0 for distances."""
        return self._likelihood_terms(scoring.tau).largest if scoring.kind == LIKELIHOOD else 0.0

    def unscorable(self, scoring: Scoring, slots: Slots) -> Slots:
        """Return the positions in `slots` of the products that float32 cannot score."""
        if scoring.kind != LIKELIHOOD:
            return np.empty(0, np.intp)
        terms = self._likelihood_terms(scoring.tau)
        if bool((terms.most < ALWAYS_CANDIDATE).all()):
            return np.empty(0, np.intp)
        return np.flatnonzero(~(terms.constant.reshape(-1)[slots] < ALWAYS_CANDIDATE))

    def _kernel_arrays(self, scoring: Scoring) -> tuple[Any, Any, Any, tuple[Any, Any, Any, Any]]:
        """Return the kernels' arguments: points, weights, constants, and the boxes."""
        blocks = self.blocks
        if scoring.kind == LIKELIHOOD:
            terms = self._likelihood_terms(scoring.tau)
            return blocks.mean, terms.weight, terms.constant, (*blocks.mean_box, terms.least, terms.most)
        is_mean = scoring.method == "mean"
        points, box = (blocks.mean, blocks.mean_box) if is_mean else (blocks.code, blocks.code_box)
        return points, _UNUSED, _UNUSED[0], (*box, _UNUSED[0], _UNUSED[0, 0])

    def _likelihood_terms(self, tau: float) -> LikelihoodTerms:
        """Return the terms for a τ, derived at its first use; the last few are cached."""
        with self._lock:
            terms = self._terms_by_tau.pop(tau, None)
            if terms is None:
                terms = self.blocks.likelihood_terms_for(tau)
                while len(self._terms_by_tau) >= MAX_CACHED_TAUS:
                    del self._terms_by_tau[next(iter(self._terms_by_tau))]
            self._terms_by_tau[tau] = terms  # last, because it is the most recently used
            return terms


def distance(code: Floats, points: Floats, metric: str) -> NDArray[np.float64]:
    """Return the distance of a code `(n,)` to points `(N, n)`, float64 `(N,)`; "euclidean" or "manhattan"."""
    gaps = points.astype(np.float64) - code
    if metric == "euclidean":
        return np.sqrt(np.square(gaps).sum(axis=1))
    return np.abs(gaps).sum(axis=1)


def _clear_pools() -> None:
    """Forget the thread pools in a forked child, where their threads do not exist."""
    _thread_pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_clear_pools)


@cache
def _thread_pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="scan")
