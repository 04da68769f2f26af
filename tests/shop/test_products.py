"""The products of a shop in memory: their attributes are read when they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from modiste.errors import StaleError
from modiste.pipeline.update import remove_products
from modiste.shop.shop import Shop
from modiste.storage.snapshot import SNAPSHOT_FILE


def test_attributes_are_the_same_with_and_without_a_snapshot(small: Path) -> None:
    mapped = Shop.open(small, need="catalogue")
    assert mapped.store.has_snapshot
    held = list(mapped.catalogue.iter_products())
    (small / "store" / SNAPSHOT_FILE).unlink()
    read = Shop.open(small, need="catalogue")
    assert not read.store.has_snapshot
    assert list(read.catalogue.iter_products()) == held
    assert [read.catalogue.attributes(row) for row in range(len(held))] == [each for *_, each in held]


def test_attributes_of_other_products_are_never_taken_for_theirs(small: Path) -> None:
    (small / "store" / SNAPSHOT_FILE).unlink()
    shop = Shop.open(small, need="catalogue")
    remove_products(small, shop.catalogue.ids[:1])
    shop.store.refresh()
    with pytest.raises(StaleError, match="have changed since it was opened"):
        shop.catalogue.attributes(0)
