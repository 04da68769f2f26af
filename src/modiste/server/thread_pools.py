"""Crews: threads that work for visitors, each with a queue that ends, so that a crowd is told at once to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import ParamSpec, TypeVar

from modiste.server.problems import ProblemException

P = ParamSpec("P")
T = TypeVar("T")


class BoundedPool:
    """Some threads. At most `most` requests may wait for them beside those that they work for."""

    def __init__(self, name: str, threads: int, max_waiting: int) -> None:
        self.name = name
        self._max_pending = max_waiting + threads
        self._pool = ThreadPoolExecutor(threads, name)
        self._lock = Lock()
        self.pending = 0  # running and waiting

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, run by one of the threads. Raises Refusal (503) when too many wait."""
        with self._lock:
            full = self.pending >= self._max_pending
            self.pending += not full
        if full:
            raise ProblemException(
                503,
                "busy",
                "The server has more to do than it can.",
                remedy="Ask again in a second.",
                headers={"Retry-After": "1"},
            )
        job = self._pool.submit(partial(work, *args, **kwargs))
        # Counted until it has ended, though whoever asked may have gone: the thread is taken until then.
        job.add_done_callback(lambda _: self._release())
        return await asyncio.wrap_future(job)

    def _release(self) -> None:
        with self._lock:
            self.pending -= 1

    def close(self) -> None:
        """Let the threads end what they are at."""
        self._pool.shutdown(wait=True, cancel_futures=True)
