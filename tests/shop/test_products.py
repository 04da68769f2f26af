"""Products in memory, with attributes that are read on first use."""

from __future__ import annotations

from pathlib import Path

import pytest

from modiste.errors import StaleError
from modiste.pipeline.product_changes import remove_products
from modiste.shop.shop import Shop
from modiste.storage.snapshot import SNAPSHOT_FILE


def test_attributes_are_the_same_with_and_without_a_snapshot(small: Path) -> None:
    mapped = Shop.open(small, need="catalogue")
    assert mapped.store.has_snapshot
    expected = list(mapped.catalogue.iter_products())
    (small / "store" / SNAPSHOT_FILE).unlink()
    read = Shop.open(small, need="catalogue")
    assert not read.store.has_snapshot
    assert list(read.catalogue.iter_products()) == expected
    assert [read.catalogue.attributes(row) for row in range(len(expected))] == [
        attributes for *_, attributes in expected
    ]


def test_changed_products_raise_stale_error(small: Path) -> None:
    (small / "store" / SNAPSHOT_FILE).unlink()
    shop = Shop.open(small, need="catalogue")
    remove_products(small, shop.catalogue.ids[:1])
    shop.store.refresh()
    with pytest.raises(StaleError, match="have changed since it was opened"):
        shop.catalogue.attributes(0)
