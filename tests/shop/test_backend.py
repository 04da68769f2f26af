"""One backend and many shards give identical results: the same products in the same order, with equal scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modiste.latent.clusters import Clusters
from modiste.search.index import LatentIndex
from modiste.search.sharding import rows_by_shard
from modiste.shop.backend import Hit, LocalBackend, Query, SearchBackend, merge_hits
from modiste.shop.cluster_transfer import ClusterMoments, ClusterTransfer
from modiste.shop.filters import ColumnKind
from modiste.shop.hubness import HubPenalty
from modiste.shop.products import Products
from modiste.shop.query import QueryEngine
from modiste.shop.summary import CategoryCounts, ReferenceCodes, ShopSummary

SCORINGS = [
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
]
FILTERS = [None, {"colour": ["Red"]}, {"size": ["38"]}, {"price": {"min": 30}}, {"not": {"new": ["true"]}}]
K = 3


@dataclass(frozen=True)
class Catalogue:
    """Products with duplicates, which cause ties, and attributes of every kind, some of them rare."""

    ids: list[str]
    categories: list[str]
    attributes: list[str]
    mean: np.ndarray
    std: np.ndarray
    code: np.ndarray
    cluster: np.ndarray
    transfer: ClusterTransfer

    @classmethod
    def random(cls, rows: int, n: int, seed: int, spread: tuple[float, float]) -> Catalogue:
        random = np.random.default_rng(seed)
        kinds = random.integers(1, rows + 1)
        kind = random.integers(0, kinds, rows)  # products of one kind are equal
        mean = random.normal(0, 1.5, (kinds, n)).astype(np.float32)[kind]
        std = np.exp(random.uniform(*np.log(spread), (kinds, n))).astype(np.float32)[kind]
        code = mean + std * random.normal(size=n).astype(np.float32)
        cluster = random.integers(0, K, kinds)[kind]
        # A few sizes are words, the rest are numbers: a shard may have only numbers.
        sizes = [38 if random.random() < 0.9 else "one size" for _ in range(rows)]
        attributes = [
            {"colour": str(random.choice(["Red", "Blue"])), "size": size, "price": int(random.integers(9, 60))}
            | ({"new": bool(random.integers(2))} if random.random() < 0.5 else {})
            for size in sizes
        ]
        attributes[0] |= {"size": "one size", "new": True}
        clusters = Clusters(random.normal(size=(K, n)).astype(np.float32), ("a", "b", "c"), "code", "kmeans")
        return cls(
            sorted(f"p{number}" for number in range(rows)),
            [str(random.choice(["bags", "shoes", "hats"])) for _ in range(rows)],
            [json.dumps(each) for each in attributes],
            mean,
            std,
            code,
            cluster,
            ClusterTransfer(clusters, lambda: ClusterMoments.of(cluster, mean, code, K)),
        )

    def backend(self, rows: np.ndarray | None = None) -> LocalBackend:
        kinds = self.kinds() if rows is not None else None
        rows = np.arange(len(self.ids)) if rows is None else rows
        ids, categories, attributes = (
            [values[row] for row in rows] for values in (self.ids, self.categories, self.attributes)
        )
        products = Products(ids, categories, lambda: attributes, kinds)
        vectors = (self.mean[rows], self.std[rows], self.code[rows])
        index = LatentIndex(ids, *vectors, cluster=self.cluster[rows])
        positions = self.mean[rows, :2] if self.mean.shape[1] > 1 else np.repeat(self.mean[rows], 2, axis=1)
        hub_penalty = HubPenalty(index, self.cluster[rows], self.transfer)
        return LocalBackend(products, index, self.cluster[rows], hub_penalty, lambda: positions)

    def kinds(self) -> dict[str, ColumnKind]:
        return Products([], self.categories, lambda: self.attributes).columns.kinds

    def engine(self, backend: SearchBackend) -> QueryEngine:
        summary = ShopSummary(
            version="v",
            model="m",
            product_count=len(self.ids),
            latent_dim=self.code.shape[1],
            tau=0.1,
            clusters=self.transfer._clusters,
            category_counts=CategoryCounts.of(self.cluster, self.categories, K),
            cluster_moments=ClusterMoments.of(self.cluster, self.mean, self.code, K),
            kinds=self.kinds(),
            thresholds={},
            neighbour_distances=[],
            reference_codes=ReferenceCodes.of(self.ids, self.code),
            code_bounds=np.stack([self.code.min(axis=0), self.code.max(axis=0)], axis=1),
        )
        return QueryEngine(summary, backend, lambda _: b"")


class InProcessShards:
    """A SearchBackend of shards that are all in this process."""

    def __init__(self, catalogue: Catalogue, shards: int) -> None:
        self._backends = [catalogue.backend(rows) for rows in rows_by_shard(catalogue.ids, shards)]

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        answers = [backend.search(queries) for backend in self._backends]
        return [merge_hits([each[i] for each in answers], query.k) for i, query in enumerate(queries)]

    def code_of(self, product_id: str) -> np.ndarray:
        raise NotImplementedError


catalogues = st.builds(
    Catalogue.random,
    st.integers(1, 700),
    st.integers(1, 6),
    st.integers(0, 10_000),
    st.sampled_from([(0.05, 0.5), (1e-6, 1e3), (0.3, 0.3), (1e-20, 1e-16)]),
)


@settings(max_examples=60, deadline=None)
@given(catalogues, st.integers(1, 7), st.data())
def test_shards_return_the_same_hits(catalogue: Catalogue, shards: int, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(catalogue.ids) - 1))
    offset = data.draw(st.sampled_from([0.0, 0.3, 3e4]))
    code = catalogue.code[row] + np.float32(offset)
    tau = data.draw(st.sampled_from([0.0, 0.2, 5.0]))
    k = data.draw(st.sampled_from([1, 5, 60, len(catalogue.ids)]))
    scoring, where = data.draw(st.sampled_from(SCORINGS)), data.draw(st.sampled_from(FILTERS))
    options = [(None, None, "details"), ("bags", where, "score"), (None, where, "position")]
    queries = [
        Query(code, k, *scoring, tau, cluster, category, where, source, fields)
        for cluster in (None, 0, 2)
        for category, where, fields in options
        for source in ((None, 1) if cluster is not None else (None,))
    ]
    assert InProcessShards(catalogue, shards).search(queries) == catalogue.backend().search(queries)


@settings(max_examples=40, deadline=None)
@given(catalogues, st.integers(1, 7), st.sampled_from(SCORINGS), st.sampled_from(["transport", "shift"]), st.data())
def test_shards_give_the_same_answers(
    catalogue: Catalogue, shards: int, scoring: tuple[str, str], kind: str, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, len(catalogue.ids) - 1), min_size=1, max_size=3))
    where = data.draw(st.sampled_from(FILTERS))
    method, metric = scoring
    exclude, k = {catalogue.ids[row] for row in rows}, min(4, len(catalogue.ids))
    local, sharded = (catalogue.engine(catalogue.backend()), catalogue.engine(InProcessShards(catalogue, shards)))
    codes: Any = catalogue.code[rows]
    for by in ("cluster", "category"):
        first, second = (
            engine.recommend(codes, k, f"{kind}:{method}", metric=metric, by=by, where=where, exclude=exclude)  # type: ignore[arg-type]
            for engine in (local, sharded)
        )
        assert [[each.to_dict() for each in answer] for answer in first] == [
            [each.to_dict() for each in answer] for answer in second
        ]
    for scope in ("cluster", "catalogue"):
        first, second = (
            engine.similar(codes, k, method, scope, metric=metric, where=where, exclude=exclude)  # type: ignore[arg-type]
            for engine in (local, sharded)
        )
        assert [[each.to_dict() for each in answer] for answer in first] == [
            [each.to_dict() for each in answer] for answer in second
        ]


def test_empty_shard_has_no_hits() -> None:
    catalogue = Catalogue.random(3, 4, 0, (0.1, 0.2))
    empty = catalogue.backend(np.empty(0, np.intp))
    queries = [Query(catalogue.code[0], 2, "likelihood", "", 0.0, cluster) for cluster in (None, 1)]
    assert empty.search(queries) == [[], []]


def test_float64_ranking_separates_near_ties() -> None:
    """Rank a thousand products that are equal in float32, with a penalty of 0."""
    random = np.random.default_rng(0)
    mean = np.full((1000, 2), 1000.0, np.float32)
    mean[:, 0] += (random.permutation(1000) * 1e-4).astype(np.float32)
    index = LatentIndex([f"{i:04d}" for i in range(1000)], mean, mean * 0 + 1e-3, mean)
    code = np.array([0.0, 0.0], np.float32)
    nearest, _, _ = index.nearest_penalized(
        code, 20, np.zeros(1000, np.float32), "mean", "euclidean", 0.0, np.arange(1000)
    )
    square = np.square(mean.astype(np.float64)).sum(axis=1)
    np.testing.assert_array_equal(nearest, np.lexsort((np.arange(1000), np.square(np.sqrt(square))))[:20])
