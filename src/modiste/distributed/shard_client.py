"""ShardClient: finds the newest shards of a shop and follows deployments. It has no other state."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from modiste.distributed.ray_session import probe_head
from modiste.distributed.shard_backend import DEADLINE_SECONDS, ShardBackend, ShardsUnavailable
from modiste.distributed.shard_deploy import DEPLOYMENT_NAME, count_replicas, list_running
from modiste.errors import RayClusterError
from modiste.storage.location import absolute_location

T = TypeVar("T")
POLL_SECONDS = 0.5  # between checks for a newer deployment
HEAD_POLL_SECONDS = 5.0
HEAD_TIMEOUT_S = 60.0
HANDSHAKE_TIMEOUT_S = 30.0  # for new shards to send their summary


class ShardClient:
    """The newest shards of a shop. It switches to newer ones by itself, between two queries."""

    def __init__(self, location: str, deadline: float = DEADLINE_SECONDS) -> None:
        """Connect to a shop's shards, with a deadline in seconds for one query. Raises RayClusterError if none run."""
        import ray

        self._location = absolute_location(location)
        self._deadline = deadline
        self._lock = Lock()
        self._closing = Event()
        self.lost = Event()
        """Set when the cluster is lost. A cluster that is started again needs a new process."""
        self._name = ""
        self._current: ShardBackend | None = None
        self.refresh()
        if self._current is None:
            raise RayClusterError(
                f"No shards of {self._location} run on this cluster.",
                remedy=f"Deploy them: modiste shards --shop {self._location} --ray ADDRESS.",
            )
        self._head_address = str(ray.get_runtime_context().gcs_address)
        for work in (self._poll, self._watch_head):
            Thread(target=work, name=f"shard-client{work.__name__}", daemon=True).start()

    @property
    def current(self) -> ShardBackend:
        """The newest shards. One answer uses one of these throughout."""
        assert self._current is not None
        return self._current

    def run(self, work: Callable[[ShardBackend], T]) -> T:
        """Return what `work` returns for the newest shards; repeat it if they are replaced.

        Raises ShardsUnavailable if they do not answer.
        """
        while True:
            shards = self.current
            try:
                return work(shards)
            except ShardsUnavailable:
                if self.current is shards:
                    raise

    def status(self) -> dict[str, Any]:
        """Return {"shop_version", "products", "shards"}: each shard's status, with its number of running replicas."""
        backend, replicas = self.current, count_replicas(self._name)
        shards = [status | {"replicas": replicas.get(i, 0)} for i, status in enumerate(backend.replica_status())]
        return {"shop_version": backend.version, "products": backend.summary.product_count, "shards": shards}

    def refresh(self) -> None:
        """Switch to the newest deployment."""
        from ray import serve

        with self._lock:
            for name in list_running(self._location):
                if name == self._name:
                    return
                with suppress(Exception):  # it may be stopping: try the next
                    first: Any = serve.get_deployment_handle(DEPLOYMENT_NAME.format(0), app_name=name)
                    summary, shard_count = first.summary.remote().result(timeout_s=HANDSHAKE_TIMEOUT_S)
                    handles = [
                        serve.get_deployment_handle(DEPLOYMENT_NAME.format(i), app_name=name)
                        for i in range(shard_count)
                    ]
                    backend = ShardBackend(summary, handles, self._deadline)
                    backend.replica_status()  # so that Ray knows the routes before the first query
                    previous, self._name, self._current = self._current, name, backend
                    if previous is not None:
                        previous.is_replaced = True
                    return

    def close(self) -> None:
        """Stop following deployments."""
        self._closing.set()

    def _poll(self) -> None:
        while not self._closing.wait(POLL_SECONDS):
            with suppress(Exception):  # the cluster may not answer for a moment: keep the current shards
                self.refresh()

    def _watch_head(self) -> None:
        # Without Ray, which would wait forever for a lost head.
        answered = time.monotonic()
        while not self._closing.wait(HEAD_POLL_SECONDS):
            with suppress(RayClusterError):
                probe_head(self._head_address)
                answered = time.monotonic()
            if time.monotonic() - answered > HEAD_TIMEOUT_S:
                self.lost.set()
                return
