"""A saved index opens with the same results, or not at all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from modiste.search.index import LatentIndex
from tests.search.test_index import QUERIES, catalogue, index_of

IDS = [f"p{i}" for i in range(600)]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    index_of(catalogue()).save(tmp_path / "index", "abc")
    return tmp_path / "index"


def test_saved_index_gives_the_same_results(saved: Path) -> None:
    parts = catalogue()
    fresh, mapped = index_of(parts), LatentIndex.open(saved, "abc", IDS)
    assert mapped is not None
    for method, metric in QUERIES:
        for tau in (0.0, 0.2):
            for code in parts[0][:5]:
                one, two = (each.nearest(code, 9, method, metric, tau=tau) for each in (fresh, mapped))
                np.testing.assert_array_equal(one[0], two[0])
                np.testing.assert_array_equal(one[1], two[1])


def test_open_returns_none_for_other_products(saved: Path, tmp_path: Path) -> None:
    assert LatentIndex.open(saved, "abd", IDS) is None
    assert LatentIndex.open(saved, "abc", IDS[1:]) is None
    assert LatentIndex.open(tmp_path / "nowhere", "abc", IDS) is None


@pytest.mark.parametrize("name", ["mean.npy", "rows.npy", "starts.npy", "most.npy", "index.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "other", "empty"])
def test_open_returns_none_for_a_damaged_index(saved: Path, name: str, how: str) -> None:
    path = saved / name
    if how == "empty":
        path.write_bytes(b"")
    elif how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "index.json":
        path.write_text(json.dumps({"version": 0, "made_from": "abc"}))
    else:
        np.save(path, np.zeros((3, 3), np.float64))
    assert LatentIndex.open(saved, "abc", IDS) is None


def test_saving_again_replaces_the_index(saved: Path) -> None:
    index_of(catalogue(200)).save(saved, "later")
    assert LatentIndex.open(saved, "abc", IDS) is None
    index = LatentIndex.open(saved, "later", IDS[:200])
    assert index is not None
    assert len(index) == 200
    assert [path.name for path in saved.parent.iterdir()] == ["index"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("starts", np.array([0, 10**6, 10**6, 6], np.int64)),
        ("starts", np.array([], np.int64)),
        ("starts", np.array([0, 3, 2, 6], np.int64)),
        ("rows", np.full((6, 128), 10**8, np.int32)),
        ("rows", np.full((6, 128), 3, np.int32)),
        ("mean", np.zeros(7, np.float32)),
    ],
)
def test_open_returns_none_for_inconsistent_arrays(saved: Path, name: str, value: np.ndarray) -> None:
    assert len(np.load(saved / "rows.npy")) == 6
    np.save(saved / f"{name}.npy", value)
    assert LatentIndex.open(saved, "abc", IDS) is None


def test_open_returns_none_if_the_index_is_replaced(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load, seen = np.load, []

    def slow(*args: object, **kwargs: object) -> object:
        seen.append(args)
        if len(seen) == 5:
            monkeypatch.setattr(np, "load", load)
            index_of(catalogue(seed=1)).save(saved, "abc")
        return load(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(np, "load", slow)
    assert LatentIndex.open(saved, "abc", IDS) is None
    assert LatentIndex.open(saved, "abc", IDS) is not None


def test_concurrent_saves(tmp_path: Path) -> None:
    index = index_of(catalogue())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: index.save(tmp_path / "index", "abc"), range(12)))
    assert LatentIndex.open(tmp_path / "index", "abc", IDS) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
