"""Equations 1 and 2 against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from modiste.errors import BadCode, BadOption
from modiste.latent.posterior import check_code, fixed_epsilon_code, log_likelihood

latents = st.integers(1, 12)
values = st.floats(-8, 8, width=32)
spreads = st.floats(0.0009765625, 8, width=32)  # 2⁻¹⁰


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a batch of codes, and the means and standard deviations of some products."""
    n, rows, b = draw(latents), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    return (
        draw(arrays(np.float32, (b, n), elements=values)),
        draw(arrays(np.float32, (rows, n), elements=values)),
        draw(arrays(np.float32, (rows, n), elements=spreads)),
    )


@given(catalogues(), st.floats(0, 2))
def test_likelihood_matches_scipy(case: tuple[np.ndarray, ...], tau: float) -> None:
    codes, mean, std = case
    total_std = np.sqrt(std.astype(np.float64) ** 2 + tau**2)
    expected = norm.logpdf(codes[:, None].astype(np.float64), mean.astype(np.float64), total_std).sum(axis=-1)
    np.testing.assert_allclose(log_likelihood(codes, mean, std, tau), expected, rtol=1e-9, atol=1e-9)


@given(catalogues())
def test_batch_equals_loop(case: tuple[np.ndarray, ...]) -> None:
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


def test_empty_batch() -> None:
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


@given(catalogues())
def test_fixed_epsilon_uses_the_deviation_not_the_variance(case: tuple[np.ndarray, ...]) -> None:
    codes, mean, std = case
    epsilon = codes[0]
    code = fixed_epsilon_code(mean, std, epsilon)
    assert code.dtype == np.float32
    np.testing.assert_array_equal(code, mean + std * epsilon)
    np.testing.assert_array_equal(code[0], fixed_epsilon_code(mean[0], std[0], epsilon))


def test_fixed_epsilon_known_value() -> None:
    np.testing.assert_allclose(fixed_epsilon_code([1.0], [0.5], [2.0]), [2.0])  # variance would give 1.5


def test_fixed_epsilon_rejects_other_shapes() -> None:
    with pytest.raises(BadCode, match="epsilon"):
        fixed_epsilon_code(np.zeros((4, 3)), np.ones((4, 3)), np.zeros(4))


def test_check_code_accepts_codes_and_batches() -> None:
    assert check_code([1, 2, 3], 3).dtype == np.float32
    assert check_code(np.zeros((5, 3)), 3).shape == (5, 3)


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, 2.0],
        [[[1.0, 2.0, 3.0]]],
        5.0,
        [1.0, float("nan"), 0.0],
        [1.0, float("inf"), 0.0],
        [1e300, 0.0, 0.0],
        ["a", "b", "c"],
        [True, False, True],
        [1j, 0, 0],
        [[1.0, 2.0, 3.0], [1.0]],
        None,
    ],
)
def test_check_code_rejects(bad: object) -> None:
    with pytest.raises(BadCode) as caught:
        check_code(bad, 3)  # type: ignore[arg-type]
    assert "3" in caught.value.remedy
