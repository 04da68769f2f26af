"""Records of products, rejections, and the protocol of a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

AttributeValue: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Url:
    """The http(s) address of a photo that has not been fetched yet."""

    url: str


PhotoRef: TypeAlias = Path | bytes | Url
"""Location of a photo: a file, an encoded image in memory, or an address."""


@dataclass(frozen=True, slots=True)
class Record:
    """One product as its source describes it; the photo has not been read yet.

    `attributes` are all other columns of the source, by snake_case name.
    """

    id: str
    category: str
    photo: PhotoRef
    attributes: dict[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])


@dataclass(frozen=True, slots=True)
class Rejection:
    """A product that was left out of the catalogue, and why.

    `reason` is a stable word (`malformed_row`, `missing_photo`, `truncated`, …) to count by; `detail` is for people;
    `row` is the line in the source's table (the header is line 1), if it has one.
    """

    id: str
    reason: str
    detail: str
    row: int | None = None


@runtime_checkable
class Source(Protocol):
    """A source of products. Reading it twice yields the same products in the same order."""

    @property
    def name(self) -> str:
        """The source's name in messages and in the shop's manifest."""
        ...

    def count(self) -> int | None:
        """Return how many records and rejections `records` yields; None where that is not known in advance."""
        ...

    def records(self) -> Iterator[Record | Rejection]:
        """Yield every product, one at a time, photos unread."""
        ...
