"""Thread pools with bounded queues: an overloaded server refuses further requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import ParamSpec, TypeVar

from modiste.server.photo_worker.client import PhotoWorker
from modiste.server.problems import ProblemException
from modiste.server.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class BoundedPool:
    """A pool of `threads`. At most `max_waiting` calls wait for one."""

    def __init__(self, name: str, threads: int, max_waiting: int) -> None:
        self.name = name
        self._max_pending = max_waiting + threads
        self._pool = ThreadPoolExecutor(threads, name)
        self._lock = Lock()
        self.pending = 0  # running and waiting

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns on one of the threads. Raises ProblemException (503) if too many calls wait."""
        with self._lock:
            is_full = self.pending >= self._max_pending
            self.pending += not is_full
        if is_full:
            raise ProblemException(
                503, "busy", "The server is overloaded.", remedy="Retry in a second.", headers={"Retry-After": "1"}
            )
        future = self._pool.submit(partial(work, *args, **kwargs))
        # A call counts until it has ended, even if its client is gone: it occupies the thread until then.
        future.add_done_callback(lambda _: self._release())
        return await asyncio.wrap_future(future)

    def _release(self) -> None:
        with self._lock:
            self.pending -= 1

    def close(self) -> None:
        """Finish the running calls and stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class ThreadPools:
    """The thread pools of a server, which all versions of the shop share.

    Decoding and queries have separate threads, so that a search does not delay a slider. Photos and animations, which
    need much time and memory, run one at a time. Nothing computes on the event loop. A subprocess decodes photos.
    """

    def __init__(self, settings: Settings, extra_query_threads: int = 0) -> None:
        """Create the pools; `extra_query_threads` wait for another process that searches."""
        self.draw = BoundedPool("draw", settings.threads, settings.queue)
        self.query = BoundedPool("query", settings.threads + extra_query_threads, settings.queue)
        self.slow = BoundedPool("slow", 1, settings.queue)
        self.pools = (self.draw, self.query, self.slow)
        self.photo_worker = PhotoWorker()

    def close(self) -> None:
        """Finish the running calls, and stop the threads and the photo worker."""
        for pool in self.pools:
            pool.close()
        self.photo_worker.close()
