"""What a catalogue yields: records of products, and rejections of what could not become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

AttributeValue: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Url:
    """The http(s) address of a photo that is still to be fetched."""

    url: str


PhotoRef: TypeAlias = Path | bytes | Url
"""Where a photo is: a file, an encoded image file in memory, or an address."""


@dataclass(frozen=True, slots=True)
class Record:
    """One product as its source describes it; the photo has not been looked at yet.

    `attributes` are every other thing the source knows of the product, by snake_case name.
    """

    id: str
    category: str
    photo: PhotoRef
    attributes: dict[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])


@dataclass(frozen=True, slots=True)
class Rejection:
    """One product that did not make it into the catalogue, and why.

    `reason` is a stable word (`malformed-row`, `missing-photo`, `truncated`, …) to count by; `detail` is for
    a person to read; `row` is the line in the source's table (the header is line 1), where it has one.
    """

    id: str
    reason: str
    detail: str
    row: int | None = None


@runtime_checkable
class Source(Protocol):
    """A place where products come from. Reading it twice yields the same products in the same order."""

    @property
    def name(self) -> str:
        """What the source is called in messages and in the shop's manifest."""
        ...

    def count(self) -> int | None:
        """How many records and rejections `records` will yield; None where that is not known in advance."""
        ...

    def records(self) -> Iterator[Record | Rejection]:
        """Every product, one at a time, photos unread."""
        ...
