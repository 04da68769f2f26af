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
def packed(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ShardFiles]:
    """A shop, and the files of its two shards."""
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    packs = ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    packs.build()
    return small, packs


def looked(packs: ShardFiles, code: np.ndarray) -> list[list[object]]:
    """Return the merged results of the shards."""
    whole = packs.summary()
    assert whole is not None
    looks = [
        Query(code, 9, "likelihood", "euclidean", whole.tau, fields="details"),
        Query(code, 9, "mean", "manhattan", 0.0, fields="position"),
        Query(code, 3, "likelihood", "euclidean", 0.1, cluster=0, source_cluster=1),
        Query(code, 3, "likelihood", "euclidean", whole.tau, cluster=0, source_cluster=1),
    ]
    shelves = [packs.open(shard, whole) for shard in range(packs.shards)]
    answers = [shelf.search(looks) for shelf in shelves if shelf is not None]
    assert len(answers) == packs.shards
    return [list(merge_hits([each[i] for each in answers], look.k)) for i, look in enumerate(looks)]


def test_shards_answer_as_the_shop_also_after_it_changed(packed: tuple[Path, ShardFiles]) -> None:
    path, packs = packed
    shop = Shop.open(path, need="map")
    code = shop.code_of(shop.catalogue.ids[4])
    looks = [
        Query(code, 9, "likelihood", "euclidean", shop.tau, fields="details"),
        Query(code, 9, "mean", "manhattan", 0.0, fields="position"),
        Query(code, 3, "likelihood", "euclidean", 0.1, cluster=0, source_cluster=1),
        Query(code, 3, "likelihood", "euclidean", shop.tau, cluster=0, source_cluster=1),
    ]
    expected = shop.query_engine.backend.search(looks)
    assert looked(packs, code) == expected
    index_shop(path, tau=0.4)  # the shop is another by now
    assert looked(packs, code) == expected
    assert packs.build().version == packs.version  # all is there
    with pytest.raises(StaleError, match="by now"):
        ShardFiles(packs.location, packs.version, 3).build()


def test_damaged_shard_is_not_opened(packed: tuple[Path, ShardFiles]) -> None:
    _, packs = packed
    whole = packs.summary()
    assert whole is not None
    words = packs.path(1) / PRODUCTS_FILE
    words.write_bytes(words.read_bytes()[:100])
    assert packs.open(1, whole) is None
    assert packs.open(0, whole) is not None
    assert ShardFiles(packs.location, "another", 2).summary() is None
    packs.build()
    assert packs.open(1, whole) is not None  # built again


def test_changed_byte_is_detected(packed: tuple[Path, ShardFiles]) -> None:
    _, packs = packed
    whole = packs.summary()
    assert whole is not None
    files = sorted(path for path in packs.path(0).rglob("*") if path.is_file())
    assert len(files) > 3
    for path in files:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert packs.open(0, whole) is None, path
        path.write_bytes(data)
    assert packs.open(0, whole) is not None


def test_changed_attributes_are_another_version(packed: tuple[Path, ShardFiles]) -> None:
    path, packs = packed
    before = Shop.open(path)
    first = before.store.get(before.catalogue.ids[0])
    before.store.upsert([replace(first, attributes=first.attributes | {"price": 12345})])
    after = Shop.open(path, need="map")
    assert after.store.hash() == before.store.hash()
    assert after.version != before.version == packs.version
    again = ShardFiles(packs.location, after.version, 2)
    whole = again.build()
    kinds = {each: whole.kinds[each] for each in whole.kinds}
    assert kinds["price"] == "number"
    shelves = [again.open(shard, whole) for shard in range(2)]
    where = {"price": {"min": 12345}}
    looks = [Query(after.code_of(first.id), 9, "likelihood", "euclidean", after.tau, where=where)]
    hits = [hit.id for shelf in shelves if shelf is not None for hit in shelf.search(looks)[0]]
    assert hits == [first.id]


def test_old_versions_are_removed(packed: tuple[Path, ShardFiles]) -> None:
    path, packs = packed
    for tau in range(1, MAX_VERSIONS + 2):
        index_shop(path, tau=tau / 10)
        ShardFiles(packs.location, Shop.open(path).version, 1).build()
    assert packs.summary() is None
    assert sum(each.is_dir() for each in packs.root.parent.iterdir()) == MAX_VERSIONS


def test_first_process_computes_hub_penalties(packed: tuple[Path, ShardFiles]) -> None:
    path, packs = packed
    code = Shop.open(path).code_of(Shop.open(path).catalogue.ids[0])
    label = packs.path(0) / PENALTIES_DIR / META_FILE
    assert not label.exists()
    before = looked(packs, code)
    written = label.read_text()
    assert looked(packs, code) == before
    assert label.read_text() == written
    (packs.path(0) / PENALTIES_DIR / "0.npy").write_bytes(b"")  # damaged: measured again
    assert looked(packs, code) == before
    assert label.read_text() != written


def test_concurrent_builds(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    packs = ShardFiles(absolute_location(small), Shop.open(small).version, 2)
    with ThreadPoolExecutor(3) as pool:
        wholes = list(pool.map(packs.build, [[0], [0, 1], None]))
    assert {whole.version for whole in wholes} == {packs.version}
    assert all(packs.open(shard, wholes[0]) is not None for shard in range(2))


def test_versions_are_counted_per_shop(packed: tuple[Path, ShardFiles], tmp_path: Path) -> None:
    path, packs = packed
    others = [
        ShardFiles(absolute_location(tmp_path / f"{number}" / path.name), packs.version, 1)
        for number in range(MAX_VERSIONS + 1)
    ]
    for each in others:
        shutil.copytree(path, each.location)
        each.build()
    assert packs.summary() is not None
    assert all(each.summary() is not None for each in others)
    assert len({each.root for each in others}) == len(others)


def test_invalid_shard_count_raises(small: Path) -> None:
    with pytest.raises(BadCount):
        ShardFiles(absolute_location(small), "any", 0).build()
