"""Search backends: what finds the products nearest to a code, in this process or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

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
HitFields = Literal["details", "position", "score"]
NO_POSITION = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One search: the `k` products nearest to a code `(n,)`, or fewer if fewer match.

    `cluster`, `category` and the filter `where` restrict the products; None does not. With `source_cluster`, which
    needs `cluster`, the hub penalty of each product for designs of that cluster is subtracted. `fields` says what a hit
    holds beside id and score: the product's category, cluster and attributes, its position on the map, or nothing.
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
    fields: HitFields = "details"


class Hit(NamedTuple):
    """One product that a backend found. Hits are ordered by `rank`, lowest first, then by id."""

    rank: float
    id: str
    score: float
    category: str = ""
    cluster: int = 0
    attributes_json: str = "{}"
    position: tuple[float, float] = NO_POSITION


class SearchBackend(Protocol):
    """What a QueryEngine searches with."""

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Return the hits of each query, best first. Raises BadOption for a filter that does not fit the products."""
        ...

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""
        ...


def merge_hits(hits_by_shard: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Merge the hits of one query from several shards into the best `k`."""
    return merge_top_k(hits_by_shard, k, lambda hit: (hit.rank, hit.id))


class DeferredBackend:
    """A backend that opens the index with its first search, since a shop searched by shards needs none."""

    def __init__(
        self, open_backend: Callable[[], SearchBackend], code_of: Callable[[str], NDArray[np.float32]]
    ) -> None:
        """Create it; `open_backend` is called once, at the first search."""
        self._open_backend = open_backend
        self._code_of = code_of

    @cached_property
    def _backend(self) -> SearchBackend:
        return self._open_backend()

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Search; see SearchBackend."""
        return self._backend.search(queries)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the code of a product; see SearchBackend."""
        return self._code_of(product_id)


class LocalBackend:
    """Search in this process: of all products of a shop, or of those of one shard."""

    def __init__(
        self,
        catalogue: Products,
        index: LatentIndex,
        assignments: Rows,
        hub_penalty: HubPenalty,
        positions: Callable[[], NDArray[np.float32]],
    ) -> None:
        """Create it for `N` products, in the order of their ids; rows of the index are as in `catalogue`.

        `assignments` are their clusters, `(N,)`. `positions` returns their positions on the map, `(N, 2)`; it is called
        when a query asks for positions.
        """
        self._catalogue = catalogue
        self._index = index
        self._assignments = assignments
        self._hub_penalty = hub_penalty
        self._positions = positions
        self._category_numbers = {name: number for number, name in enumerate(dict.fromkeys(catalogue.categories))}
        self._category_by_row = np.array([self._category_numbers[name] for name in catalogue.categories], np.int32)
        self._cluster_sizes = np.bincount(assignments)

    def __len__(self) -> int:
        return len(self._catalogue)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the code of a product; see SearchBackend."""
        return self._index.code(self._catalogue.row(product_id))

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Search; see SearchBackend. Queries that share a filter object evaluate it once."""
        masks: dict[int, Mask] = {}
        for query in queries:
            if query.where and id(query.where) not in masks:
                masks[id(query.where)] = self._catalogue.columns.mask(query.where)
        return [self._search_one(query, masks.get(id(query.where))) for query in queries]

    def _search_one(self, query: Query, mask: Mask | None) -> list[Hit]:
        if query.category is not None:
            in_category = self._category_by_row == self._category_numbers.get(query.category, -1)
            mask = in_category if mask is None else mask & in_category
        if query.source_cluster is not None and query.cluster is not None:
            return self._search_penalized(query, query.cluster, query.source_cluster, mask)
        if mask is not None and query.cluster is not None:
            mask = mask & (self._assignments == query.cluster)
        if mask is not None:
            candidate_count, cluster = int(mask.sum()), None
        else:
            candidate_count, cluster = self._cluster_size(query.cluster), query.cluster
        k = min(query.k, candidate_count)
        if k == 0:
            return []
        rows, scores = self._index.nearest(
            query.code,
            k,
            method=query.method,
            metric=query.metric,
            tau=query.tau,
            rows=None if candidate_count == len(self._catalogue) else mask,
            cluster=cluster,
        )
        return self._hits(rows, scores, -scores if query.method == "likelihood" else scores, query.fields)

    def _cluster_size(self, cluster: int | None) -> int:
        if cluster is None:
            return len(self._catalogue)
        return int(self._cluster_sizes[cluster]) if cluster < len(self._cluster_sizes) else 0

    def _search_penalized(self, query: Query, cluster: int, source: int, mask: Mask | None) -> list[Hit]:
        in_cluster = self._assignments == cluster
        candidates = np.flatnonzero(in_cluster if mask is None else in_cluster & mask)
        k = min(query.k, len(candidates))
        if k == 0:
            return []
        method, metric, tau = query.method, query.metric, query.tau
        penalty = self._hub_penalty.penalty(source, cluster, method, metric, tau)
        rows, scores, nearness = self._index.nearest_penalized(query.code, k, penalty, method, metric, tau, candidates)
        return self._hits(rows, scores, -nearness, query.fields)

    def _hits(self, rows: Rows, scores: Scores, ranks: Scores, fields: HitFields) -> list[Hit]:
        catalogue = self._catalogue
        ranked = zip(rows.tolist(), scores.tolist(), ranks.tolist(), strict=True)
        if fields == "score":
            return [Hit(rank, catalogue.ids[row], score) for row, score, rank in ranked]
        if fields == "position":
            positions = self._positions()
            return [
                Hit(rank, catalogue.ids[row], score, position=tuple(positions[row].tolist()))
                for row, score, rank in ranked
            ]
        return [
            Hit(
                rank,
                catalogue.ids[row],
                score,
                catalogue.categories[row],
                int(self._assignments[row]),
                catalogue.attributes_json(row),
            )
            for row, score, rank in ranked
        ]
