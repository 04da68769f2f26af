"""Bounded pools refuse calls beyond their queue at once, and run the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from modiste.server.problems import ProblemException
from modiste.server.thread_pools import BoundedPool


def run_in_new_event_loop(visit: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine in a new thread's event loop: this thread may have a running one, of a browser test."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(visit())).result()


def test_full_queue_rejects_calls_until_it_empties() -> None:
    async def visit() -> None:
        pool, gate = BoundedPool("test", 1, 2), Event()
        tasks = [asyncio.create_task(pool.run(gate.wait, 10)) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(ProblemException) as caught:
            await pool.run(int)
        assert (caught.value.status_code, caught.value.code) == (503, "busy")
        assert caught.value.headers is not None
        assert caught.value.headers["Retry-After"] == "1"
        gate.set()
        assert await asyncio.gather(*tasks) == [True] * 3
        assert await pool.run(lambda: 5) == 5
        assert pool.pending == 0
        pool.close()

    run_in_new_event_loop(visit)


def test_cancelled_call_frees_its_place_once_its_thread_ends() -> None:
    async def visit() -> None:
        pool, gate = BoundedPool("test", 1, 1), Event()
        running = asyncio.create_task(pool.run(gate.wait, 10))
        waiting = asyncio.create_task(pool.run(int))
        await asyncio.sleep(0.05)
        waiting.cancel()
        running.cancel()
        await asyncio.gather(waiting, running, return_exceptions=True)
        assert pool.pending == 1  # the thread is still taken; the other never began
        gate.set()
        assert await pool.run(lambda: 7) == 7
        pool.close()

    run_in_new_event_loop(visit)


def test_exceptions_of_calls_are_raised() -> None:
    async def visit() -> None:
        pool = BoundedPool("test", 1, 1)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        assert pool.pending == 0
        pool.close()

    run_in_new_event_loop(visit)
