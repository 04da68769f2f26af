"""SearchBackend over the shards of one version of a shop: each query goes to all shards, and their hits are merged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import RayClusterError, UnknownProduct
from modiste.search.sharding import shard_of
from modiste.shop.backend import Hit, Query, merge_hits
from modiste.shop.hubness import default_scorings, scoring_key
from modiste.shop.query import QueryEngine
from modiste.shop.summary import ShopSummary

DEADLINE_SECONDS = 20.0  # for all tries of one query
TRY_TIMEOUT_S = 2.0
# For a query whose hub penalties may have to be measured first, and for all of its tries.
PENALTY_TIMEOUT_S = 120.0
BATCH_QUERIES = 8  # in one try, so that its time does not grow with the number of queries
RETRY_SECONDS = 0.02
MIN_TIMEOUT_S = 0.001  # a try gets at least this: its answer may have arrived already


class ShardsUnavailable(RayClusterError):  # noqa: N818  # as in errors: named for what happened
    """This version of the shards was replaced, or does not answer."""


class ShardBackend:
    """The shards of one version of a shop. Every answer is of that version, or ShardsUnavailable is raised."""

    def __init__(self, summary: ShopSummary, handles: Sequence[Any], deadline: float = DEADLINE_SECONDS) -> None:
        """Create it from the version's summary, Ray Serve's handles of the shards in order, and a deadline in s."""
        self.summary = summary

        self.is_replaced = False  # by newer shards: a try that fails is then not repeated
        self._handles = list(handles)
        self._deadline = deadline
        # Answers queries from these shards. Its matches have no photos.
        self.engine = QueryEngine(summary, self, _no_photo)

    @property
    def version(self) -> str:
        """The version of the shop."""
        return self.summary.version

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the code of a product from its shard. Raises UnknownProduct, ShardsUnavailable."""
        shard = shard_of(product_id, len(self._handles))
        code = self._call([shard], "code_of", product_id, TRY_TIMEOUT_S)[0]
        if code is None:
            raise UnknownProduct(
                f"The shop has no product {product_id!r}.",
                remedy=f"Its ids look like {', '.join(self.summary.reference_codes.ids[:3])}.",
            )
        return code

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Return the merged hits of all shards for each query, best first. Raises ShardsUnavailable."""
        batches = [queries[start : start + BATCH_QUERIES] for start in range(0, len(queries), BATCH_QUERIES)]
        return [hits for batch in batches for hits in self._search_batch(batch)]

    def _search_batch(self, queries: Sequence[Query]) -> list[list[Hit]]:
        measured, shards = default_scorings(self.summary.tau), range(len(self._handles))
        is_slow = any(
            query.source_cluster is not None and scoring_key(query.method, query.metric, query.tau) not in measured
            for query in queries
        )
        if is_slow:  # wait that long only for shards that answer at all
            self._call(shards, "ping", None, TRY_TIMEOUT_S)
        timeout = PENALTY_TIMEOUT_S if is_slow else TRY_TIMEOUT_S
        hits_by_shard = self._call(shards, "search", list(queries), timeout)
        return [merge_hits([hits[i] for hits in hits_by_shard], query.k) for i, query in enumerate(queries)]

    def replica_status(self) -> list[dict[str, Any]]:
        """Return what one replica of each shard reports of itself."""
        return [handle.status.remote().result(timeout_s=DEADLINE_SECONDS) for handle in self._handles]

    def _call(self, shards: Sequence[int], name: str, argument: Any, timeout: float) -> list[Any]:
        """Return what a method of each shard returns; another replica is tried if one dies or takes too long."""
        until = time.monotonic() + max(self._deadline, timeout)

        def start(shard: int) -> Any:
            return getattr(self._handles[shard], name).remote(argument)

        responses = [(shard, _attempt(lambda shard=shard: start(shard))) for shard in shards]
        started_at = time.monotonic()
        return [self._await_answer(shard, start, response, started_at, until, timeout) for shard, response in responses]

    def _await_answer(
        self, shard: int, start: Callable[[int], Any], response: Any, started_at: float, until: float, timeout: float
    ) -> Any:
        while True:
            if not isinstance(response, Exception):
                left = max(started_at + timeout - time.monotonic(), MIN_TIMEOUT_S)
                response = _attempt(lambda response=response, left=left: _result_within(response, left))
            if not isinstance(response, Exception):
                version, answer = response
                if version == self.version:
                    return answer
                response = ShardsUnavailable(f"Shard {shard} is of version {version}, not {self.version}.")
            if self.is_replaced or time.monotonic() > until:
                raise ShardsUnavailable(
                    f"Shard {shard} does not answer: {type(response).__name__}.",
                    remedy="See `ray status` and Ray's logs; `modiste shards` deploys the shards again.",
                ) from response
            time.sleep(RETRY_SECONDS)
            started_at = time.monotonic()
            response = _attempt(lambda: start(shard))


def _result_within(response: Any, seconds: float) -> Any:
    try:
        return response.result(timeout_s=seconds)
    except TimeoutError:
        response.cancel()
        raise


def _attempt(work: Callable[[], Any]) -> Any:
    """Return what some work returns, or the exception that it raises: Ray raises many kinds, and all are retried."""
    try:
        return work()
    except Exception as error:
        return error


def _no_photo(product_id: str) -> bytes:
    raise RayClusterError(
        f"Shards have no photos, such as that of product {product_id!r}.", remedy="Open the shop to read them."
    )
