"""The small shops of the tests: a sample catalogue, and a source of any other records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modiste.sources.record import Record, Rejection

GOLDEN = Path(__file__).parent / "golden"  # shops as released versions made them
SMALL = GOLDEN / "shop-0.1.0.zip"
FRAME = (64, 48)
COUNT = 90


class Listed:
    """A source of a list of records."""

    def __init__(self, items: list[Record | Rejection], name: str = "listed") -> None:
        self.items = items
        self.name = name

    def count(self) -> int | None:
        return len(self.items)

    def records(self) -> Iterator[Record | Rejection]:
        yield from self.items


def small_sample() -> list[Record]:
    """Return the products of the small shop."""
    from modiste.sources.sample import SampleSource

    source = SampleSource(count=COUNT, seed=3, size=FRAME)
    return [item for item in source.records() if isinstance(item, Record)]


def build_small_shop(root: Path) -> None:
    """Build a whole shop of the small sample: a briefly trained model, encodings, clusters, sliders, map."""
    from modiste.pipeline.build import build

    source = Listed(list(small_sample()), "sample")
    build(source, root, frame=FRAME, epochs=10, latent=8, cluster_method="kmeans")
