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


def made(count: int, n: int = 6, width: float = 0.1) -> tuple[LatentIndex, np.ndarray, np.ndarray]:
    code = np.random.default_rng(0).normal(size=(count, n)).astype(np.float32)
    std = np.full_like(code, width)
    return LatentIndex([str(i) for i in range(count)], code, std, code), code, std


def test_thresholds_climb_and_are_those_of_a_loop() -> None:
    index, code, _ = made(300)
    found = measure_thresholds(index, code)
    assert set(found) == {similarity_words.threshold_key(*asked) for asked in SCORINGS}
    gaps = np.sort(np.linalg.norm(code[:, None].astype(float) - code, axis=-1), axis=1)[:, 1:]
    expected = [np.percentile(gaps[:, rank - 1], percentile) for rank, percentile in QUANTILES]
    np.testing.assert_allclose(found["fixed-epsilon/euclidean"], expected, rtol=1e-5)
    for name, rungs in found.items():
        assert rungs == sorted(rungs, reverse=name == "likelihood")


def test_words_go_by_the_rungs() -> None:
    rungs = [1.0, 2.0, 3.0, 4.0]
    assert [describe_score(score, rungs, higher_is_nearer=False) for score in (0, 1.5, 3, 3.5, 9)] == list(
        WORDS
    )
    down = [-rung for rung in rungs]
    assert [describe_score(score, down, higher_is_nearer=True) for score in (0, -1.5, -3, -3.5, -9)] == list(
        WORDS
    )


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_products(count: int) -> None:
    index, code, std = made(count)
    for rungs in measure_thresholds(index, code).values():
        assert len(rungs) == len(QUANTILES)
        assert np.isfinite(rungs).all()
    loneliness = measure_neighbour_distances(index, code, std)
    assert len(loneliness) == 101
    assert describe_typicality(0.0, loneliness) == (1.0, "typical of the shop")
    assert describe_typicality(1e9, loneliness) == (0.0, "unlike anything in the shop")


def test_products_that_are_the_same() -> None:
    code = np.repeat(made(20)[1], 30, axis=0)
    index = LatentIndex([str(i) for i in range(len(code))], code, np.full_like(code, 0.1), code)
    rungs = measure_thresholds(index, code)["fixed-epsilon/euclidean"]
    assert rungs[0] == rungs[1] == rungs[2] == 0
    assert describe_score(0.0, rungs, higher_is_nearer=False) == "almost the same"
    # Within a posterior's own width a code is the same product, however alike the products are.
    loneliness = measure_neighbour_distances(index, code, np.full_like(code, 0.1))
    assert describe_typicality(0.2, loneliness)[1] == "typical of the shop"


def test_typicality_falls_with_the_distance() -> None:
    index, code, std = made(500)
    loneliness = measure_neighbour_distances(index, code, std)
    shares = [describe_typicality(distance, loneliness)[0] for distance in np.linspace(0, 5, 50)]
    assert shares == sorted(shares, reverse=True)
    words = [
        describe_typicality(distance, loneliness)[1]
        for distance in (0.1, loneliness[95], loneliness[100] * 1.1)
    ]
    assert words == ["typical of the shop", "unusual", "unlike anything in the shop"]
