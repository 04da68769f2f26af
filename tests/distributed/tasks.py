"""Process that runs a stage of a shop on a cluster, and prints its progress, so that tests can disturb it.

    python -m tests.distributed.tasks ADDRESS encode SHOP
    python -m tests.distributed.tasks ADDRESS ingest SHOP COUNT|SOURCE

It prints a line of JSON for each finished item, and "done" at the end, or the error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from modiste.distributed.ray_executor import ray_executor
from modiste.errors import ModisteError
from modiste.images.photo import to_jpeg
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.sources.record import Record, Rejection


class SyntheticSource:
    """A source of small synthetic products, all different, numbered from `first` to before `count`."""

    name = "made"

    def __init__(self, count: int, size: tuple[int, int] = (64, 48), first: int = 0) -> None:
        self._count, self._size, self._first = count, size, first

    def count(self) -> int:
        """Return the number of products."""
        return self._count - self._first

    def records(self) -> Iterator[Record | Rejection]:
        """Yield the products: two colours each, of three categories."""
        height, width = self._size
        for number in range(self._first, self._count):
            draw = np.random.default_rng(number)
            photo = np.full((height, width, 3), draw.integers(0, 255, 3), np.uint8)
            photo[height // 4 : height // 2, width // 4 :] = draw.integers(0, 255, 3)
            photo[-height // 4 :, : int(draw.integers(1, width))] = draw.integers(0, 255, 3)
            yield Record(f"made-{number:07}", f"kind {number % 3}", to_jpeg(photo), {"number": number})


def tell(progress: dict[str, Any]) -> None:
    """Print the progress as JSON."""
    print(json.dumps(progress), flush=True)


def main(address: str, what: str, shop: str, *more: str) -> None:
    """Run the stage."""
    with ray_executor(address) as fleet:
        if what == "encode":
            encode_shop(shop, executor=fleet, on_progress=tell)
        else:
            source = SyntheticSource(int(more[0])) if more[0].isdigit() else more[0]
            ingest(source, shop, frame=(64, 48), executor=fleet, on_progress=tell)
    print("done", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ModisteError as error:
        print(type(error).__name__, error.message, flush=True)
        sys.exit(error.exit_code)
