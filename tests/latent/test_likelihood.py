"""Log-likelihood, equation 2, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from modiste.errors import BadOption
from modiste.latent.likelihood import log_likelihood
from tests.latent.posteriors import catalogues


@given(catalogues(), st.floats(0, 2))
def test_likelihood_matches_scipy(case: tuple[np.ndarray, ...], tau: float) -> None:
    codes, mean, std = case
    total_std = np.sqrt(std.astype(np.float64) ** 2 + tau**2)
    expected = norm.logpdf(codes[:, None].astype(np.float64), mean.astype(np.float64), total_std).sum(axis=-1)
    np.testing.assert_allclose(log_likelihood(codes, mean, std, tau), expected, rtol=1e-9, atol=1e-9)


@given(catalogues())
def test_likelihood_of_a_batch_equals_that_of_single_codes(case: tuple[np.ndarray, ...]) -> None:
    codes, mean, std = case
    batch = log_likelihood(codes, mean, std)
    assert batch.dtype == np.float64
    np.testing.assert_array_equal(batch, [log_likelihood(code, mean, std) for code in codes])


@given(catalogues(), st.randoms(use_true_random=False))
def test_likelihood_follows_a_permutation_of_products(case: tuple[np.ndarray, ...], random: object) -> None:
    codes, mean, std = case
    order = np.arange(len(mean))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(
        log_likelihood(codes, mean[order], std[order]), log_likelihood(codes, mean, std)[:, order]
    )


def test_likelihood_of_an_empty_batch_is_empty() -> None:
    assert log_likelihood(np.empty((0, 3), np.float32), np.zeros((5, 3)), np.ones((5, 3))).shape == (0, 5)


def test_wide_tau_ranks_by_the_expected_square_distance() -> None:
    random = np.random.default_rng(0)
    mean, std = random.normal(size=(200, 6)), random.uniform(0.05, 0.5, (200, 6))
    code = random.normal(size=6)
    distances = (np.square(mean - code) + np.square(std)).sum(axis=1)
    ranked = np.argsort(-log_likelihood(code, mean, std, 1e3))
    np.testing.assert_array_equal(ranked[:20], np.argsort(distances)[:20])


@pytest.mark.parametrize("tau", [-0.1, float("nan"), float("inf")])
def test_invalid_tau_is_rejected(tau: float) -> None:
    with pytest.raises(BadOption, match="tau"):
        log_likelihood(np.zeros(2), np.zeros((3, 2)), np.ones((3, 2)), tau)
