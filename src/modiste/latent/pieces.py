"""Pieces: of a fit, or of many codes, done one after the other here, or by whoever is named to do each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

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
