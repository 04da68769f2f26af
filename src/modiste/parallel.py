"""Executors: run the parts of a long stage in order, on threads of this process or elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Given = TypeVar("Given")
Piece = TypeVar("Piece")
Done = TypeVar("Done")


class MapFn(Protocol):
    """Does `begin(given)(piece)` for every piece, in order."""

    def __call__(
        self, setup: Callable[[Given], Callable[[Piece], Done]], context: Given, items: Iterable[Piece]
    ) -> Iterator[Done]: ...


def sequential(
    setup: Callable[[Given], Callable[[Piece], Done]], context: Given, items: Iterable[Piece]
) -> Iterator[Done]:
    """One piece after the other, in this thread."""
    return map(setup(context), items)


Given = TypeVar("Given")
ITEMS_PER_WORKER = 2  # pieces per worker that wait or are being done: none is idle, and memory is bounded


class Executor(Protocol):
    """Workers that do the same thing to many pieces."""

    @property
    def workers(self) -> int:
        """How many pieces are done at once."""
        ...

    def map(
        self, setup: Callable[[Given], Callable[[Piece], Done]], context: Given, items: Iterable[Piece]
    ) -> Iterator[Done]:
        """What comes of every piece, in the order of the pieces, each once.

        `begin(given)` makes the function that does a piece; a worker calls it once and keeps what it made. Few pieces
        are taken ahead of those that were answered, so that `pieces` may be longer than any memory.
        """
        ...


@dataclass(frozen=True)
class ThreadExecutor:
    """Threads of this process."""

    workers: int = 1

    def map(
        self, setup: Callable[[Given], Callable[[Piece], Done]], context: Given, items: Iterable[Piece]
    ) -> Iterator[Done]:
        """See Fleet."""
        work = setup(context)
        with ThreadPoolExecutor(self.workers) as pool:
            yield from ordered_map(
                items, lambda piece: pool.submit(work, piece), Future.result, self._max_pending
            )

    def _max_pending(self) -> int:
        return ITEMS_PER_WORKER * self.workers


def ordered_map(
    items: Iterable[Piece],
    submit: Callable[[Piece], Any],
    get_result: Callable[[Any], Done],
    max_pending: Callable[[], int],
) -> Iterator[Done]:
    """`finish(start(piece))` of every piece in turn, with up to `ahead()` of them started and not finished."""
    begun: deque[Any] = deque()
    for piece in items:
        begun.append(submit(piece))
        while len(begun) >= max_pending():
            yield get_result(begun.popleft())
    while begun:
        yield get_result(begun.popleft())
