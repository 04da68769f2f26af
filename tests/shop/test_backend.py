"""One machine and many give identical answers: the same products in the same order, the same scores to the bit."""

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

QUESTIONS = [
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
]
WHERES = [None, {"colour": ["Red"]}, {"size": ["38"]}, {"price": {"min": 30}}, {"not": {"new": ["true"]}}]
K = 3


@dataclass(frozen=True)
class Catalogue:
    """Products with twins, so that there are ties, and attributes of every kind, some of which few products have."""

    ids: list[str]
    categories: list[str]
    attributes: list[str]
    mean: np.ndarray
    std: np.ndarray
    code: np.ndarray
    cluster: np.ndarray
    ways: ClusterTransfer

    @classmethod
    def made(cls, rows: int, n: int, seed: int, spread: tuple[float, float]) -> Catalogue:
        random = np.random.default_rng(seed)
        kinds = random.integers(1, rows + 1)
        of = random.integers(0, kinds, rows)  # the kind of each: those of one kind are as near to everything
        mean = random.normal(0, 1.5, (kinds, n)).astype(np.float32)[of]
        std = np.exp(random.uniform(*np.log(spread), (kinds, n))).astype(np.float32)[of]
        code = mean + std * random.normal(size=n).astype(np.float32)
        cluster = random.integers(0, K, kinds)[of]
        # Only few are words where the rest are numbers: a shard may have none of these.
        sizes = [38 if random.random() < 0.9 else "one size" for _ in range(rows)]
        attributes = [
            {
                "colour": str(random.choice(["Red", "Blue"])),
                "size": size,
                "price": int(random.integers(9, 60)),
            }
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

    def shelf(self, rows: np.ndarray | None = None) -> LocalBackend:
        some = np.arange(len(self.ids)) if rows is None else rows
        kinds = self.kinds() if rows is not None else None
        held = [[part[row] for row in some] for part in (self.ids, self.categories, self.attributes)]
        products = Products(held[0], held[1], lambda: held[2], kinds)
        parts = (self.mean[some], self.std[some], self.code[some])
        index = LatentIndex(held[0], *parts, cluster=self.cluster[some])
        places = self.mean[some, :2] if self.mean.shape[1] > 1 else np.repeat(self.mean[some], 2, axis=1)
        crowds = HubPenalty(index, self.cluster[some], self.ways)
        return LocalBackend(products, index, self.cluster[some], crowds, lambda: places)

    def kinds(self) -> dict[str, ColumnKind]:
        return Products([], self.categories, lambda: self.attributes).columns.kinds

    def engine(self, backend: SearchBackend) -> QueryEngine:
        summary = ShopSummary(
            version="v",
            model="m",
            product_count=len(self.ids),
            latent_dim=self.code.shape[1],
            tau=0.1,
            clusters=self.ways._clusters,
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
        self._backends = [catalogue.shelf(rows) for rows in rows_by_shard(catalogue.ids, shards)]

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        answers = [backend.search(queries) for backend in self._backends]
        return [merge_hits([each[i] for each in answers], query.k) for i, query in enumerate(queries)]

    def code_of(self, product_id: str) -> np.ndarray:
        raise NotImplementedError


shapes = st.builds(
    Catalogue.made,
    st.integers(1, 700),
    st.integers(1, 6),
    st.integers(0, 10_000),
    st.sampled_from([(0.05, 0.5), (1e-6, 1e3), (0.3, 0.3), (1e-20, 1e-16)]),
)


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(1, 7), st.data())
def test_looks_are_the_same(catalogue: Catalogue, shards: int, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(catalogue.ids) - 1))
    out = data.draw(st.sampled_from([0.0, 0.3, 3e4]))
    code = catalogue.code[row] + np.float32(out)
    tau = data.draw(st.sampled_from([0.0, 0.2, 5.0]))
    k = data.draw(st.sampled_from([1, 5, 60, len(catalogue.ids)]))
    question, some = data.draw(st.sampled_from(QUESTIONS)), data.draw(st.sampled_from(WHERES))
    among = [(None, None, "details"), ("bags", some, "score"), (None, some, "position")]
    looks = [
        Query(code, k, *question, tau, cluster, category, where, less_of, wanted)
        for cluster in (None, 0, 2)
        for category, where, wanted in among
        for less_of in ((None, 1) if cluster is not None else (None,))
    ]
    assert InProcessShards(catalogue, shards).search(looks) == catalogue.shelf().search(looks)


@settings(max_examples=40, deadline=None)
@given(
    shapes, st.integers(1, 7), st.sampled_from(QUESTIONS), st.sampled_from(["transport", "shift"]), st.data()
)
def test_recommendations_are_the_same(
    catalogue: Catalogue, shards: int, question: tuple[str, str], way: str, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, len(catalogue.ids) - 1), min_size=1, max_size=3))
    where = data.draw(st.sampled_from(WHERES))
    method, metric = question
    exclude, k = {catalogue.ids[row] for row in rows}, min(4, len(catalogue.ids))
    one, many = catalogue.engine(catalogue.shelf()), catalogue.engine(InProcessShards(catalogue, shards))
    codes: Any = catalogue.code[rows]
    for by in ("cluster", "category"):
        first, second = (
            engine.recommend(codes, k, f"{way}:{method}", metric=metric, by=by, where=where, exclude=exclude)  # type: ignore[arg-type]
            for engine in (one, many)
        )
        assert [[each.to_dict() for each in answer] for answer in first] == [
            [each.to_dict() for each in answer] for answer in second
        ]
    for scope in ("cluster", "catalogue"):
        first, second = (
            engine.similar(codes, k, method, scope, metric=metric, where=where, exclude=exclude)  # type: ignore[arg-type]
            for engine in (one, many)
        )
        assert [[each.to_dict() for each in answer] for answer in first] == [
            [each.to_dict() for each in answer] for answer in second
        ]


def test_a_shard_of_nothing_finds_nothing() -> None:
    catalogue = Catalogue.made(3, 4, 0, (0.1, 0.2))
    empty = catalogue.shelf(np.empty(0, np.intp))
    looks = [Query(catalogue.code[0], 2, "likelihood", "", 0.0, cluster) for cluster in (None, 1)]
    assert empty.search(looks) == [[], []]


def test_the_last_digit_is_told_apart_from_a_tie() -> None:
    """The exact ranking with crowding taken off: a thousand products of which float32 sees no difference."""
    random = np.random.default_rng(0)
    mean = np.full((1000, 2), 1000.0, np.float32)
    mean[:, 0] += (random.permutation(1000) * 1e-4).astype(np.float32)
    index = LatentIndex([f"{i:04d}" for i in range(1000)], mean, mean * 0 + 1e-3, mean)
    code = np.array([0.0, 0.0], np.float32)
    found, _, _ = index.nearest_penalized(
        code, 20, np.zeros(1000, np.float32), "mean", "euclidean", 0.0, np.arange(1000)
    )
    square = np.square(mean.astype(np.float64)).sum(axis=1)
    np.testing.assert_array_equal(found, np.lexsort((np.arange(1000), np.square(np.sqrt(square))))[:20])
