"""Parts: products in one or more layouts, and the k nearest of them, proven by float64."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadOption
from modiste.search.blocks import Blocks, ProductVectors
from modiste.search.constants import LANES
from modiste.search.scan import (
    MAX_FLOAT32_CODE,
    MAX_FLOAT32_NEARNESS,
    BlockRange,
    BlockScanner,
    Scoring,
)

EXTRA_CANDIDATES = 24  # candidates beyond k in the first look: seldom is a second needed
FRESH = 4096  # products changed since the last layout, at which all are laid out anew; or an eighth, if that is more
MAX_COLD_SCORES = 200_000  # products times codes that are scored without a scan before the kernels are loaded
KERNELS_MODULE = "modiste.search.kernels"
MAX_UNSCANNED_PRODUCTS = 1024  # products that are scored one by one, without a scan

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Nearest = tuple[Rows, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Products to look among, `size` of them: in each part a scope, or the places themselves where they are few."""

    size: int
    ranges: Sequence[BlockRange] = ()
    slots: Sequence[Rows] = ()


class ExactSearch:
    """The layouts of an index. Rows, `count` of them, are numbered over all parts; each is in one at most."""

    def __init__(self, parts: Sequence[BlockScanner], count: int, threads: int) -> None:
        self.parts = list(parts)
        self.count = count
        self.threads = threads
        self.size = sum(int((part.rows >= 0).sum()) for part in self.parts)

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """Which rows are there, `(count,)`."""
        live = np.zeros(self.count, np.bool_)
        for part in self.parts:
            live[part.rows[part.rows >= 0]] = True
        return live

    def whole(self) -> Blocks | None:
        """All products in one layout; None where some rows are not there any more."""
        first = self.parts[0]
        if len(self.parts) == 1 and first.rows is first.blocks.rows:
            return first.blocks
        if self.size < self.count:
            return None
        held = [part.products() for part in self.parts]
        return Blocks.build(
            held[0].and_(*held[1:]), len(first.blocks.starts) - 1, first.blocks.likelihood_terms.tau
        )

    def all_candidates(self) -> Candidates:
        """All products."""
        return Candidates(self.size, [BlockRange(0, len(part.rows)) for part in self.parts])

    def cluster_candidates(self, cluster: int) -> Candidates:
        """The products of a cluster. Raises BadOption."""
        clusters = max(len(part.blocks.starts) - 1 for part in self.parts)
        if not 0 <= cluster < clusters:
            raise BadOption(f"There is no cluster {cluster}.", remedy=f"Give one from 0 to {clusters - 1}.")
        starts = [part.blocks.starts for part in self.parts]
        scopes = [
            BlockRange(int(each[cluster]), int(each[cluster + 1]))
            if cluster < len(each) - 1
            else BlockRange(0, 0)
            for each in starts
        ]
        pairs = zip(self.parts, scopes, strict=True)
        size = sum(int((part.rows[scope.first : scope.last] >= 0).sum()) for part, scope in pairs)
        return Candidates(size, scopes)

    def row_candidates(self, rows: Rows) -> Candidates:
        """The products in some rows; those that are not there any more are left out."""
        placed = self.slots_of_rows(rows)
        size = sum(map(len, placed))
        if size <= MAX_UNSCANNED_PRODUCTS:
            return Candidates(size, slots=placed)
        return Candidates(
            size, [_masked_range(part, places) for part, places in zip(self.parts, placed, strict=True)]
        )

    def mask_candidates(self, mask: NDArray[np.bool_]) -> Candidates:
        """The products whose rows a mask `(count,)` has; those that are not there any more are left out."""
        allowed = [mask[part.rows.clip(0)] & (part.rows >= 0) for part in self.parts]
        size = sum(int(each.sum()) for each in allowed)
        if size <= MAX_UNSCANNED_PRODUCTS:
            return Candidates(size, slots=[np.flatnonzero(each) for each in allowed])
        return Candidates(size, [BlockRange(0, len(each), each) for each in allowed])

    def slots_of_rows(self, rows: Rows) -> list[Rows]:
        """Where rows lie: each part's places in order, each once."""
        held = [np.unique(place[rows]) for place in self._slot_of_row]
        return [places[places >= 0] for places in held]

    @cached_property
    def _slot_of_row(self) -> list[Rows]:
        """For each part row to place, `(count,)`; −1 where a row is not in it."""
        found: list[Rows] = []
        for part in self.parts:
            flat = part.rows.reshape(-1)
            there = np.flatnonzero(flat >= 0)
            places = np.full(self.count, -1, np.intp)
            places[flat[there]] = there
            found.append(places)
        return found

    def changed(self, fresh: ProductVectors, gone: Rows, count: int) -> ExactSearch:
        """Other parts, without the products of rows `gone`, with `fresh` ones; rows are numbered up to `count`.

        What differs lies in a layout of its own beside the first, which is shared; once it is much, all is laid out
        anew.
        """
        base, *tails = (part.without_rows(gone) for part in self.parts)
        clusters = len(base.blocks.starts) - 1
        fresh = fresh.and_(*(part.products() for part in tails))
        if len(fresh) > max(FRESH, count // 8):
            blocks = Blocks.build(fresh.and_(base.products()), clusters, base.blocks.likelihood_terms.tau)
            return ExactSearch([BlockScanner(blocks)], count, self.threads)
        added = (
            [BlockScanner(Blocks.build(fresh, clusters, base.blocks.likelihood_terms.tau))]
            if len(fresh)
            else []
        )
        return ExactSearch([base, *added], count, self.threads)

    def nearest(self, codes: Floats, k: int, asked: Scoring, among: Candidates) -> Nearest:
        """Rows and scores of the k best, `(b, k)` each; `k` is at most the size of `among`."""
        found, scores = np.empty((len(codes), k), np.intp), np.empty((len(codes), k))
        if len(codes) == 0:
            return found, scores
        every = among.slots
        far = np.abs(codes).max(initial=0.0) > MAX_FLOAT32_CODE
        # Loading the kernels takes longer than some few answers without them.
        cold = KERNELS_MODULE not in sys.modules and len(codes) * among.size <= MAX_COLD_SCORES
        if not every and (cold or far or 4 * k >= among.size):
            every = self._all_slots(among)
        if every:
            for i, code in enumerate(codes):
                found[i], scores[i] = self._best_of(every, code, k, asked)
            return found, scores
        count = min(k + EXTRA_CANDIDATES, among.size)
        looked = [
            part.scan(asked, codes, scope, count, self.threads)
            for part, scope in zip(self.parts, among.ranges, strict=True)
        ]
        for i, code in enumerate(codes):
            kept = [places[i][places[i] >= 0] for places, _ in looked]
            reached = max(float(nearness[i]) for _, nearness in looked)
            found[i], scores[i] = self._prove_best(kept, reached, code, k, asked, among)
        return found, scores

    def _prove_best(
        self, kept: list[Rows], reached: float, code: Floats, k: int, asked: Scoring, among: Candidates
    ) -> Nearest:
        """The k best: of those kept, where nothing else, at most `reached` near, can be among them."""
        if sum(map(len, kept)) >= k:
            rows, scores = self._best_of(kept, code, k, asked)
            largest = max(part.max_constant(asked) for part in self.parts)
            mark = asked.threshold(float(scores[-1]), len(code), largest)
            if mark > reached and mark > -MAX_FLOAT32_NEARNESS:
                return rows, scores
            if mark > -MAX_FLOAT32_NEARNESS:
                lower = np.nextafter(np.float32(mark), np.float32(-np.inf))
                pairs = zip(self.parts, among.ranges, strict=True)
                again = [part.gather(asked, code, scope, lower) for part, scope in pairs]
                return self._best_of(again, code, k, asked)
        return self._best_of(self._all_slots(among), code, k, asked)

    def _all_slots(self, among: Candidates) -> list[Rows]:
        return [part.slots_in(scope) for part, scope in zip(self.parts, among.ranges, strict=True)]

    def _best_of(self, placed: Sequence[Rows], code: Floats, k: int, asked: Scoring) -> Nearest:
        """The k best of some places, scored in float64; ties in the order of the rows."""
        pairs = list(zip(self.parts, placed, strict=True))
        scores = np.concatenate([part.scores(asked, code, places) for part, places in pairs])
        rows = np.concatenate([part.rows_in_slots(places) for part, places in pairs])
        order = np.lexsort((rows, -scores if asked.method == "likelihood" else scores))[:k]
        return rows[order], scores[order]


def _masked_range(part: BlockScanner, places: Rows) -> BlockRange:
    """The scope of some places: from the first's block to the last's."""
    if len(places) == 0:
        return BlockRange(0, 0)
    allowed = np.zeros(part.rows.shape, np.bool_)
    allowed.reshape(-1)[places] = True
    return BlockRange(int(places[0]) // LANES, int(places[-1]) // LANES + 1, allowed)


def select_candidates(
    parts: ExactSearch,
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
        return [(np.flatnonzero(own == j), parts.cluster_candidates(int(j))) for j in np.unique(own)]
    if rows is None:
        return [(everyone, parts.all_candidates())]
    try:
        chosen = np.asarray(rows)
    except ValueError:
        chosen = np.array([], object)
    if chosen.dtype == bool and chosen.shape == (parts.count,):
        return [(everyone, parts.mask_candidates(chosen))]
    sound = chosen.ndim == 1 and (chosen.dtype.kind in "iu" or (chosen.size == 0 and chosen.dtype != object))
    if not sound or (chosen.size and not (chosen.min() >= 0 and chosen.max() < parts.count)):
        raise BadOption(
            f"The rows {chosen.dtype} of shape {chosen.shape} do not name products.",
            remedy=f"Give row numbers from 0 to {parts.count - 1}, or a mask of {parts.count}.",
        )
    return [(everyone, parts.row_candidates(chosen.astype(np.intp)))]
