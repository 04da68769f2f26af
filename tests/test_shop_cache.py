"""The cache of the tests' trained shops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import shop_cache
from tests.shop_cache import copy_cached_shop

CALLS: list[Path] = []


def make(root: Path) -> None:
    CALLS.append(root)
    root.mkdir()
    (root / "shop.json").write_text("{}")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    CALLS.clear()
    monkeypatch.setattr(shop_cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_shop_is_built_once_and_each_caller_gets_a_copy(tmp_path: Path) -> None:
    first = copy_cached_shop("toy", make, tmp_path / "first")
    (first / "shop.json").write_text("changed by a test")
    second = copy_cached_shop("toy", make, tmp_path / "second")
    assert (second / "shop.json").read_text() == "{}"
    assert len(CALLS) == 1


def test_changed_sources_replace_the_cached_shop(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_cached_shop("toy", make, tmp_path / "first")
    monkeypatch.setattr(shop_cache, "_sources", lambda _: iter([shop_cache.ROOT / "Makefile"]))
    copy_cached_shop("toy", make, tmp_path / "second")
    assert len(CALLS) == 2
    assert len([path for path in empty_cache.iterdir() if path.is_dir()]) == 1


def test_unfinished_shop_of_a_killed_run_is_removed(tmp_path: Path, empty_cache: Path) -> None:
    (empty_cache / "toy-unfinished").mkdir(parents=True)
    (empty_cache / "toy-unfinished" / "half").touch()
    shop = copy_cached_shop("toy", make, tmp_path / "shop")
    assert [path.name for path in shop.iterdir()] == ["shop.json"]


def test_cache_key_covers_the_pipeline_and_not_the_server() -> None:
    rooms = {path.parts[-2] for path in shop_cache._sources(make)}
    assert {"modiste", "pipeline", "training", "requirements", "tests"} <= rooms
    assert not {"server", "cli", "evaluate", "distributed"} & rooms
