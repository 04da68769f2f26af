"""Packing in a process of its own: what it makes, and that its errors are those of whoever asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modiste.distributed.shard_builder import pack, pack_one
from modiste.distributed.shard_files import Packs
from modiste.errors import ShopNotFound, StaleError
from modiste.pipeline.index import index_shop
from modiste.shop.shop import Shop
from modiste.storage.location import absolute

pytestmark = pytest.mark.slow


def test_what_it_makes_and_what_it_refuses(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    packs = pack(absolute(small), 2)
    assert packs == Packs(absolute(small), Shop.open(small).version, 2)
    shutil.rmtree(packs.path(1))
    pack_one(packs, 1)
    whole = packs.whole()
    assert whole is not None
    shelves = [packs.open(shard, whole) for shard in range(2)]
    assert sum(len(shelf) for shelf in shelves if shelf is not None) == whole.count
    index_shop(small, tau=0.3)
    with pytest.raises(StaleError, match="by now") as raised:
        pack_one(Packs(packs.place, packs.version, 3), 0)
    assert raised.value.remedy
    with pytest.raises(ShopNotFound):
        pack(absolute(tmp_path / "nothing"), 2)
