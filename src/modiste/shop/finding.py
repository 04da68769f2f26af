"""Finding products for a code: what similar and recommend have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount, BadOption
from modiste.latent.clusters import Clusters
from modiste.search.index import METHODS, METRICS
from modiste.shop.answers import Match, Matches, PhotoOf, Recommendation, Recommendations
from modiste.shop.filters import Where
from modiste.shop.looking import Hit, Look, Looking
from modiste.shop.tally import Tally
from modiste.shop.ways import Ways

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
        where: Where | None,
        category: str | None = None,
        less_of: int | None = None,
    ) -> Look:
        """The look that finds enough for it, those to leave out among them."""
        wanted = self.k + len(self.exclude)
        given = (cluster, category, where, less_of)
        return Look(code, wanted, self.method, self.metric, self.tau, *given)


class Finder:
    """Answers questions about codes `(b, n)`, whoever does the looking."""

    def __init__(
        self, clusters: Clusters, tally: Tally, ways: Ways, looking: Looking, photo_of: PhotoOf
    ) -> None:
        self._clusters = clusters
        self._tally = tally
        self._ways = ways
        self._look = looking
        self._photo_of = photo_of

    def nearest(
        self, codes: Codes, asked: Question, own: Sequence[int | None], where: Where | None
    ) -> list[Matches]:
        """The products nearest to each code, in its cluster or, for None, in all."""
        looks = [asked.look(code, cluster, where) for code, cluster in zip(codes, own, strict=True)]
        return [self.matches(hits, asked) for hits in self._look(looks)]

    def by_cluster(
        self, codes: Codes, own: Sequence[int], asked: Question, way: str, where: Where | None
    ) -> list[Recommendations]:
        """For each code, and each cluster but its own, the products nearest to the code moved there."""
        others = [[j for j in range(len(self._clusters)) if j != cluster] for cluster in own]
        looks = [
            self._beyond(code, cluster, j, asked, way, where)
            for code, cluster, there in zip(codes, own, others, strict=True)
            for j in there
        ]
        found = iter(self._look(looks))
        labels, most = self._clusters.labels, self._tally.category_of_cluster
        return [
            Recommendations(
                Recommendation(j, labels[j], self.matches(next(found), asked), most[j]) for j in there
            )
            for there in others
        ]

    def by_category(
        self, codes: Codes, own: Sequence[int], asked: Question, way: str, where: Where | None
    ) -> list[Recommendations]:
        """For each code, and each category but that of its cluster, the products nearest to the code moved there.

        A category that has the majority in no cluster is asked where most of its products are.
        """
        most = self._tally.category_of_cluster
        asking = [
            [(name, self._tally.where(name)) for name in self._tally.counts() if name != most[cluster]]
            for cluster in own
        ]
        looks = [
            self._beyond(code, cluster, j, asked, way, where, name)
            for code, cluster, categories in zip(codes, own, asking, strict=True)
            for name, clusters in categories
            for j in clusters
        ]
        found = iter(self._look(looks))
        answers: list[Recommendations] = []
        for categories in asking:
            answer = Recommendations()
            for name, clusters in categories:
                hits = [hit for _ in clusters for hit in self._kept(next(found), asked)]
                hits.sort(key=lambda hit: hit.rank)
                matches = Matches(self._match(hit) for hit in hits[: asked.k])
                answer.append(Recommendation(self._tally.main(name), name, matches, name))
            answers.append(answer)
        return answers

    def matches(self, hits: Sequence[Hit], asked: Question) -> Matches:
        """Those that a question wants, of what was found."""
        return Matches(self._match(hit) for hit in self._kept(hits, asked))

    def _kept(self, hits: Sequence[Hit], asked: Question) -> list[Hit]:
        return [hit for hit in hits if hit.id not in asked.exclude][: asked.k]

    def _beyond(
        self,
        code: Codes,
        own: int,
        other: int,
        asked: Question,
        way: str,
        where: Where | None,
        category: str | None = None,
    ) -> Look:
        """The look for products of another cluster, for a code `(n,)` moved there."""
        moved = self._ways.moved(code, own, other, way, asked.method)
        return asked.look(moved, other, where, category, None if way == "shift" else own)

    def _match(self, hit: Hit) -> Match:
        told = json.loads(hit.attributes)
        return Match(hit.id, hit.category, hit.cluster, hit.score, told, self._photo_of)
