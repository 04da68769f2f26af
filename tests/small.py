"""What the tests' small shops are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modiste.sources.record import Record, Rejection

GOLDEN = Path(__file__).parent / "golden"  # shops as released versions made them
SMALL = GOLDEN / "shop-0.1.0.zip"
FRAME = (64, 48)
COUNT = 90


class Listed:
    """A source that yields what it is given."""

    def __init__(self, items: list[Record | Rejection], name: str = "listed") -> None:
        self.items = items
        self.name = name

    def count(self) -> int | None:
        return len(self.items)

    def records(self) -> Iterator[Record | Rejection]:
        yield from self.items
