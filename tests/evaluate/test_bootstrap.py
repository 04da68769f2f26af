from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modiste.evaluate.bootstrap import Bootstrap, mean_tree


def test_mean_tree_ignores_missing_values() -> None:
    tree = {"a": {"b": np.array([1.0, 3.0])}, "c": np.array([np.nan, 2.0]), "d": np.array([np.nan]), "e": np.empty(0)}
    assert mean_tree(tree) == {"a": {"b": 2.0}, "c": 2.0, "d": None, "e": None}


def test_intervals_have_the_trees_shape_and_are_reproducible() -> None:
    tree = {"a": {"b": np.array([1.0, 3.0, 2.0])}, "d": np.array([np.nan])}
    intervals = Bootstrap(3).intervals(tree)
    assert intervals == Bootstrap(3).intervals(tree)
    assert intervals["d"] is None
    low, high = intervals["a"]["b"]
    assert 1.0 <= low < 2.0 < high <= 3.0


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_interval_contains_the_mean(values: list[float]) -> None:
    array = np.array(values)
    low, high = Bootstrap().intervals(array)
    assert array.min() - 1e-9 <= low <= high <= array.max() + 1e-9
    assert low - 1e-9 <= array.mean() <= high + 1e-9 or len(array) < 10


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(0).standard_normal(2000)
    low, high = Bootstrap(0).intervals(values)
    reach = 1.96 * values.std() / np.sqrt(len(values))
    np.testing.assert_allclose([low, high], [values.mean() - reach, values.mean() + reach], atol=0.1 * reach)


def test_class_intervals_contain_the_known_scores() -> None:
    intervals = Bootstrap(0).class_intervals(np.array([[80, 20], [0, 100]]), ["bags", "shoes"])
    low, high = intervals["per_class"]["bags"]["recall"]
    assert 0.70 < low < 0.80 < high < 0.90
    assert intervals["per_class"]["shoes"]["recall"] == [1.0, 1.0]
    assert intervals["macro_f1"][0] < intervals["macro_f1"][1]
