"""Looks: what is asked of products, and a shelf of them that answers; all of a shop's, or those of one shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modiste.search.index import LatentIndex
from modiste.search.sharding import merge_top_k
from modiste.shop.filters import Filter
from modiste.shop.hubness import HubPenalty
from modiste.shop.products import Products

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Scores = NDArray[np.float64]
HitFields = Literal["words", "places", "scores"]
NO_POSITION = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One look: the `k` products nearest to a code `(n,)`, fewer where there are fewer.

    Of those in a `cluster`, of a `category`, and of what a filter lets through; None is no bound. `less_of` is a
    cluster from whose designs crowding is measured, which is taken off: only together with `cluster`. `wanted` says
    what to tell of each product beside its id and score: its words, its place on the map, or nothing.
    """

    code: NDArray[np.float32]
    k: int
    method: str
    metric: str
    tau: float
    cluster: int | None = None
    category: str | None = None
    where: Filter | None = None
    source_cluster: int | None = None
    fields: HitFields = "words"


class Hit(NamedTuple):
    """A product that was found; `rank` is what it is ordered by, lower first, then its id. `attributes` is JSON."""

    rank: float
    id: str
    score: float
    category: str = ""
    cluster: int = 0
    attributes_json: str = "{}"
    position: tuple[float, float] = NO_POSITION


SearchFn = Callable[[Sequence[Query]], list[list[Hit]]]
"""What answers looks: for each its hits, best first."""
FallbackFn = Callable[[Sequence[Query]], list[list[Hit]] | None]
"""What answers looks of a shop for it, or None where it cannot."""


def merge_hits(answers: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """One look's hits, of what several shards answered it."""
    return merge_top_k(answers, k, lambda hit: (hit.rank, hit.id))


class LocalBackend:
    """Some products, that can be looked among."""

    def __init__(
        self,
        catalogue: Products,
        index: LatentIndex,
        assignments: Rows,
        hub_penalty: HubPenalty,
        positions: Callable[[], NDArray[np.float32]],
    ) -> None:
        """Of `N` products, in the order of their ids: clusters `assignments` `(N,)`; `places` `(N, 2)` when needed."""
        self._catalogue = catalogue
        self._index = index
        self._assignments = assignments
        self._hub_penalty = hub_penalty
        self._positions = positions
        self._category_numbers = {
            name: number for number, name in enumerate(dict.fromkeys(catalogue.categories))
        }
        self._category_by_row = np.array(
            [self._category_numbers[name] for name in catalogue.categories], np.int32
        )
        self._cluster_sizes = np.bincount(assignments)

    def __len__(self) -> int:
        return len(self._catalogue)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""
        return self._index.code(self._catalogue.row(product_id))

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """For each look its hits, best first. Raises BadOption where a filter asks for what there is not."""
        masks: dict[int, Mask] = {}
        for look in queries:
            if look.where and id(look.where) not in masks:
                masks[id(look.where)] = self._catalogue.columns.mask(look.where)
        return [self._search_one(look, masks.get(id(look.where))) for look in queries]

    def hits(self, rows: Rows, scores: Scores, ranks: Scores, fields: HitFields = "words") -> list[Hit]:
        """Products in some rows, as found with these scores."""
        held, given = self._catalogue, zip(rows.tolist(), scores.tolist(), ranks.tolist(), strict=True)
        if fields == "scores":
            return [Hit(rank, held.ids[row], score) for row, score, rank in given]
        if fields == "places":
            places = self._positions()
            return [
                Hit(rank, held.ids[row], score, position=tuple(places[row].tolist()))
                for row, score, rank in given
            ]
        return [
            Hit(
                rank,
                held.ids[row],
                score,
                held.categories[row],
                int(self._assignments[row]),
                held.attributes_json(row),
            )
            for row, score, rank in given
        ]

    def _search_one(self, query: Query, mask: Mask | None) -> list[Hit]:
        if query.category is not None:
            fits = self._category_by_row == self._category_numbers.get(query.category, -1)
            mask = fits if mask is None else mask & fits
        if query.source_cluster is not None and query.cluster is not None:
            return self._search_penalized(query, query.cluster, query.source_cluster, mask)
        if mask is not None and query.cluster is not None:
            mask = mask & (self._assignments == query.cluster)
        if mask is not None:
            among, scope = int(mask.sum()), None
        else:
            among, scope = self._cluster_size(query.cluster), query.cluster
        wanted = min(query.k, among)
        if wanted == 0:
            return []
        found, scores = self._index.nearest(
            query.code,
            wanted,
            method=query.method,
            metric=query.metric,
            tau=query.tau,
            rows=None if among == len(self._catalogue) else mask,
            cluster=scope,
        )
        return self.hits(found, scores, -scores if query.method == "likelihood" else scores, query.fields)

    def _cluster_size(self, cluster: int | None) -> int:
        if cluster is None:
            return len(self._catalogue)
        return int(self._cluster_sizes[cluster]) if cluster < len(self._cluster_sizes) else 0

    def _search_penalized(self, query: Query, cluster: int, source: int, mask: Mask | None) -> list[Hit]:
        fits = self._assignments == cluster
        rows = np.flatnonzero(fits if mask is None else fits & mask)
        wanted = min(query.k, len(rows))
        if wanted == 0:
            return []
        less = self._hub_penalty.penalty(source, cluster, query.method, query.metric, query.tau)
        given = (query.code, wanted, less, query.method, query.metric, query.tau, rows)
        found, scores, ranked = self._index.nearest_penalized(*given)
        return self.hits(found, scores, -ranked, query.fields)
