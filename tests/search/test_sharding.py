"""Sharding: every product is in one shard, by its id alone, and ties are ordered as on one machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.errors import BadCount
from modiste.search.sharding import merge_top_k, rows_by_shard, shard_of


@given(st.lists(st.text(), unique=True), st.integers(1, 9))
def test_every_row_is_in_one_shard(ids: list[str], shards: int) -> None:
    rows = rows_by_shard(ids, shards)
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(ids)))
    assert all(shard_of(ids[row], shards) == shard for shard, some in enumerate(rows) for row in some)


def test_shards_have_about_the_same_size() -> None:
    sizes = [len(rows) for rows in rows_by_shard([f"{number:06d}" for number in range(20_000)], 7)]
    assert max(sizes) < 1.1 * min(sizes)


@pytest.mark.parametrize("shards", [0, -1, 10_000])
def test_number_of_shards_out_of_range_raises(shards: int) -> None:
    with pytest.raises(BadCount, match="shards"):
        rows_by_shard(["a"], shards)


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2)), unique=True), st.integers(0, 30))
def test_merged_results_equal_the_sorted_results(results: list[tuple[int, str]], k: int) -> None:
    split = [sorted(results[each::3]) for each in range(3)]
    assert merge_top_k(split, k, lambda one: (float(one[0]), one[1])) == sorted(results)[:k]
