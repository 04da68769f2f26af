"""A shop held by one process for a stage that writes to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from modiste.shop.files import writing
from modiste.shop.manifest import Manifest
from modiste.shop.shop import Shop
from modiste.shop.stages import Stage, shop_root


@contextmanager
def opened_for_writing(path: str | Path, *, need: Stage, threads: int = 1) -> Generator[Shop, None, None]:
    """The shop at `path`, held for one writing stage. Raises what Shop.open raises, and ShopBusy."""
    root = shop_root(path)
    Manifest.load(root)  # where there is no shop, nothing is made
    with writing(root):
        yield Shop.open(root, need=need, threads=threads, derived=False)
