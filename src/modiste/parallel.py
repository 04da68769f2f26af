"""Executors: run the parts of a long stage in order, on threads of this process or on other machines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Context = TypeVar("Context")
Item = TypeVar("Item")
Result = TypeVar("Result")
ITEMS_PER_WORKER = 2  # waiting or in work: no worker is idle, and memory is bounded


class MapFn(Protocol):
    """Yields `setup(context)(item)` for every item, in order."""

    def __call__(
        self, setup: Callable[[Context], Callable[[Item], Result]], context: Context, items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield the results."""
        ...


def sequential(
    setup: Callable[[Context], Callable[[Item], Result]], context: Context, items: Iterable[Item]
) -> Iterator[Result]:
    """Yield the results one after the other, in this thread; a MapFn."""
    return map(setup(context), items)


class Executor(Protocol):
    """Workers that apply one function to many items."""

    @property
    def workers(self) -> int:
        """The number of items that are processed at once."""
        ...

    def map(
        self, setup: Callable[[Context], Callable[[Item], Result]], context: Context, items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield the result of every item once, in the order of the items.

        Each worker gets the context once, and calls `setup` with it once for its function. The items may be longer than
        memory: only a few are taken ahead of the results.
        """
        ...


@dataclass(frozen=True)
class ThreadExecutor:
    """Threads of this process."""

    workers: int = 1

    def map(
        self, setup: Callable[[Context], Callable[[Item], Result]], context: Context, items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield the results; see Executor."""
        work = setup(context)
        with ThreadPoolExecutor(self.workers) as pool:
            yield from ordered_map(
                items, lambda item: pool.submit(work, item), Future.result, lambda: ITEMS_PER_WORKER * self.workers
            )


def ordered_map(
    items: Iterable[Item],
    submit: Callable[[Item], Any],
    get_result: Callable[[Any], Result],
    max_pending: Callable[[], int],
) -> Iterator[Result]:
    """Yield `get_result(submit(item))` for every item in order, with at most `max_pending()` submitted ahead."""
    pending: deque[Any] = deque()
    for item in items:
        pending.append(submit(item))
        while len(pending) >= max_pending():
            yield get_result(pending.popleft())
    while pending:
        yield get_result(pending.popleft())
