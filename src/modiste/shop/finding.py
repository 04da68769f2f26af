"""Finding products for a code: what similar and recommend have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount, BadOption
from modiste.latent.clusters import Clusters
from modiste.search.graph import Graph
from modiste.search.index import METHODS, METRICS, LatentIndex
from modiste.shop.answers import Match, Matches, PhotoOf, Recommendation, Recommendations
from modiste.shop.products import Products
from modiste.shop.ways import Ways

Mask = NDArray[np.bool_]


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


class Finder:
    """Answers questions about codes from an index, with the products' words."""

    def __init__(
        self,
        catalogue: Products,
        index: LatentIndex,
        clusters: Clusters,
        assignments: NDArray[np.intp],
        ways: Ways,
        photo_of: PhotoOf,
    ) -> None:
        self._catalogue = catalogue
        self._index = index
        self._clusters = clusters
        self._assignments = assignments
        self._ways = ways
        self._photo_of = photo_of
        self._sizes = np.bincount(assignments, minlength=len(clusters))
        self._categories = np.array(catalogue.categories, object)
        self.category_of_cluster = majorities(assignments, catalogue.categories, len(clusters))

    def nearest(
        self, code: NDArray[np.float32], asked: Question, cluster: int | None, mask: Mask | None
    ) -> Matches:
        """The products nearest to a code `(n,)`, in one cluster or all, among those of a mask `(N,)`."""
        if mask is not None and cluster is not None:
            mask = mask & (self._assignments == cluster)
        if mask is not None:
            among, scope = int(mask.sum()), None
        else:
            among, scope = len(self._catalogue) if cluster is None else int(self._sizes[cluster]), cluster
        wanted = min(asked.k + len(asked.exclude), among)
        if wanted == 0:
            return Matches()
        found, scores = self._index.nearest(
            code,
            wanted,
            method=asked.method,
            metric=asked.metric,
            tau=asked.tau,
            rows=None if among == len(self._catalogue) else mask,
            cluster=scope,
        )
        return self._matches(found, scores, asked)

    def approximately(self, code: NDArray[np.float32], asked: Question, graph: Graph) -> Matches:
        """The products nearest to a code `(n,)` as a graph of all finds them."""
        wanted = min(asked.k + len(asked.exclude), len(self._catalogue))
        return self._matches(*graph.nearest(code, wanted), asked)

    def _matches(self, rows: NDArray[np.intp], scores: NDArray[np.float64], asked: Question) -> Matches:
        ids = self._catalogue.ids
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        kept = [(row, score) for row, score in pairs if ids[row] not in asked.exclude]
        return Matches(self._match(row, score) for row, score in kept[: asked.k])

    def by_cluster(
        self, code: NDArray[np.float32], own: int, asked: Question, way: str, mask: Mask | None
    ) -> Recommendations:
        """For each cluster but `own`, its products nearest to the code moved there."""
        return Recommendations(
            Recommendation(
                other,
                label,
                Matches(match for _, match in self._beyond(code, own, other, asked, way, mask)),
                self.category_of_cluster[other],
            )
            for other, label in enumerate(self._clusters.labels)
            if other != own
        )

    def by_category(
        self, code: NDArray[np.float32], own: int, asked: Question, way: str, mask: Mask | None
    ) -> Recommendations:
        """For each category but that of `own`, its products nearest to the code moved to its clusters.

        A category that has the majority in no cluster is asked where most of its products are.
        """
        answer = Recommendations()
        for category in self._catalogue.counts():
            if category == self.category_of_cluster[own]:
                continue
            of_category = self._categories == category
            held = np.bincount(self._assignments[of_category], minlength=len(self._clusters))
            clusters = [j for j, most in enumerate(self.category_of_cluster) if most == category]
            clusters = clusters or [int(held.argmax())]
            if mask is not None:
                of_category &= mask
            found = [
                pair for other in clusters for pair in self._beyond(code, own, other, asked, way, of_category)
            ]
            found.sort(key=lambda pair: -pair[0])
            main = max(clusters, key=lambda j: int(held[j]))
            answer.append(
                Recommendation(main, category, Matches(match for _, match in found[: asked.k]), category)
            )
        return answer

    def _beyond(
        self,
        code: NDArray[np.float32],
        own: int,
        other: int,
        asked: Question,
        way: str,
        mask: Mask | None,
    ) -> list[tuple[float, Match]]:
        """Products of another cluster for a code moved there, best first, with what they are ranked by."""
        moved = self._ways.moved(code, own, other, way, asked.method)
        if way == "shift":
            sign = 1.0 if asked.method == "likelihood" else -1.0
            return [(sign * match.score, match) for match in self.nearest(moved, asked, other, mask)]
        fits = self._assignments == other
        rows = np.flatnonzero(fits if mask is None else fits & mask)
        wanted = min(asked.k + len(asked.exclude), len(rows))
        if wanted == 0:
            return []
        less = self._ways.crowding(own, other, asked.method, asked.metric, asked.tau)
        found = self._index.nearest_less(moved, wanted, less, asked.method, asked.metric, asked.tau, rows)
        ids = self._catalogue.ids
        pairs = zip(*(part.tolist() for part in found), strict=True)
        kept = [(by, row, score) for row, score, by in pairs if ids[row] not in asked.exclude]
        return [(by, self._match(row, score)) for by, row, score in kept[: asked.k]]

    def _match(self, row: int, score: float) -> Match:
        held = self._catalogue
        return Match(
            held.ids[row],
            held.categories[row],
            int(self._assignments[row]),
            score,
            held.attributes(row),
            self._photo_of,
        )


def majorities(assignments: NDArray[np.intp], categories: Sequence[str], k: int) -> list[str]:
    """The category that most products of each cluster have; "" for a cluster without any."""
    counts = [Counter[str]() for _ in range(k)]
    for cluster, category in zip(assignments.tolist(), categories, strict=True):
        counts[cluster][category] += 1
    # Most first, then by name, so that the order of the rows does not matter.
    return [min(count, key=lambda name: (-count[name], name), default="") for count in counts]
