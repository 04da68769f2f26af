"""Looks: what is asked of products, and a shelf of them that answers; all of a shop's, or those of one shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modiste.search.index import LatentIndex
from modiste.search.sharding import merged
from modiste.shop.filters import Where
from modiste.shop.hubness import Crowds
from modiste.shop.products import Products

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Scores = NDArray[np.float64]
Wanted = Literal["words", "places", "scores"]
NOWHERE = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
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
    where: Where | None = None
    less_of: int | None = None
    wanted: Wanted = "words"


class Hit(NamedTuple):
    """A product that was found; `rank` is what it is ordered by, lower first, then its id. `attributes` is JSON."""

    rank: float
    id: str
    score: float
    category: str = ""
    cluster: int = 0
    attributes: str = "{}"
    place: tuple[float, float] = NOWHERE


Looking = Callable[[Sequence[Look]], list[list[Hit]]]
"""What answers looks: for each its hits, best first."""
Elsewhere = Callable[[Sequence[Look]], list[list[Hit]] | None]
"""What answers looks of a shop for it, or None where it cannot."""


def merged_hits(answers: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """One look's hits, of what several shards answered it."""
    return merged(answers, k, lambda hit: (hit.rank, hit.id))


class Shelf:
    """Some products, that can be looked among."""

    def __init__(
        self,
        catalogue: Products,
        index: LatentIndex,
        assignments: Rows,
        crowds: Crowds,
        places: Callable[[], NDArray[np.float32]],
    ) -> None:
        """Of `N` products, in the order of their ids: clusters `assignments` `(N,)`; `places` `(N, 2)` when needed."""
        self._catalogue = catalogue
        self._index = index
        self._assignments = assignments
        self._crowds = crowds
        self._places = places
        self._numbers = {name: number for number, name in enumerate(dict.fromkeys(catalogue.categories))}
        self._category = np.array([self._numbers[name] for name in catalogue.categories], np.int32)
        self._sizes = np.bincount(assignments)

    def __len__(self) -> int:
        return len(self._catalogue)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""
        return self._index.code(self._catalogue.row(product_id))

    def look(self, looks: Sequence[Look]) -> list[list[Hit]]:
        """For each look its hits, best first. Raises BadOption where a filter asks for what there is not."""
        masks: dict[int, Mask] = {}
        for look in looks:
            if look.where and id(look.where) not in masks:
                masks[id(look.where)] = self._catalogue.columns.matching(look.where)
        return [self._hits(look, masks.get(id(look.where))) for look in looks]

    def hits(self, rows: Rows, scores: Scores, ranks: Scores, wanted: Wanted = "words") -> list[Hit]:
        """Products in some rows, as found with these scores."""
        held, given = self._catalogue, zip(rows.tolist(), scores.tolist(), ranks.tolist(), strict=True)
        if wanted == "scores":
            return [Hit(rank, held.ids[row], score) for row, score, rank in given]
        if wanted == "places":
            places = self._places()
            return [
                Hit(rank, held.ids[row], score, place=tuple(places[row].tolist()))
                for row, score, rank in given
            ]
        return [
            Hit(
                rank,
                held.ids[row],
                score,
                held.categories[row],
                int(self._assignments[row]),
                held.text(row),
            )
            for row, score, rank in given
        ]

    def _hits(self, look: Look, mask: Mask | None) -> list[Hit]:
        if look.category is not None:
            fits = self._category == self._numbers.get(look.category, -1)
            mask = fits if mask is None else mask & fits
        if look.less_of is not None and look.cluster is not None:
            return self._less(look, look.cluster, look.less_of, mask)
        if mask is not None and look.cluster is not None:
            mask = mask & (self._assignments == look.cluster)
        if mask is not None:
            among, scope = int(mask.sum()), None
        else:
            among, scope = self._size(look.cluster), look.cluster
        wanted = min(look.k, among)
        if wanted == 0:
            return []
        found, scores = self._index.nearest(
            look.code,
            wanted,
            method=look.method,
            metric=look.metric,
            tau=look.tau,
            rows=None if among == len(self._catalogue) else mask,
            cluster=scope,
        )
        return self.hits(found, scores, -scores if look.method == "likelihood" else scores, look.wanted)

    def _size(self, cluster: int | None) -> int:
        if cluster is None:
            return len(self._catalogue)
        return int(self._sizes[cluster]) if cluster < len(self._sizes) else 0

    def _less(self, look: Look, cluster: int, own: int, mask: Mask | None) -> list[Hit]:
        fits = self._assignments == cluster
        rows = np.flatnonzero(fits if mask is None else fits & mask)
        wanted = min(look.k, len(rows))
        if wanted == 0:
            return []
        less = self._crowds.less(own, cluster, look.method, look.metric, look.tau)
        given = (look.code, wanted, less, look.method, look.metric, look.tau, rows)
        found, scores, ranked = self._index.nearest_less(*given)
        return self.hits(found, scores, -ranked, look.wanted)
