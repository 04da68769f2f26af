"""Counsel: every question about a code, answered from what is known of the whole shop, and from looks at products."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode, BadCount, BadOption
from modiste.latent.clusters import Clusters
from modiste.latent.posterior import check_code
from modiste.latent.projection import NEIGHBOURS, interpolate_position
from modiste.search.index import METHODS, METRICS
from modiste.shop import similarity_words
from modiste.shop.backend import Hit, Query, SearchFn
from modiste.shop.cluster_transfer import TRANSFERS, ClusterTransfer, parse_recommend_method
from modiste.shop.filters import Filter
from modiste.shop.results import (
    JpegLoader,
    Match,
    Matches,
    Recommendation,
    Recommendations,
)
from modiste.shop.similarity_words import Typicality
from modiste.shop.summary import CategoryCounts, ReferenceCodes

Method = Literal["likelihood", "fixed-epsilon", "mean"]
Metric = Literal["euclidean", "manhattan"]
Scope = Literal["cluster", "catalogue"]
Grouping = Literal["cluster", "category"]
MAX_CACHED_TAUS = 16
SCOPES: tuple[str, ...] = ("cluster", "catalogue")
GROUPINGS: tuple[str, ...] = ("cluster", "category")
REFERENCE_PRODUCTS = 100  # products by which it is measured how near is near, at another tau


class QueryEngine(ABC):
    """Answers questions about codes. `n` is the number of latents, `N` that of products.

    A *code* is one `(n,)` or a batch `(b, n)`; a batch gets a list of answers.
    """

    @property
    @abstractmethod
    def tau(self) -> float:
        """How uncertain codes are taken to be, where a question does not say."""

    @property
    @abstractmethod
    def latent_dim(self) -> int:
        """The number of latents."""

    @property
    @abstractmethod
    def count(self) -> int:
        """The number of products."""

    @cached_property
    @abstractmethod
    def clusters(self) -> Clusters:
        """Centres and labels."""

    @cached_property
    @abstractmethod
    def category_counts(self) -> CategoryCounts:
        """How many products of each category each cluster has."""

    @cached_property
    @abstractmethod
    def finder(self) -> Finder:
        """What finds products."""

    @property
    @abstractmethod
    def thresholds(self) -> dict[str, list[float]]:
        """How near is near, see `closeness`. Raises what `loneliness` raises."""

    @property
    @abstractmethod
    def neighbour_distances(self) -> list[float]:
        """How far products are from their nearest other, see `closeness`.

        Raises ShopIncomplete, StaleError, SchemaError: there is no map that fits.
        """

    @cached_property
    @abstractmethod
    def reference_codes(self) -> ReferenceCodes:
        """Products, evenly taken from all, by which it is measured how near is near at another tau."""

    @abstractmethod
    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """For each look its hits, best first."""

    @abstractmethod
    def check_filter(self, where: Filter) -> None:
        """Raise BadOption where a filter asks for what there is not."""

    @abstractmethod
    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""

    def cluster_of(self, code: ArrayLike) -> Any:
        """The cluster of a code, an int; of a batch, `(b,)`. Raises BadCode."""
        checked = check_code(code, self.latent_dim)
        found = np.asarray(self.clusters.assign(np.atleast_2d(checked)), np.intp)
        return int(found[0]) if checked.ndim == 1 else found

    def similar(
        self,
        code: ArrayLike,
        k: int = 10,
        method: Method = "likelihood",
        scope: Scope = "cluster",
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        exclude: Collection[str] = (),
        where: Filter | None = None,
    ) -> list[Any]:
        """The `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            k: how many; fewer come where the cluster, or the filter, has fewer.
            method: "likelihood" ranks by log q(code | product) (the paper's Eq. 2); "fixed-epsilon" and "mean" by the
                distance to the products' fixed-epsilon codes or means.
            scope: "cluster" looks only in the code's own cluster, "catalogue" everywhere.
            metric: of the distance, "euclidean" or "manhattan"; the likelihood has none.
            tau: how uncertain the code itself is, for the likelihood: each σ² becomes σ² + tau². None is the shop's.
            exclude: ids to leave out, such as the product that the code came from.
            where: only products that this filter lets through, see `matching`.

        Returns:
            Matches, a list of Match; for a batch, a list of `b` of them.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1 or over the number of products.
            BadOption: an unknown method, metric, scope or attribute, or a negative tau.
        """
        codes = check_code(code, self.latent_dim)
        asked = Question(k, method, metric, self._resolve_tau(tau), frozenset(exclude))
        asked.check(self.count)
        if scope not in SCOPES:
            raise BadOption(f"No scope {scope!r}.", remedy=f"Choose one of {', '.join(SCOPES)}.")
        if where:
            self.check_filter(where)
        batch = np.atleast_2d(codes)
        own: list[int | None] = [None] * len(batch)
        if scope == "cluster":
            own = np.asarray(self.clusters.assign(batch), np.intp).tolist()
        answers = self.finder.nearest(batch, asked, own, where)
        return answers[0] if codes.ndim == 1 else answers

    def recommend(
        self,
        code: ArrayLike,
        k: int = 3,
        method: str = TRANSFERS[0],
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        where: Filter | None = None,
        by: Grouping = "cluster",
        exclude: Collection[str] = (),
    ) -> list[Any]:
        """What goes with a code: for each other cluster j, its `k` products nearest to where the code would lie there.

        i is the code's own cluster. With the way "transport", the code is carried by the optimal-transport map from
        the one cluster's Gaussian to the other's, z ↦ c_j + A (z − c_i), and products that lie near everyone's designs
        step back. With "shift", it is moved by centre_j − centre_i, the paper's Eq. 3 (which prints the difference the
        other way round).

        Args:
            method: a way, "transport" or "shift"; or how nearness is measured, as in `similar`; or both, as
                "shift:mean". What is not named is "transport" and "likelihood".
            by: with "category" there is one entry for each category but the one that most products of cluster i
                have, with that category's products only, from the clusters where it is in the majority.
            code, k, metric, tau, where, exclude: as in `similar`, which raises the same errors.

        Returns:
            Recommendations, a list of Recommendation in the order of the clusters, or of the categories, largest
            first; for a batch, a list of `b` of them.
        """
        codes = check_code(code, self.latent_dim)
        way, nearness = parse_recommend_method(method)
        asked = Question(k, nearness, metric, self._resolve_tau(tau), frozenset(exclude))
        asked.check(self.count)
        if by not in GROUPINGS:
            raise BadOption(f"No by {by!r}.", remedy=f"Choose one of {', '.join(GROUPINGS)}.")
        if where:
            self.check_filter(where)
        answer = self.finder.by_category if by == "category" else self.finder.by_cluster
        batch = np.atleast_2d(codes)
        # One by one, as a code that is asked for alone is.
        own = [int(self.cluster_of(each)) for each in batch]
        answers = answer(batch, own, asked, way, where)
        return answers[0] if codes.ndim == 1 else answers

    @property
    def category_of_cluster(self) -> list[str]:
        """The category that most products of each cluster have; "" for a cluster without any."""
        return list(self.category_counts.category_of_cluster)

    def closeness(
        self, method: Method, score: float, metric: Metric = "euclidean", *, tau: float | None = None
    ) -> str:
        """A match's score in words, by how near the catalogue's own products lie to each other.

        Args:
            method, metric, tau: as the question was asked.

        Returns:
            "almost the same", "very close", "close", "related" or "distant".

        Raises:
            BadOption: an unknown method or metric, or a negative tau.
            ShopIncomplete, StaleError, SchemaError: there is no map that fits.
        """
        tau = self._resolve_tau(tau)
        Question(1, method, metric, tau).check(self.count)
        rungs = self.thresholds[similarity_words.threshold_key(method, metric)]
        if tau > 0 and method == "likelihood":  # another scale
            rungs = self._thresholds_at(tau)
        return similarity_words.describe_score(score, rungs, higher_is_nearer=method == "likelihood")

    @cached_property
    def _thresholds_by_tau(self) -> dict[float, list[float]]:
        """What was measured by tau, see `closeness`."""
        return {}

    def _resolve_tau(self, tau: float | None) -> float:
        return self.tau if tau is None else tau

    def _thresholds_at(self, tau: float) -> list[float]:
        held = self._thresholds_by_tau.get(tau)
        if held is None:
            probes, most = self.reference_codes, similarity_words.QUANTILES[-1][0]
            looks = [
                Query(code, most + 1, "likelihood", "euclidean", tau, fields="scores")
                for code in probes.codes
            ]
            others = [
                _other_scores(hits, own) for hits, own in zip(self.search(looks), probes.ids, strict=True)
            ]
            held = similarity_words.compute_thresholds(np.array(others), "likelihood")
            if len(self._thresholds_by_tau) >= MAX_CACHED_TAUS:
                self._thresholds_by_tau.clear()
            self._thresholds_by_tau[tau] = held
        return held

    def typicality(self, code: ArrayLike) -> Typicality:
        """How far a code `(n,)` is from anything that the shop has. Raises BadCode, and what `map` raises."""
        return self.locate(code)[0]

    def position_of(self, code: ArrayLike) -> tuple[float, float]:
        """Where a code `(n,)` lies on the map, from 0 to 1: between the products nearest to it.

        Raises BadCode, and what `map` raises.
        """
        return self.locate(code)[1]

    def locate(self, code: ArrayLike) -> tuple[Typicality, tuple[float, float]]:
        """The typicality and the position of a code `(n,)`, from one look. Raises BadCode, and what `map` raises."""
        checked = check_code(code, self.latent_dim)
        if checked.ndim != 1:
            raise BadCode(f"One code is needed, not {len(checked)}.", remedy="Give codes one by one.")
        loneliness = self.neighbour_distances
        look = Query(checked, NEIGHBOURS, "fixed-epsilon", "euclidean", 0.0, fields="places")
        hits = self.search([look])[0]
        share, word = similarity_words.describe_typicality(hits[0].score, loneliness)
        places, gaps = np.array([hit.position for hit in hits]), np.array([hit.score for hit in hits])
        x, y = interpolate_position(places, gaps).tolist()
        return Typicality(share, word, hits[0].id), (x, y)


def _other_scores(hits: Sequence[Hit], own: str) -> list[float]:
    """The scores of a product's neighbours, itself left out; or the last, where others as near have pushed it off."""
    others = [hit.score for hit in hits if hit.id != own]
    return others[: len(hits) - 1]


Codes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """How to look: how many, by which method and metric, how uncertain the code is, and which ids to leave out."""

    k: int
    method: str
    metric: str
    tau: float
    exclude: frozenset[str] = frozenset()

    def check(self, count: int) -> None:
        """Raise BadCount, BadOption where a shop of `count` products cannot be asked so."""
        if not 1 <= self.k <= count:
            raise BadCount(
                f"k is {self.k}; the shop has {count} products.", remedy=f"Give a k from 1 to {count}."
            )
        for name, value, allowed in (("method", self.method, METHODS), ("metric", self.metric, METRICS)):
            if value not in allowed:
                raise BadOption(f"No {name} {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        if not 0.0 <= self.tau < float("inf"):
            raise BadOption(f"tau is {self.tau}.", remedy="Give 0 or more.")

    def look(
        self,
        code: Codes,
        cluster: int | None,
        where: Filter | None,
        category: str | None = None,
        source_cluster: int | None = None,
    ) -> Query:
        """The look that finds enough for it, those to leave out among them."""
        wanted = self.k + len(self.exclude)
        given = (cluster, category, where, source_cluster)
        return Query(code, wanted, self.method, self.metric, self.tau, *given)


class Finder:
    """Answers questions about codes `(b, n)`, whoever does the looking."""

    def __init__(
        self,
        clusters: Clusters,
        category_counts: CategoryCounts,
        transfer: ClusterTransfer,
        looking: SearchFn,
        load_jpeg: JpegLoader,
    ) -> None:
        self._clusters = clusters
        self._category_counts = category_counts
        self._transfer = transfer
        self._look = looking
        self._load_jpeg = load_jpeg

    def nearest(
        self, codes: Codes, asked: Question, own: Sequence[int | None], where: Filter | None
    ) -> list[Matches]:
        """The products nearest to each code, in its cluster or, for None, in all."""
        looks = [asked.look(code, cluster, where) for code, cluster in zip(codes, own, strict=True)]
        return [self.matches(hits, asked) for hits in self._look(looks)]

    def by_cluster(
        self, codes: Codes, own: Sequence[int], asked: Question, way: str, where: Filter | None
    ) -> list[Recommendations]:
        """For each code, and each cluster but its own, the products nearest to the code moved there."""
        others = [[j for j in range(len(self._clusters)) if j != cluster] for cluster in own]
        looks = [
            self._query_moved(code, cluster, j, asked, way, where)
            for code, cluster, there in zip(codes, own, others, strict=True)
            for j in there
        ]
        found = iter(self._look(looks))
        labels, most = self._clusters.labels, self._category_counts.category_of_cluster
        return [
            Recommendations(
                Recommendation(j, labels[j], self.matches(next(found), asked), most[j]) for j in there
            )
            for there in others
        ]

    def by_category(
        self, codes: Codes, own: Sequence[int], asked: Question, way: str, where: Filter | None
    ) -> list[Recommendations]:
        """For each code, and each category but that of its cluster, the products nearest to the code moved there.

        A category that has the majority in no cluster is asked where most of its products are.
        """
        most = self._category_counts.category_of_cluster
        asking = [
            [
                (name, self._category_counts.clusters_of(name))
                for name in self._category_counts.counts()
                if name != most[cluster]
            ]
            for cluster in own
        ]
        looks = [
            self._query_moved(code, cluster, j, asked, way, where, name)
            for code, cluster, categories in zip(codes, own, asking, strict=True)
            for name, clusters in categories
            for j in clusters
        ]
        found = iter(self._look(looks))
        answers: list[Recommendations] = []
        for categories in asking:
            answer = Recommendations()
            for name, clusters in categories:
                hits = [hit for _ in clusters for hit in self._select(next(found), asked)]
                hits.sort(key=lambda hit: hit.rank)
                matches = Matches(self._match(hit) for hit in hits[: asked.k])
                answer.append(Recommendation(self._category_counts.main_cluster(name), name, matches, name))
            answers.append(answer)
        return answers

    def matches(self, hits: Sequence[Hit], asked: Question) -> Matches:
        """Those that a question wants, of what was found."""
        return Matches(self._match(hit) for hit in self._select(hits, asked))

    def _select(self, hits: Sequence[Hit], asked: Question) -> list[Hit]:
        return [hit for hit in hits if hit.id not in asked.exclude][: asked.k]

    def _query_moved(
        self,
        code: Codes,
        source: int,
        target: int,
        asked: Question,
        way: str,
        where: Filter | None,
        category: str | None = None,
    ) -> Query:
        """The look for products of another cluster, for a code `(n,)` moved there."""
        moved = self._transfer.transfer(code, source, target, way, asked.method)
        return asked.look(moved, target, where, category, None if way == "shift" else source)

    def _match(self, hit: Hit) -> Match:
        told = json.loads(hit.attributes_json)
        return Match(hit.id, hit.category, hit.cluster, hit.score, told, self._load_jpeg)
