"""ShardBackend with shards that do not answer, or are overloaded; stand-ins have the methods of shards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modiste.latent.clusters import Clusters
from modiste.shop.backend import Hit, Query

pytest.importorskip("ray")

from modiste.distributed.shard_backend import BATCH_QUERIES, ShardBackend, ShardsUnavailable


class Reply:
    """Stand-in for the response of a Ray Serve handle: it returns the answer, or times out for None."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def result(self, timeout_s: float) -> Any:
        if self._answer is None:
            time.sleep(timeout_s)
            raise TimeoutError
        return self._answer

    def cancel(self) -> None:
        pass


class Summary:
    """Stand-in for a ShopSummary with the attributes that the backend reads."""

    version, tau = "v", 0.0
    clusters = Clusters(np.zeros((1, 2), np.float32), ("all",), "code", "kmeans")


class Replica:
    """Stand-in for a replica's handle that answers with functions and records its calls."""

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.calls: list[tuple[str, Any]] = []
        for name, answer in answers.items():
            setattr(self, name, _Method(name, answer, self.calls))


class _Method:
    def __init__(self, name: str, answer: Callable[..., Any], calls: list[tuple[str, Any]]) -> None:
        self._name, self._answer, self._calls = name, answer, calls

    def remote(self, argument: Any) -> Reply:
        self._calls.append((self._name, argument))
        return Reply(self._answer(argument))


def make_query(tau: float = 0.0, source_cluster: int | None = None) -> Query:
    return Query(
        np.zeros(2, np.float32),
        1,
        "likelihood",
        "euclidean",
        tau,
        None if source_cluster is None else 0,
        source_cluster=source_cluster,
    )


def test_queries_are_sent_in_batches_and_answered_in_order() -> None:
    def answer(queries: list[Query]) -> Any:
        return "v", [[Hit(0.0, f"{each.tau}", 0.0)] for each in queries]

    replica = Replica(search=answer)
    queries = [make_query(tau=float(number)) for number in range(3 * BATCH_QUERIES + 1)]
    results = ShardBackend(Summary(), [replica]).search(queries)  # type: ignore[arg-type]
    assert [hits[0].id for hits in results] == [f"{each.tau}" for each in queries]
    assert [len(argument) for _, argument in replica.calls] == [BATCH_QUERIES, BATCH_QUERIES, BATCH_QUERIES, 1]


def test_slow_query_fails_fast_if_shards_do_not_answer() -> None:
    silent = Replica(ping=lambda _: None, search=lambda _: None)
    began = time.monotonic()
    with pytest.raises(ShardsUnavailable):
        ShardBackend(Summary(), [silent], deadline=0.5).search([make_query(tau=0.3, source_cluster=0)])  # type: ignore[arg-type]
    assert time.monotonic() - began < 10
    assert {name for name, _ in silent.calls} == {"ping"}


def test_slow_query_waits_if_shards_answer() -> None:
    slow = Replica(ping=lambda _: ("v", None), search=lambda queries: ("v", [[] for _ in queries]))
    assert ShardBackend(Summary(), [slow], deadline=0.5).search([make_query(tau=0.3, source_cluster=0)]) == [[]]  # type: ignore[arg-type]
    assert [name for name, _ in slow.calls] == ["ping", "search"]
