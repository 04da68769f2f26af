"""Front: whoever asks the shards of a shop. It keeps nothing but where they are, so that any number can be run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from modiste.distributed.ray_session import reach
from modiste.distributed.shard_backend import DEADLINE, Gone, Sharded
from modiste.distributed.shard_deploy import SHARD, replicas_of, running
from modiste.errors import ClusterError
from modiste.storage.location import absolute

T = TypeVar("T")
LOOK = 0.5  # seconds between looks for a newer generation
HEAD = 5.0  # seconds between looks whether the head is there
AWAY = 60.0  # seconds that it may be away
ANSWERING = 30.0  # seconds that new shards have to say what they are


class Front:
    """The newest shards of a shop, as `Sharded`; it goes over to newer ones by itself, between two questions."""

    def __init__(self, place: str, deadline: float = DEADLINE) -> None:
        """Of the shop at a place, with seconds for a look. Raises ClusterError where nothing answers for it."""
        import ray

        self._place = absolute(place)
        self._deadline = deadline
        self._lock = Lock()
        self._closing = Event()
        self.lost = Event()
        """Set when the cluster is lost for good: one that is started anew is another, to be joined by a new process."""
        self._name = ""
        self._now: Sharded | None = None
        self.refresh()
        if self._now is None:
            raise ClusterError(
                f"No shards of {self._place} run on this cluster.",
                remedy=f"Set them up: modiste shards --shop {self._place} --cluster ADDRESS.",
            )
        self._head = str(ray.get_runtime_context().gcs_address)
        for work in (self._follow, self._look_after_head):
            Thread(target=work, name=f"front{work.__name__}", daemon=True).start()

    @property
    def now(self) -> Sharded:
        """The shards that are asked now: all of an answer is of the same."""
        assert self._now is not None
        return self._now

    def ask(self, work: Callable[[Sharded], T]) -> T:
        """What some work with the shards returns; done anew where they were replaced meanwhile. Raises Gone."""
        while True:
            asked = self.now
            try:
                return work(asked)
            except Gone:
                if self.now is asked:
                    raise

    def about(self) -> dict[str, Any]:
        """{"version", "products", "shards"}: of each shard its products and how many of its replicas run."""
        asked, replicas = self.now, replicas_of(self._name)
        shards = [told | {"replicas": replicas.get(i, 0)} for i, told in enumerate(asked.about())]
        return {"version": asked.version, "products": asked.count, "shards": shards}

    def refresh(self) -> None:
        """Go over to the newest generation, if there is a newer."""
        from ray import serve

        with self._lock:
            for name in running(self._place):
                if name == self._name:
                    return
                with suppress(Exception):  # it may be on its way out: the next is asked
                    first: Any = serve.get_deployment_handle(SHARD.format(0), app_name=name)
                    whole, shards = first.whole.remote().result(timeout_s=ANSWERING)
                    handles = [
                        serve.get_deployment_handle(SHARD.format(i), app_name=name) for i in range(shards)
                    ]
                    now = Sharded(whole, handles, self._deadline)
                    now.about()  # routes are found before anybody waits for them
                    old, self._name, self._now = self._now, name, now
                    if old is not None:
                        old.replaced = True
                    return

    def close(self) -> None:
        """Look for newer ones no more."""
        self._closing.set()

    def _follow(self) -> None:
        while not self._closing.wait(LOOK):
            with suppress(Exception):  # the cluster may be away for a moment; what is asked stays
                self.refresh()

    def _look_after_head(self) -> None:
        # Not by asking Ray, which waits without end for a head that is gone.
        answered = time.monotonic()
        while not self._closing.wait(HEAD):
            with suppress(ClusterError):
                reach(self._head)
                answered = time.monotonic()
            if time.monotonic() - answered > AWAY:
                self.lost.set()
                return
