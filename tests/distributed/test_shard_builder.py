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


def test_subprocess_builds_shards_and_raises_its_errors(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    shard_files = build_shards(absolute_location(small), 2)
    assert shard_files == ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    shutil.rmtree(shard_files.path(1))
    build_shard(shard_files, 1)
    summary = shard_files.summary()
    assert summary is not None
    shards = [shard_files.open(shard, summary) for shard in range(2)]
    assert sum(len(shard) for shard in shards if shard is not None) == summary.product_count
    index_shop(small, tau=0.3)
    with pytest.raises(StaleError, match="by now") as raised:
        build_shard(ShardFiles(shard_files.location, shard_files.version, 3), 0)
    assert raised.value.remedy
    with pytest.raises(ShopNotFound):
        build_shards(absolute_location(tmp_path / "nothing"), 2)
