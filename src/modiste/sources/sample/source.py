"""Sample catalogue as a source: products drawn in parallel processes, yielded in order."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

from modiste.errors import BadCount, BadOption
from modiste.sources.record import Record

MAX_IN_PROCESS_PRODUCTS = 64
"""Up to this many are drawn faster than a process starts."""
CHUNK_PRODUCTS = 16
MAX_SIDE_PIXELS = 2048


class SampleSource:
    """Products drawn by Modiste: footwear 55 %, bags 30 %, eyewear 15 %, each with its true attributes.

    Product i depends on `seed`, i and `size` only, so a smaller catalogue is the beginning of a larger one.

    Args:
        count: number of products, from 1 to 99,999.
        seed: seed of the catalogue.
        size: (height, width) of the photos in pixels, each from 16 to 2048.
        processes: number of parallel processes; None: one per core.

    Raises:
        BadCount: `count` is out of range.
        BadOption: `size` is out of range.
    """

    name = "sample"

    def __init__(
        self, count: int = 3000, seed: int = 0, size: tuple[int, int] = (240, 180), *, processes: int | None = None
    ) -> None:
        if not 1 <= count <= 99_999:
            raise BadCount(f"count is {count}.", remedy="Give a count from 1 to 99999.")
        if not all(16 <= side <= MAX_SIDE_PIXELS for side in size):
            raise BadOption(
                f"size is {size}.", remedy=f"Give (height, width), each from 16 to {MAX_SIDE_PIXELS} pixels."
            )
        self.seed, self.size = seed, size
        self._count = count
        self._processes = processes or os.cpu_count() or 1

    def count(self) -> int:
        """Return the number of products."""
        return self._count

    def records(self) -> Iterator[Record]:
        """Yield every product from `sample-00001` on, drawn when needed."""
        jobs = ((self.seed, index, self.size) for index in range(self._count))
        if self._count <= MAX_IN_PROCESS_PRODUCTS or self._processes < 2:
            yield from map(_draw, jobs)
            return
        # spawn: the same on every system, and safe beside threads
        pool = multiprocessing.get_context("spawn").Pool(self._processes)
        try:
            yield from pool.imap(_draw, jobs, chunksize=CHUNK_PRODUCTS)
        finally:
            pool.terminate()
            pool.join()


def _draw(job: tuple[int, int, tuple[int, int]]) -> Record:
    from modiste.sources.sample.articles import draw_product

    return draw_product(*job)[1]
