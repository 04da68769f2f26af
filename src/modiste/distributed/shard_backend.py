"""Sharded: one version of a shop that lies in shards, asked as a shop is: scattered to all of them, merged exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import ClusterError, UnknownProduct
from modiste.latent.clusters import Clusters
from modiste.search.sharding import shard_of
from modiste.shop.backend import Hit, Query, merge_hits
from modiste.shop.cluster_transfer import ClusterTransfer
from modiste.shop.filters import Columns, Filter
from modiste.shop.hubness import default_scorings, scoring_key
from modiste.shop.query import Finder, QueryEngine
from modiste.shop.summary import CategoryCounts, ReferenceCodes, ShopSummary

DEADLINE_SECONDS = 20.0  # seconds for all tries of one look
TRY_TIMEOUT_S = 2.0  # seconds for one try
# Seconds for one that may have crowding to be measured first, by what is not usual, and for all of its tries.
PENALTY_TIMEOUT_S = 120.0
BATCH_QUERIES = 8  # looks in one try: it must not take long because many were asked for
RETRY_SECONDS = 0.02  # seconds before the next try
MIN_TIMEOUT_S = 0.001  # the least that a try is given, in seconds: its answer may be there already


class ShardsUnavailable(ClusterError):  # noqa: N818  # as in errors: named for what happened
    """This version of the shards is not there any more, or does not answer."""


class ShardBackend(QueryEngine):
    """One version of a shop, in shards. Every answer is of that version, or there is none."""

    def __init__(
        self, whole: ShopSummary, handles: Sequence[Any], deadline: float = DEADLINE_SECONDS
    ) -> None:
        """`handles` are those of the shards, in order, as Ray Serve gives them; `deadline` is of one look."""
        self.whole = whole
        self.replaced = False  # by newer shards: a try that fails is then not repeated here
        self._handles = list(handles)
        self._deadline = deadline

    @property
    def version(self) -> str:
        """Names the version."""
        return self.whole.version

    @property
    def tau(self) -> float:
        return self.whole.tau

    @property
    def latent_dim(self) -> int:
        return self.whole.latent_dim

    @property
    def count(self) -> int:
        return self.whole.count

    @cached_property
    def clusters(self) -> Clusters:
        return self.whole.clusters

    @cached_property
    def category_counts(self) -> CategoryCounts:
        return self.whole.category_counts

    @cached_property
    def finder(self) -> Finder:
        ways = ClusterTransfer(self.whole.clusters, lambda: self.whole.cluster_moments)
        return Finder(self.clusters, self.category_counts, ways, self.search, _no_photo)

    @property
    def thresholds(self) -> dict[str, list[float]]:
        return self.whole.thresholds

    @property
    def neighbour_distances(self) -> list[float]:
        return self.whole.neighbour_distances

    @cached_property
    def reference_codes(self) -> ReferenceCodes:
        return self.whole.reference_codes

    def check_filter(self, where: Filter) -> None:
        """Raise BadOption where a filter asks for what there is not."""
        Columns((), (), self.whole.kinds).mask(where)

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`, from the shard that has it. Raises UnknownProduct, Gone."""
        own = shard_of(product_id, len(self._handles))
        found = self._call([own], "code_of", product_id, TRY_TIMEOUT_S)[0]
        if found is None:
            raise UnknownProduct(
                f"The shop has no product {product_id!r}.",
                remedy=f"Its ids look like {', '.join(self.reference_codes.ids[:3])}.",
            )
        return found

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """For each look its hits, best first: those of all shards, merged. Raises Gone."""
        if not queries:
            return []
        parts = [queries[start : start + BATCH_QUERIES] for start in range(0, len(queries), BATCH_QUERIES)]
        return [hits for part in parts for hits in self._search(part)]

    def _search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        known, everyone = default_scorings(self.tau), range(len(self._handles))
        slow = any(
            look.source_cluster is not None and scoring_key(look.method, look.metric, look.tau) not in known
            for look in queries
        )
        if slow:  # what may take long is asked of those only that answer at all
            self._call(everyone, "here", None, TRY_TIMEOUT_S)
        found = self._call(everyone, "look", list(queries), PENALTY_TIMEOUT_S if slow else TRY_TIMEOUT_S)
        return [merge_hits([each[i] for each in found], look.k) for i, look in enumerate(queries)]

    def about(self) -> list[dict[str, Any]]:
        """For each shard what one replica says of itself."""
        handles = self._handles
        return [handle.about.remote().result(timeout_s=DEADLINE_SECONDS) for handle in handles]

    def _call(self, shards: Sequence[int], name: str, argument: Any, timeout: float) -> list[Any]:
        """What each of some shards answers; from another replica where one dies or takes too long."""
        until = time.monotonic() + max(self._deadline, timeout)

        def begin(shard: int) -> Any:
            return getattr(self._handles[shard], name).remote(argument)

        begun = [(shard, _attempt(lambda shard=shard: begin(shard))) for shard in shards]
        tried_at = time.monotonic()
        return [self._await_answer(shard, begin, first, tried_at, until, timeout) for shard, first in begun]

    def _await_answer(
        self,
        shard: int,
        start: Callable[[int], Any],
        response: Any,
        tried_at: float,
        until: float,
        timeout: float,
    ) -> Any:
        while True:
            if not isinstance(response, Exception):
                left = max(tried_at + timeout - time.monotonic(), MIN_TIMEOUT_S)
                response = _attempt(lambda response=response, left=left: _result_within(response, left))
            if not isinstance(response, Exception):
                version, answer = response
                if version == self.version:
                    return answer
                response = ShardsUnavailable(f"Shard {shard} is of version {version}, not {self.version}.")
            if self.replaced or time.monotonic() > until:
                raise ShardsUnavailable(
                    f"Shard {shard} does not answer: {type(response).__name__}.",
                    remedy="See `ray status`, and Ray's logs; `modiste shards` sets the shards up anew.",
                ) from response
            time.sleep(RETRY_SECONDS)
            tried_at = time.monotonic()
            response = _attempt(lambda: start(shard))


def _result_within(response: Any, seconds: float) -> Any:
    try:
        return response.result(timeout_s=seconds)
    except TimeoutError:
        response.cancel()
        raise


def _attempt(work: Callable[[], Any]) -> Any:
    """What some work returns, or what it raised: whatever it is that Ray raises, another replica is tried."""
    try:
        return work()
    except Exception as error:
        return error


def _no_photo(product_id: str) -> bytes:
    raise ClusterError(
        f"Shards have no photos, such as that of {product_id}.", remedy="Ask the shop for them."
    )
