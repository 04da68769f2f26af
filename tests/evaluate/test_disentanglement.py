from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.evaluate.disentanglement import (
    disentanglement_scores,
    encode_factor,
    pairwise_information,
    total_correlation,
)

COUNT = 1200


@pytest.fixture(scope="module")
def factors() -> dict[str, list[object]]:
    random = np.random.default_rng(0)
    return {
        "length": random.standard_normal(COUNT).tolist(),
        "colour": np.array(["red", "green", "blue"])[random.integers(0, 3, COUNT)].tolist(),
        "shiny": (random.random(COUNT) < 0.5).tolist(),
    }


def one_latent_per_factor(factors: dict[str, list[object]]) -> np.ndarray:
    noise = 0.05 * np.random.default_rng(1).standard_normal((COUNT, 4))
    return noise + np.stack([*(encode_factor(values)[0] for values in factors.values()), np.zeros(COUNT)], axis=1)


def test_one_latent_per_factor_scores_high(factors: dict[str, list[object]]) -> None:
    scores = disentanglement_scores(one_latent_per_factor(factors), factors)
    assert scores["dci_disentanglement"] > 0.9
    assert scores["dci_completeness"] > 0.9
    assert scores["mig"] > 0.8
    assert scores["sap"] > 0.3


def test_latents_that_mix_all_factors_score_low(factors: dict[str, list[object]]) -> None:
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    codes = one_latent_per_factor(factors)
    mixed = disentanglement_scores((codes - codes.mean(axis=0)) / codes.std(axis=0) @ turn, factors)
    clean = disentanglement_scores(codes, factors)
    for name, value in mixed.items():
        assert value < 0.7 * clean[name], name


def test_random_codes_score_near_zero(factors: dict[str, list[object]]) -> None:
    scores = disentanglement_scores(np.random.default_rng(3).standard_normal((COUNT, 4)), factors)
    assert scores["mig"] < 0.05
    assert scores["sap"] < 0.06


def test_single_latent_is_compared_with_zero(factors: dict[str, list[object]]) -> None:
    scores = disentanglement_scores(one_latent_per_factor(factors)[:, :1], factors)
    assert scores["mig"] > 0.2
    assert scores["sap"] > 0.1


@given(st.floats(-0.95, 0.95))
def test_total_correlation_of_two_latents_equals_the_formula(share: float) -> None:
    # Whitened, then mixed: the sample's correlation is exactly `share`, and the formula is ½ log 1 / (1 − share²).
    points = np.random.default_rng(0).standard_normal((500, 2))
    points -= points.mean(axis=0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    mixed = points @ np.linalg.cholesky(np.array([[1.0, share], [share, 1.0]])).T
    assert total_correlation(mixed) == pytest.approx(-0.5 * np.log(1 - share**2), abs=1e-9)


def test_total_correlation_ignores_scale_and_constant_latents() -> None:
    points = np.random.default_rng(0).standard_normal((500, 3))
    points[:, 1] += points[:, 0]
    scaled = np.column_stack([points * [1.0, 50.0, 0.01], np.full(500, 7.0)])
    assert total_correlation(scaled) == pytest.approx(total_correlation(points), abs=1e-9)


def test_pairwise_information_detects_equal_latents() -> None:
    random = np.random.default_rng(0)
    apart = random.standard_normal((5000, 2))
    assert pairwise_information(apart) < 0.06
    assert pairwise_information(np.column_stack([apart[:, 0], apart[:, 0]])) > 2.5


def test_missing_values_become_a_class_or_the_median() -> None:
    assert encode_factor([1.0, None, 3.0, 5.0])[0].tolist() == [1.0, 3.0, 3.0, 5.0]
    words, numeric = encode_factor(["b", None, "a"])
    assert not numeric
    assert len(set(words.tolist())) == 3
