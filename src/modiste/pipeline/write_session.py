"""A shop locked by one process for a stage that writes to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.shop.loading import Stage
from modiste.shop.shop import Shop
from modiste.storage.location import write_path


@contextmanager
def open_for_writing(path: str | Path, *, need: Stage, threads: int = 1) -> Generator[Shop, None, None]:
    """Lock the shop at `path` and open it for one stage that writes.

    On object storage, the changes are committed at the end of the block. Raises what Shop.open raises, and ShopBusy.
    """
    with write_path(path) as root:
        yield Shop.open(root, need=need, threads=threads, use_index=False)
