"""Building shards in a subprocess: its files, and its errors in the calling process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modiste.distributed.shard_builder import build_shard, build_shards
from modiste.distributed.shard_files import ShardFiles
from modiste.errors import ShopNotFound, StaleError
from modiste.pipeline.index import index_shop
from modiste.shop.shop import Shop
from modiste.storage.location import absolute_location

pytestmark = pytest.mark.slow


def test_build_and_errors_of_the_subprocess(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    packs = build_shards(absolute_location(small), 2)
    assert packs == ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    shutil.rmtree(packs.path(1))
    build_shard(packs, 1)
    whole = packs.summary()
    assert whole is not None
    shelves = [packs.open(shard, whole) for shard in range(2)]
    assert sum(len(shelf) for shelf in shelves if shelf is not None) == whole.product_count
    index_shop(small, tau=0.3)
    with pytest.raises(StaleError, match="by now") as raised:
        build_shard(ShardFiles(packs.location, packs.version, 3), 0)
    assert raised.value.remedy
    with pytest.raises(ShopNotFound):
        build_shards(absolute_location(tmp_path / "nothing"), 2)
