"""Spreading: the pieces of a fit, one after the other here, or wherever whoever asks for it has them done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Given = TypeVar("Given")
Piece = TypeVar("Piece")
Done = TypeVar("Done")


class Spread(Protocol):
    """Does `begin(given)(piece)` for every piece, in order."""

    def __call__(
        self, begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
    ) -> Iterator[Done]: ...


def in_turn(
    begin: Callable[[Given], Callable[[Piece], Done]], given: Given, pieces: Iterable[Piece]
) -> Iterator[Done]:
    """One piece after the other, in this thread."""
    return map(begin(given), pieces)
