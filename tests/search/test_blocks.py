"""An index on disk is the index that was saved, or none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.search.test_index import QUESTIONS, catalogue, index_of

from modiste.search.index import LatentIndex

IDS = [f"p{i}" for i in range(600)]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    index_of(catalogue()).save(tmp_path / "index", "abc")
    return tmp_path / "index"


def test_it_answers_as_before(saved: Path) -> None:
    parts = catalogue()
    fresh, mapped = index_of(parts), LatentIndex.open(saved, "abc", IDS)
    assert mapped is not None
    for method, metric in QUESTIONS:
        for tau in (0.0, 0.2):
            for code in parts[0][:5]:
                one, two = (each.nearest(code, 9, method, metric, tau=tau) for each in (fresh, mapped))
                np.testing.assert_array_equal(one[0], two[0])
                np.testing.assert_array_equal(one[1], two[1])


def test_an_index_of_something_else_is_none(saved: Path, tmp_path: Path) -> None:
    assert LatentIndex.open(saved, "abd", IDS) is None
    assert LatentIndex.open(saved, "abc", IDS[1:]) is None
    assert LatentIndex.open(tmp_path / "nowhere", "abc", IDS) is None


@pytest.mark.parametrize("name", ["mean.npy", "rows.npy", "starts.npy", "most.npy", "index.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "other"])
def test_a_damaged_index_is_none(saved: Path, name: str, how: str) -> None:
    path = saved / name
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "index.json":
        path.write_text(json.dumps({"version": 0, "made_from": "abc"}))
    else:
        np.save(path, np.zeros((3, 3), np.float64))
    assert LatentIndex.open(saved, "abc", IDS) is None


def test_saving_again_replaces(saved: Path) -> None:
    index_of(catalogue(200)).save(saved, "later")
    assert LatentIndex.open(saved, "abc", IDS) is None
    found = LatentIndex.open(saved, "later", IDS[:200])
    assert found is not None
    assert len(found) == 200
    assert [path.name for path in saved.parent.iterdir()] == ["index"]
