"""Exact search: candidates, re-ranking in float64, and the proof that no better product was missed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadOption
from modiste.search.constants import LANES
from modiste.search.scan import MAX_FLOAT32_CODE, MAX_FLOAT32_NEARNESS, BlockRange, BlockScanner, Scoring

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

    def nearest(self, codes: Floats, k: int, scoring: Scoring, candidates: Candidates) -> Nearest:
        """Return rows and scores of the k best, `(b, k)` each; `k` is at most `candidates.size`."""
        rows, scores = np.empty((len(codes), k), np.intp), np.empty((len(codes), k))
        if len(codes) == 0:
            return rows, scores
        slots = candidates.slots
        is_out_of_range = np.abs(codes).max(initial=0.0) > MAX_FLOAT32_CODE
        # Loading the kernels takes longer than a few queries without them.
        is_cold = KERNELS_MODULE not in sys.modules and len(codes) * candidates.size <= MAX_COLD_SCORES
        if slots is None and (is_cold or is_out_of_range or 4 * k >= candidates.size):
            slots = self.scanner.slots_in(candidates.range)
        if slots is not None:
            for i, code in enumerate(codes):
                rows[i], scores[i] = self._best_of(slots, code, k, scoring)
            return rows, scores
        count = min(k + EXTRA_CANDIDATES, candidates.size)
        best, bounds = self.scanner.scan(scoring, codes, candidates.range, count, self.threads)
        for i, code in enumerate(codes):
            scanned = best[i][best[i] >= 0]
            rows[i], scores[i] = self._prove_best(scanned, float(bounds[i]), code, k, scoring, candidates)
        return rows, scores

    def _prove_best(
        self, slots: Rows, bound: float, code: Floats, k: int, scoring: Scoring, candidates: Candidates
    ) -> Nearest:
        """Return the k best: of the scanned `slots`, if no other product, at most `bound` near, can be one of them."""
        if len(slots) >= k:
            rows, scores = self._best_of(slots, code, k, scoring)
            threshold = scoring.threshold(float(scores[-1]), len(code), self.scanner.max_constant(scoring))
            if threshold > bound and threshold > -MAX_FLOAT32_NEARNESS:
                return rows, scores
            if threshold > -MAX_FLOAT32_NEARNESS:
                lower = np.nextafter(np.float32(threshold), np.float32(-np.inf))
                return self._best_of(self.scanner.gather(scoring, code, candidates.range, lower), code, k, scoring)
        return self._best_of(self.scanner.slots_in(candidates.range), code, k, scoring)

    def _best_of(self, slots: Rows, code: Floats, k: int, scoring: Scoring) -> Nearest:
        """Return the k best of some slots, scored in float64; ties in the order of the rows."""
        scores, rows = self.scanner.scores(scoring, code, slots), self.scanner.rows_in_slots(slots)
        order = np.lexsort((rows, -scores if scoring.method == "likelihood" else scores))[:k]
        return rows[order], scores[order]


def select_candidates(
    search: ExactSearch, has_clusters: bool, b: int, rows: ArrayLike | None, cluster: int | NDArray[np.intp] | None
) -> list[tuple[Rows, Candidates]]:
    """Return the candidates for each part of a batch of `b` codes: all products, some rows, or each code's cluster.

    Returns:
        Pairs of positions in the batch and their candidates.

    Raises:
        BadOption: invalid rows, an unknown cluster, a cluster although the index has none, or rows and a cluster.
    """
    batch = np.arange(b)
    if cluster is not None:
        if rows is not None:
            raise BadOption("rows and cluster cannot be used together.", remedy="Give either rows or a cluster.")
        if not has_clusters:
            raise BadOption("This index has no clusters.", remedy="Give clusters when making the index.")
        clusters = np.asarray(cluster)
        if clusters.dtype.kind not in "iu" or clusters.shape not in ((), (b,)):
            raise BadOption(f"{cluster!r} is not a cluster.", remedy="Give a number, or one number for each code.")
        clusters = np.broadcast_to(clusters, (b,))
        return [
            (np.flatnonzero(clusters == number), search.cluster_candidates(int(number)))
            for number in np.unique(clusters)
        ]
    if rows is None:
        return [(batch, search.all_candidates())]
    try:
        array = np.asarray(rows)
    except ValueError:
        array = np.array([], object)
    if array.dtype == bool and array.shape == (search.count,):
        return [(batch, search.mask_candidates(array))]
    is_numbers = array.ndim == 1 and (array.dtype.kind in "iu" or (array.size == 0 and array.dtype != object))
    if not is_numbers or (array.size and not (array.min() >= 0 and array.max() < search.count)):
        raise BadOption(
            f"The rows {array.dtype} of shape {array.shape} are not row numbers of products.",
            remedy=f"Give row numbers from 0 to {search.count - 1}, or a mask of {search.count}.",
        )
    return [(batch, search.row_candidates(array.astype(np.intp)))]
