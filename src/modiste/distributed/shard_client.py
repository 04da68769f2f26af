"""Front: whoever asks the shards of a shop. It keeps nothing but where they are, so that any number can be run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from modiste.distributed.ray_session import probe_head
from modiste.distributed.shard_backend import DEADLINE_SECONDS, ShardBackend, ShardsUnavailable
from modiste.distributed.shard_deploy import DEPLOYMENT_NAME, count_replicas, list_running
from modiste.errors import ClusterError
from modiste.storage.location import absolute_location

T = TypeVar("T")
POLL_SECONDS = 0.5  # seconds between looks for a newer generation
HEAD_POLL_SECONDS = 5.0  # seconds between looks whether the head is there
HEAD_TIMEOUT_S = 60.0  # seconds that it may be away
HANDSHAKE_TIMEOUT_S = 30.0  # seconds that new shards have to say what they are


class ShardClient:
    """The newest shards of a shop, as `Sharded`; it goes over to newer ones by itself, between two questions."""

    def __init__(self, location: str, deadline: float = DEADLINE_SECONDS) -> None:
        """Of the shop at a place, with seconds for a look. Raises ClusterError where nothing answers for it."""
        import ray

        self._location = absolute_location(location)
        self._deadline = deadline
        self._lock = Lock()
        self._closing = Event()
        self.lost = Event()
        """Set when the cluster is lost for good: one that is started anew is another, to be joined by a new process."""
        self._name = ""
        self._current: ShardBackend | None = None
        self.refresh()
        if self._current is None:
            raise ClusterError(
                f"No shards of {self._location} run on this cluster.",
                remedy=f"Set them up: modiste shards --shop {self._location} --ray ADDRESS.",
            )
        self._head_address = str(ray.get_runtime_context().gcs_address)
        for work in (self._poll, self._watch_head):
            Thread(target=work, name=f"front{work.__name__}", daemon=True).start()

    @property
    def current(self) -> ShardBackend:
        """The shards that are asked now: all of an answer is of the same."""
        assert self._current is not None
        return self._current

    def run(self, work: Callable[[ShardBackend], T]) -> T:
        """What some work with the shards returns; done anew where they were replaced meanwhile. Raises Gone."""
        while True:
            shards = self.current
            try:
                return work(shards)
            except ShardsUnavailable:
                if self.current is shards:
                    raise

    def status(self) -> dict[str, Any]:
        """{"shop_version", "products", "shards"}: of each shard its products and how many of its replicas run."""
        asked, replicas = self.current, count_replicas(self._name)
        shards = [told | {"replicas": replicas.get(i, 0)} for i, told in enumerate(asked.replica_status())]
        return {"shop_version": asked.version, "products": asked.summary.product_count, "shards": shards}

    def refresh(self) -> None:
        """Go over to the newest generation, if there is a newer."""
        from ray import serve

        with self._lock:
            for name in list_running(self._location):
                if name == self._name:
                    return
                with suppress(Exception):  # it may be on its way out: the next is asked
                    first: Any = serve.get_deployment_handle(DEPLOYMENT_NAME.format(0), app_name=name)
                    summary, shard_count = first.summary.remote().result(timeout_s=HANDSHAKE_TIMEOUT_S)
                    handles = [
                        serve.get_deployment_handle(DEPLOYMENT_NAME.format(i), app_name=name)
                        for i in range(shard_count)
                    ]
                    now = ShardBackend(summary, handles, self._deadline)
                    now.replica_status()  # routes are found before anybody waits for them
                    old, self._name, self._current = self._current, name, now
                    if old is not None:
                        old.is_replaced = True
                    return

    def close(self) -> None:
        """Look for newer ones no more."""
        self._closing.set()

    def _poll(self) -> None:
        while not self._closing.wait(POLL_SECONDS):
            with suppress(Exception):  # the cluster may be away for a moment; what is asked stays
                self.refresh()

    def _watch_head(self) -> None:
        # Not by asking Ray, which waits without end for a head that is gone.
        answered = time.monotonic()
        while not self._closing.wait(HEAD_POLL_SECONDS):
            with suppress(ClusterError):
                probe_head(self._head_address)
                answered = time.monotonic()
            if time.monotonic() - answered > HEAD_TIMEOUT_S:
                self.lost.set()
                return
