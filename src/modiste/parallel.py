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


class Each(Protocol):
    """Does `begin(given)(piece)` for every piece, in order."""

    def __call__(
        self, begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
    ) -> Iterator[Done]: ...


def in_turn(
    begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
) -> Iterator[Done]:
    """One piece after the other, in this thread."""
    return map(begin(given), pieces)


Given = TypeVar("Given")
AHEAD = 2  # pieces per worker that wait or are being done: none is idle, and memory is bounded


class Fleet(Protocol):
    """Workers that do the same thing to many pieces."""

    @property
    def workers(self) -> int:
        """How many pieces are done at once."""
        ...

    def each(
        self, begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
    ) -> Iterator[Done]:
        """What comes of every piece, in the order of the pieces, each once.

        `begin(given)` makes the function that does a piece; a worker calls it once and keeps what it made. Few pieces
        are taken ahead of those that were answered, so that `pieces` may be longer than any memory.
        """
        ...


@dataclass(frozen=True)
class Here:
    """Threads of this process."""

    workers: int = 1

    def each(
        self, begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
    ) -> Iterator[Done]:
        """See Fleet."""
        work = begin(given)
        with ThreadPoolExecutor(self.workers) as pool:
            yield from in_order(pieces, lambda piece: pool.submit(work, piece), Future.result, self._ahead)

    def _ahead(self) -> int:
        return AHEAD * self.workers


def in_order(
    pieces: Iterable[Piece],
    start: Callable[[Piece], Any],
    finish: Callable[[Any], Done],
    ahead: Callable[[], int],
) -> Iterator[Done]:
    """`finish(start(piece))` of every piece in turn, with up to `ahead()` of them started and not finished."""
    begun: deque[Any] = deque()
    for piece in pieces:
        begun.append(start(piece))
        while len(begun) >= ahead():
            yield finish(begun.popleft())
    while begun:
        yield finish(begun.popleft())
