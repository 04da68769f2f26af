"""Shard files of one version of a shop, also after the shop has changed."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modiste.distributed.shard_files import MAX_VERSIONS, PENALTIES_DIR, PRODUCTS_FILE, ShardFiles
from modiste.errors import BadCount, StaleError
from modiste.pipeline.index import index_shop
from modiste.shop.backend import Query, merge_hits
from modiste.shop.hubness import META_FILE
from modiste.shop.shop import Shop
from modiste.storage.location import absolute_location


@pytest.fixture
def shop_and_files(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ShardFiles]:
    """A shop, and the files of its two shards."""
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    shard_files = ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    shard_files.build()
    return small, shard_files


def search_shards(shard_files: ShardFiles, code: np.ndarray) -> list[list[object]]:
    """Return the merged results of the shards."""
    summary = shard_files.summary()
    assert summary is not None
    queries = [
        Query(code, 9, "likelihood", "euclidean", summary.tau, fields="details"),
        Query(code, 9, "mean", "manhattan", 0.0, fields="position"),
        Query(code, 3, "likelihood", "euclidean", 0.1, cluster=0, source_cluster=1),
        Query(code, 3, "likelihood", "euclidean", summary.tau, cluster=0, source_cluster=1),
    ]
    shards = [shard_files.open(shard, summary) for shard in range(shard_files.shards)]
    answers = [shard.search(queries) for shard in shards if shard is not None]
    assert len(answers) == shard_files.shards
    return [list(merge_hits([each[i] for each in answers], query.k)) for i, query in enumerate(queries)]


def test_shards_give_the_shops_answers_even_after_it_changes(shop_and_files: tuple[Path, ShardFiles]) -> None:
    path, shard_files = shop_and_files
    shop = Shop.open(path, need="map")
    code = shop.code_of(shop.catalogue.ids[4])
    queries = [
        Query(code, 9, "likelihood", "euclidean", shop.tau, fields="details"),
        Query(code, 9, "mean", "manhattan", 0.0, fields="position"),
        Query(code, 3, "likelihood", "euclidean", 0.1, cluster=0, source_cluster=1),
        Query(code, 3, "likelihood", "euclidean", shop.tau, cluster=0, source_cluster=1),
    ]
    expected = shop.query_engine.backend.search(queries)
    assert search_shards(shard_files, code) == expected
    index_shop(path, tau=0.4)  # the shop has another version now
    assert search_shards(shard_files, code) == expected
    assert shard_files.build().version == shard_files.version  # every file exists already
    with pytest.raises(StaleError, match="by now"):
        ShardFiles(shard_files.location, shard_files.version, 3).build()


def test_damaged_shard_is_not_opened(shop_and_files: tuple[Path, ShardFiles]) -> None:
    _, shard_files = shop_and_files
    summary = shard_files.summary()
    assert summary is not None
    words = shard_files.path(1) / PRODUCTS_FILE
    words.write_bytes(words.read_bytes()[:100])
    assert shard_files.open(1, summary) is None
    assert shard_files.open(0, summary) is not None
    assert ShardFiles(shard_files.location, "another", 2).summary() is None
    shard_files.build()
    assert shard_files.open(1, summary) is not None  # built again


def test_changed_byte_is_detected(shop_and_files: tuple[Path, ShardFiles]) -> None:
    _, shard_files = shop_and_files
    summary = shard_files.summary()
    assert summary is not None
    files = sorted(path for path in shard_files.path(0).rglob("*") if path.is_file())
    assert len(files) > 3
    for path in files:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert shard_files.open(0, summary) is None, path
        path.write_bytes(data)
    assert shard_files.open(0, summary) is not None


def test_changed_attributes_make_another_version(shop_and_files: tuple[Path, ShardFiles]) -> None:
    path, shard_files = shop_and_files
    before = Shop.open(path)
    first = before.store.get(before.catalogue.ids[0])
    before.store.upsert([replace(first, attributes=first.attributes | {"price": 12345})])
    after = Shop.open(path, need="map")
    assert after.store.hash() == before.store.hash()
    assert after.version != before.version == shard_files.version
    again = ShardFiles(shard_files.location, after.version, 2)
    summary = again.build()
    kinds = {each: summary.kinds[each] for each in summary.kinds}
    assert kinds["price"] == "number"
    shards = [again.open(shard, summary) for shard in range(2)]
    where = {"price": {"min": 12345}}
    queries = [Query(after.code_of(first.id), 9, "likelihood", "euclidean", after.tau, where=where)]
    hits = [hit.id for shard in shards if shard is not None for hit in shard.search(queries)[0]]
    assert hits == [first.id]


def test_old_versions_are_removed(shop_and_files: tuple[Path, ShardFiles]) -> None:
    path, shard_files = shop_and_files
    for tau in range(1, MAX_VERSIONS + 2):
        index_shop(path, tau=tau / 10)
        ShardFiles(shard_files.location, Shop.open(path).version, 1).build()
    assert shard_files.summary() is None
    assert sum(each.is_dir() for each in shard_files.root.parent.iterdir()) == MAX_VERSIONS


def test_hub_penalties_are_computed_once_and_stored(shop_and_files: tuple[Path, ShardFiles]) -> None:
    path, shard_files = shop_and_files
    code = Shop.open(path).code_of(Shop.open(path).catalogue.ids[0])
    label = shard_files.path(0) / PENALTIES_DIR / META_FILE
    assert not label.exists()
    before = search_shards(shard_files, code)
    written = label.read_text()
    assert search_shards(shard_files, code) == before
    assert label.read_text() == written
    (shard_files.path(0) / PENALTIES_DIR / "0.npy").write_bytes(b"")  # damaged: measured again
    assert search_shards(shard_files, code) == before
    assert label.read_text() != written


def test_concurrent_builds_make_complete_shards(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    shard_files = ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    with ThreadPoolExecutor(3) as pool:
        summaries = list(pool.map(shard_files.build, [[0], [0, 1], None]))
    assert {summary.version for summary in summaries} == {shard_files.version}
    assert all(shard_files.open(shard, summaries[0]) is not None for shard in range(2))


def test_number_of_versions_is_limited_per_shop(shop_and_files: tuple[Path, ShardFiles], tmp_path: Path) -> None:
    path, shard_files = shop_and_files
    others = [
        ShardFiles(absolute_location(tmp_path / f"{number}" / path.name), shard_files.version, 1)
        for number in range(MAX_VERSIONS + 1)
    ]
    for each in others:
        shutil.copytree(path, each.location)
        each.build()
    assert shard_files.summary() is not None
    assert all(each.summary() is not None for each in others)
    assert len({each.root for each in others}) == len(others)


def test_invalid_shard_count_raises(small: Path) -> None:
    with pytest.raises(BadCount):
        ShardFiles(absolute_location(small), "any", 0).build()
