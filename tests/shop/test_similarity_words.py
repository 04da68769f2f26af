"""Scores and distances in words."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.search.index import LatentIndex
from modiste.shop import similarity_words
from modiste.shop.similarity_words import (
    QUANTILES,
    SCORINGS,
    WORDS,
    describe_score,
    describe_typicality,
    measure_neighbour_distances,
    measure_thresholds,
)


def random_index(count: int, n: int = 6, width: float = 0.1) -> tuple[LatentIndex, np.ndarray, np.ndarray]:
    code = np.random.default_rng(0).normal(size=(count, n)).astype(np.float32)
    std = np.full_like(code, width)
    return LatentIndex([str(i) for i in range(count)], code, std, code), code, std


def test_thresholds_are_sorted_and_equal_a_brute_force_loop() -> None:
    index, code, _ = random_index(300)
    thresholds_by_scoring = measure_thresholds(index, code)
    assert set(thresholds_by_scoring) == {similarity_words.threshold_key(*each) for each in SCORINGS}
    distances = np.sort(np.linalg.norm(code[:, None].astype(float) - code, axis=-1), axis=1)[:, 1:]
    expected = [np.percentile(distances[:, rank - 1], percentile) for rank, percentile in QUANTILES]
    np.testing.assert_allclose(thresholds_by_scoring["fixed-epsilon/euclidean"], expected, rtol=1e-5)
    for name, thresholds in thresholds_by_scoring.items():
        assert thresholds == sorted(thresholds, reverse=name == "likelihood")


def test_words_follow_the_thresholds() -> None:
    thresholds = [1.0, 2.0, 3.0, 4.0]
    assert [describe_score(score, thresholds, higher_is_nearer=False) for score in (0, 1.5, 3, 3.5, 9)] == list(WORDS)
    negative = [-each for each in thresholds]
    assert [describe_score(score, negative, higher_is_nearer=True) for score in (0, -1.5, -3, -3.5, -9)] == list(WORDS)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_thresholds_of_few_products_are_finite(count: int) -> None:
    index, code, std = random_index(count)
    for thresholds in measure_thresholds(index, code).values():
        assert len(thresholds) == len(QUANTILES)
        assert np.isfinite(thresholds).all()
    distances = measure_neighbour_distances(index, code, std)
    assert len(distances) == 101
    assert describe_typicality(0.0, distances) == (1.0, "typical of the shop")
    assert describe_typicality(1e9, distances) == (0.0, "unlike anything in the shop")


def test_equal_products_are_described_as_almost_the_same() -> None:
    code = np.repeat(random_index(20)[1], 30, axis=0)
    index = LatentIndex([str(i) for i in range(len(code))], code, np.full_like(code, 0.1), code)
    thresholds = measure_thresholds(index, code)["fixed-epsilon/euclidean"]
    assert thresholds[0] == thresholds[1] == thresholds[2] == 0
    assert describe_score(0.0, thresholds, higher_is_nearer=False) == "almost the same"
    # A code within a posterior's width is the same product, even if all products are equal.
    distances = measure_neighbour_distances(index, code, np.full_like(code, 0.1))
    assert describe_typicality(0.2, distances)[1] == "typical of the shop"


def test_typicality_decreases_with_distance() -> None:
    index, code, std = random_index(500)
    distances = measure_neighbour_distances(index, code, std)
    shares = [describe_typicality(distance, distances)[0] for distance in np.linspace(0, 5, 50)]
    assert shares == sorted(shares, reverse=True)
    words = [describe_typicality(distance, distances)[1] for distance in (0.1, distances[95], distances[100] * 1.1)]
    assert words == ["typical of the shop", "unusual", "unlike anything in the shop"]
