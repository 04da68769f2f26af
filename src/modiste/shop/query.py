"""QueryEngine: similar products and recommendations, from any search backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Any, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.choices import Grouping, Method, Metric, Scope
from modiste.errors import BadCode, BadCount, BadOption
from modiste.latent.clusters import Clusters
from modiste.latent.conditional_mean import condition
from modiste.latent.fixed_epsilon import check_code
from modiste.latent.map_layout import NEIGHBOURS, interpolate_position
from modiste.latent.mixture import Mixture
from modiste.search.index import METHODS, METRICS
from modiste.shop import similarity_words
from modiste.shop.backend import Hit, Query, SearchBackend
from modiste.shop.cluster_transfer import TRANSFERS, ClusterMoments, ClusterTransfer, parse_recommend_method
from modiste.shop.filters import ColumnKind, Columns, Filter
from modiste.shop.results import JpegLoader, Match, Matches, Recommendation, Recommendations
from modiste.shop.similarity_words import Closeness, Typicality
from modiste.shop.summary import CategoryCounts, ReferenceCodes

SCOPES: tuple[Scope, ...] = get_args(Scope)
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
MAX_CACHED_TAUS = 16


class SearchContext(Protocol):
    """What a QueryEngine knows about all products of a shop. `n` is the number of latents, `k` that of clusters."""

    @property
    def tau(self) -> float:
        """The shop's τ: the uncertainty of a code unless the question gives another."""
        ...

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        ...

    @property
    def product_count(self) -> int:
        """The number of products."""
        ...

    @property
    def clusters(self) -> Clusters:
        """Centres and labels."""
        ...

    @property
    def category_counts(self) -> CategoryCounts:
        """The number of products by category and cluster."""
        ...

    @property
    def cluster_moments(self) -> ClusterMoments:
        """Mean, covariance and a sample of each cluster."""
        ...

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """The kind of every column that a filter can name."""
        ...

    @property
    def thresholds(self) -> dict[str, list[float]]:
        """The scores that separate the words for similarity, see `similarity_words`."""
        ...

    @property
    def neighbour_distances(self) -> list[float]:
        """Percentiles of the distance from a product to its nearest other, see `similarity_words`."""
        ...

    @property
    def reference_codes(self) -> ReferenceCodes:
        """Products from which the thresholds for another τ are measured."""
        ...

    @property
    def code_bounds(self) -> NDArray[np.float32]:
        """The least and the greatest value allowed for each latent of a code, float32 `(n, 2)`."""
        ...


class _Group(NamedTuple):
    """One recommendation to find: the clusters to search, and the category to restrict them to, if any."""

    cluster: int
    label: str
    category: str
    searched_clusters: Sequence[int]
    only_category: str | None


class QueryEngine:
    """Answers questions about codes from a shop's context and a search backend.

    Shop documents the questions; its methods of the same names ask this class. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

    def __init__(self, context: SearchContext, backend: SearchBackend, load_jpeg: JpegLoader) -> None:
        """Create an engine whose matches load their photos with `load_jpeg`."""
        self.context = context
        self.backend = backend
        self._load_jpeg = load_jpeg
        self._thresholds_by_tau: dict[float, list[float]] = {}

    @cached_property
    def transfer(self) -> ClusterTransfer:
        """The maps between the clusters."""
        context = self.context
        return ClusterTransfer(context.clusters, lambda: context.cluster_moments)

    def cluster_of(self, code: ArrayLike) -> Any:
        """Return the cluster of a code; see Shop.cluster_of."""
        codes = check_code(code, self.context.latent_dim)
        clusters = np.asarray(self.context.clusters.assign(np.atleast_2d(codes)), np.intp)
        return int(clusters[0]) if codes.ndim == 1 else clusters

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
        """Return the nearest products; see Shop.similar."""
        codes, exclude = check_code(code, self.context.latent_dim), frozenset(exclude)
        make_query = self._check(k, method, metric, tau, exclude, where, scope=(scope, SCOPES))
        batch = np.atleast_2d(codes)
        clusters: list[int | None] = [None] * len(batch)
        if scope == "cluster":
            clusters = np.asarray(self.context.clusters.assign(batch), np.intp).tolist()
        queries = [make_query(each, cluster=cluster) for each, cluster in zip(batch, clusters, strict=True)]
        answers = [self._matches(hits, k, exclude) for hits in self.backend.search(queries)]
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
        """Return what goes with a code; see Shop.recommend."""
        codes, exclude = check_code(code, self.context.latent_dim), frozenset(exclude)
        kind, method = parse_recommend_method(method)
        make_query = self._check(k, method, metric, tau, exclude, where, by=(by, GROUPINGS))
        batch = np.atleast_2d(codes)
        # One by one: a batched assignment may round differently, and a code must get the same answer alone.
        sources = [int(self.cluster_of(each)) for each in batch]
        groups = [self._groups(source, by) for source in sources]
        queries = [
            make_query(
                self.transfer.transfer(each, source, target, kind, method),
                cluster=target,
                category=group.only_category,
                source_cluster=None if kind == "shift" else source,
            )
            for each, source, groups_of_code in zip(batch, sources, groups, strict=True)
            for group in groups_of_code
            for target in group.searched_clusters
        ]
        hits = iter(self.backend.search(queries))
        answers = [
            Recommendations(self._recommendation(group, hits, k, exclude) for group in groups_of_code)
            for groups_of_code in groups
        ]
        return answers[0] if codes.ndim == 1 else answers

    def nearest_ids(self, code: NDArray[np.float32], count: int) -> list[str]:
        """Return the ids of the `count` products with the codes nearest to a code `(n,)`; fewer of a smaller shop."""
        count = min(count, self.context.product_count)
        query = Query(code, count, "fixed-epsilon", "euclidean", 0.0, fields="score")
        return [hit.id for hit in self.backend.search([query])[0]]

    def closeness(
        self, method: Method, score: float, metric: Metric = "euclidean", *, tau: float | None = None
    ) -> Closeness:
        """Return a score in words; see Shop.closeness."""
        tau = self.context.tau if tau is None else tau
        self._check(1, method, metric, tau)
        thresholds = self.context.thresholds[similarity_words.threshold_key(method, metric)]
        if tau > 0 and method == "likelihood":  # the map's thresholds are for τ = 0
            thresholds = self._thresholds_at(tau)
        return similarity_words.describe_score(score, thresholds, higher_is_nearer=method == "likelihood")

    def locate(self, code: ArrayLike) -> tuple[Typicality, tuple[float, float]]:
        """Return the typicality of one code and its position on the map, see Shop.typicality and Shop.position_of."""
        checked = check_code(code, self.context.latent_dim)
        if checked.ndim != 1:
            raise BadCode(f"Expected one code, not a batch of {len(checked)}.", remedy="Give codes one by one.")
        distances = self.context.neighbour_distances
        query = Query(checked, NEIGHBOURS, "fixed-epsilon", "euclidean", 0.0, fields="position")
        hits = self.backend.search([query])[0]
        share, word = similarity_words.describe_typicality(hits[0].score, distances)
        positions, gaps = np.array([hit.position for hit in hits]), np.array([hit.score for hit in hits])
        x, y = interpolate_position(positions, gaps).tolist()
        return Typicality(share, word, hits[0].id), (x, y)

    @cached_property
    def catalogue_mixture(self) -> Mixture:
        """The Gaussian mixture of the catalogue's codes: that of the clusters, or one Gaussian for each cluster."""
        mixture = self.context.clusters.mixture
        if mixture is not None:
            return mixture
        moments = self.context.cluster_moments.code_moments
        sizes = np.sum(list(self.context.category_counts.by_category.values()), axis=0)
        rows = np.flatnonzero(sizes)
        weights = sizes[rows] / sizes.sum()
        return Mixture(weights, moments.centres[rows], moments.covariances[rows], rows)

    def condition(
        self, code: ArrayLike, fixed: Collection[int], *, directions: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return a code whose free latents follow the fixed ones; see Shop.condition."""
        n = self.context.latent_dim
        checked = check_code(code, n)
        if checked.ndim != 1:
            raise BadCode(f"Expected one code, not a batch of {len(checked)}.", remedy="Give codes one by one.")
        if wrong := [each for each in fixed if not 0 <= each < n]:
            raise BadOption(f"There is no latent {wrong[0]}.", remedy=f"Fix latents from 0 to {n - 1}.")
        lines = None if directions is None else np.atleast_2d(check_code(directions, n))
        return condition(self.catalogue_mixture, checked, fixed, lines)

    def _check(
        self,
        k: int,
        method: str,
        metric: str,
        tau: float | None,
        exclude: Collection[str] = (),
        where: Filter | None = None,
        **choices: tuple[str, Sequence[str]],
    ) -> Callable[..., Query]:
        """Check what a question gives, and return a function that makes its queries from their code.

        The queries ask for the excluded products as well, so that `k` are left without them.
        """
        tau, count = self.context.tau if tau is None else tau, self.context.product_count
        if not 1 <= k <= count:
            raise BadCount(f"k is {k}, but the shop has {count} products.", remedy=f"Give a k from 1 to {count}.")
        named = {"method": (method, METHODS), "metric": (metric, METRICS), **choices}
        for name, (value, allowed) in named.items():
            if value not in allowed:
                raise BadOption(f"Unknown {name} {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        if not 0.0 <= tau < float("inf"):
            raise BadOption(f"tau is {tau}.", remedy="Give a finite number of 0 or more.")
        if where:
            Columns((), (), self.context.kinds).mask(where)
        return partial(Query, k=k + len(exclude), method=method, metric=metric, tau=tau, where=where)

    def _groups(self, source: int, by: str) -> list[_Group]:
        """Return what to recommend for a code of cluster `source`."""
        counts, labels = self.context.category_counts, self.context.clusters.labels
        majorities = counts.category_of_cluster
        if by == "cluster":
            return [
                _Group(cluster, label, majorities[cluster], [cluster], None)
                for cluster, label in enumerate(labels)
                if cluster != source
            ]
        return [
            _Group(counts.main_cluster(name), name, name, counts.clusters_of(name), name)
            for name in counts.counts()
            if name != majorities[source]
        ]

    def _recommendation(
        self, group: _Group, hits: Iterator[list[Hit]], k: int, exclude: Collection[str]
    ) -> Recommendation:
        """Make one recommendation from the next hits, one list per searched cluster."""
        merged = sorted(chain.from_iterable(next(hits) for _ in group.searched_clusters), key=lambda hit: hit.rank)
        return Recommendation(group.cluster, group.label, self._matches(merged, k, exclude), group.category)

    def _matches(self, hits: Sequence[Hit], k: int, exclude: Collection[str]) -> Matches:
        """Return the best `k` hits that are not excluded, as matches."""
        allowed = [hit for hit in hits if hit.id not in exclude][:k]
        return Matches(
            Match(hit.id, hit.category, hit.cluster, hit.score, json.loads(hit.attributes_json), self._load_jpeg)
            for hit in allowed
        )

    def _thresholds_at(self, tau: float) -> list[float]:
        """Return the likelihood thresholds for a τ, measured on first use."""
        thresholds = self._thresholds_by_tau.get(tau)
        if thresholds is None:
            references, neighbours = self.context.reference_codes, similarity_words.QUANTILES[-1][0]
            queries = [
                Query(code, neighbours + 1, "likelihood", "euclidean", tau, fields="score") for code in references.codes
            ]
            scores = [
                _neighbour_scores(hits, own)
                for hits, own in zip(self.backend.search(queries), references.ids, strict=True)
            ]
            thresholds = similarity_words.compute_thresholds(np.array(scores), "likelihood")
            if len(self._thresholds_by_tau) >= MAX_CACHED_TAUS:
                self._thresholds_by_tau.clear()
            self._thresholds_by_tau[tau] = thresholds
        return thresholds


def _neighbour_scores(hits: Sequence[Hit], own: str) -> list[float]:
    """Return the scores of a product's neighbours without its own, or without the last if its own is not among them."""
    scores = [hit.score for hit in hits if hit.id != own]
    return scores[: len(hits) - 1]
