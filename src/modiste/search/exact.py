"""Exact search: the k nearest products of one block layout, proven in float64."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadOption
from modiste.search.constants import LANES
from modiste.search.scan import (
    MAX_FLOAT32_CODE,
    MAX_FLOAT32_NEARNESS,
    BlockRange,
    BlockScanner,
    Scoring,
)

EXTRA_CANDIDATES = 24  # candidates beyond k in the first scan: a second scan is seldom needed
MAX_COLD_SCORES = 200_000  # products times codes that are scored without a scan before the kernels are loaded
KERNELS_MODULE = "modiste.search.kernels"
MAX_UNSCANNED_PRODUCTS = 1024  # products that are scored one by one, without a scan

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Nearest = tuple[Rows, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Products to search among, `size` of them: a range of blocks, or, where they are few, their slots."""

    size: int
    range: BlockRange
    slots: Rows | None = None


class ExactSearch:
    """The search in a block layout of the products in rows 0 to `count` − 1."""

    def __init__(self, scanner: BlockScanner, count: int, threads: int) -> None:
        self.scanner = scanner
        self.count = count
        self.threads = threads

    def all_candidates(self) -> Candidates:
        """Return all products."""
        return Candidates(self.count, BlockRange(0, len(self.scanner.blocks.rows)))

    def cluster_candidates(self, cluster: int) -> Candidates:
        """Return the products of a cluster. Raises BadOption."""
        starts = self.scanner.blocks.starts
        clusters = len(starts) - 1
        if not 0 <= cluster < clusters:
            raise BadOption(f"There is no cluster {cluster}.", remedy=f"Give one from 0 to {clusters - 1}.")
        first, last = int(starts[cluster]), int(starts[cluster + 1])
        size = int((self.scanner.blocks.rows[first:last] >= 0).sum())
        return Candidates(size, BlockRange(first, last))

    def row_candidates(self, rows: Rows) -> Candidates:
        """Return the products in some rows."""
        slots = self.slots_of_rows(rows)
        if len(slots) <= MAX_UNSCANNED_PRODUCTS:
            return Candidates(len(slots), BlockRange(0, 0), slots)
        allowed = np.zeros(self.scanner.blocks.rows.shape, np.bool_)
        allowed.reshape(-1)[slots] = True
        first, last = int(slots[0]) // LANES, int(slots[-1]) // LANES + 1
        return Candidates(len(slots), BlockRange(first, last, allowed))

    def mask_candidates(self, mask: NDArray[np.bool_]) -> Candidates:
        """Return the products whose rows a mask `(count,)` has."""
        rows = self.scanner.blocks.rows
        allowed = mask[rows.clip(0)] & (rows >= 0)
        size = int(allowed.sum())
        slots = np.flatnonzero(allowed) if size <= MAX_UNSCANNED_PRODUCTS else None
        return Candidates(size, BlockRange(0, len(allowed), allowed), slots)

    def slots_of_rows(self, rows: Rows) -> Rows:
        """Return the slots of rows, in order, each once."""
        return np.unique(self._slot_of_row[rows])

    @cached_property
    def _slot_of_row(self) -> Rows:
        """The slot of each row, `(count,)`."""
        rows = self.scanner.blocks.rows.reshape(-1)
        used = np.flatnonzero(rows >= 0)
        slots = np.empty(self.count, np.intp)
        slots[rows[used]] = used
        return slots

    def nearest(self, codes: Floats, k: int, scoring: Scoring, among: Candidates) -> Nearest:
        """Return rows and scores of the k best, `(b, k)` each; `k` is at most the size of `among`."""
        rows, scores = np.empty((len(codes), k), np.intp), np.empty((len(codes), k))
        if len(codes) == 0:
            return rows, scores
        every = among.slots
        far = np.abs(codes).max(initial=0.0) > MAX_FLOAT32_CODE
        # Loading the kernels takes longer than a few answers without them.
        cold = KERNELS_MODULE not in sys.modules and len(codes) * among.size <= MAX_COLD_SCORES
        if every is None and (cold or far or 4 * k >= among.size):
            every = self.scanner.slots_in(among.range)
        if every is not None:
            for i, code in enumerate(codes):
                rows[i], scores[i] = self._best_of(every, code, k, scoring)
            return rows, scores
        count = min(k + EXTRA_CANDIDATES, among.size)
        slots, nearness = self.scanner.scan(scoring, codes, among.range, count, self.threads)
        for i, code in enumerate(codes):
            scanned = slots[i][slots[i] >= 0]
            rows[i], scores[i] = self._prove_best(scanned, float(nearness[i]), code, k, scoring, among)
        return rows, scores

    def _prove_best(
        self, slots: Rows, bound: float, code: Floats, k: int, scoring: Scoring, among: Candidates
    ) -> Nearest:
        """The k best: of the scanned `slots`, if no other product, at most `bound` near, can be among them."""
        if len(slots) >= k:
            rows, scores = self._best_of(slots, code, k, scoring)
            threshold = scoring.threshold(float(scores[-1]), len(code), self.scanner.max_constant(scoring))
            if threshold > bound and threshold > -MAX_FLOAT32_NEARNESS:
                return rows, scores
            if threshold > -MAX_FLOAT32_NEARNESS:
                lower = np.nextafter(np.float32(threshold), np.float32(-np.inf))
                return self._best_of(self.scanner.gather(scoring, code, among.range, lower), code, k, scoring)
        return self._best_of(self.scanner.slots_in(among.range), code, k, scoring)

    def _best_of(self, slots: Rows, code: Floats, k: int, scoring: Scoring) -> Nearest:
        """The k best of some slots, scored in float64; ties in the order of the rows."""
        scores, rows = self.scanner.scores(scoring, code, slots), self.scanner.rows_in_slots(slots)
        order = np.lexsort((rows, -scores if scoring.method == "likelihood" else scores))[:k]
        return rows[order], scores[order]


def select_candidates(
    search: ExactSearch,
    clustered: bool,
    b: int,
    rows: ArrayLike | None,
    cluster: int | NDArray[np.intp] | None,
) -> list[tuple[Rows, Candidates]]:
    """Which codes of a batch of `b` look among what: everyone, some rows, or each in its cluster.

    Raises:
        BadOption: rows that name no products, an unknown cluster, clusters of an index without any, or both.
    """
    everyone = np.arange(b)
    if cluster is not None:
        if rows is not None or not clustered:
            raise BadOption(
                "A cluster was asked for " + ("together with rows." if rows is not None else "of none."),
                remedy="Give either rows or a cluster, and clusters when making the index.",
            )
        own = np.asarray(cluster)
        if own.dtype.kind not in "iu" or own.shape not in ((), (b,)):
            raise BadOption(
                f"The cluster {cluster!r} is none.", remedy="Give a number, or one for each code."
            )
        own = np.broadcast_to(own, (b,))
        return [(np.flatnonzero(own == j), search.cluster_candidates(int(j))) for j in np.unique(own)]
    if rows is None:
        return [(everyone, search.all_candidates())]
    try:
        chosen = np.asarray(rows)
    except ValueError:
        chosen = np.array([], object)
    if chosen.dtype == bool and chosen.shape == (search.count,):
        return [(everyone, search.mask_candidates(chosen))]
    sound = chosen.ndim == 1 and (chosen.dtype.kind in "iu" or (chosen.size == 0 and chosen.dtype != object))
    if not sound or (chosen.size and not (chosen.min() >= 0 and chosen.max() < search.count)):
        raise BadOption(
            f"The rows {chosen.dtype} of shape {chosen.shape} do not name products.",
            remedy=f"Give row numbers from 0 to {search.count - 1}, or a mask of {search.count}.",
        )
    return [(everyone, search.row_candidates(chosen.astype(np.intp)))]
