"""Eq. 1 and Eq. 2 of the paper, against SciPy and by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import norm

from modiste.errors import BadCode
from modiste.latent.posterior import check_code, fixed_epsilon_code, log_likelihood

finite = st.floats(-5, 5, width=32)
spread = st.floats(0.015625, 4, width=32)


def cases(n: int = 3, rows: int = 5) -> st.SearchStrategy:
    return st.tuples(
        npst.arrays(np.float32, n, elements=finite),
        npst.arrays(np.float32, (rows, n), elements=finite),
        npst.arrays(np.float32, (rows, n), elements=spread),
    )


@given(cases(), st.sampled_from([0.0, 0.1, 1.0]))
def test_the_likelihood_is_that_of_scipy(case, tau) -> None:
    code, mean, std = case
    wide = np.sqrt(std.astype(float) ** 2 + tau**2)
    expected = norm.logpdf(code.astype(float), mean.astype(float), wide).sum(axis=1)
    np.testing.assert_allclose(log_likelihood(code, mean, std, tau), expected, rtol=1e-10, atol=1e-9)


@given(cases())
def test_a_batch_is_its_codes_one_by_one(case) -> None:
    code, mean, std = case
    batch = np.stack([code, code + 1])
    expected = [log_likelihood(one, mean, std) for one in batch]
    np.testing.assert_array_equal(log_likelihood(batch, mean, std), expected)


@given(cases(), st.permutations(range(3)))
def test_the_order_of_latents_does_not_matter(case, order) -> None:
    code, mean, std = case
    got = log_likelihood(code[order], mean[:, order], std[:, order])
    np.testing.assert_allclose(got, log_likelihood(code, mean, std), rtol=1e-12, atol=1e-9)


@given(cases())
def test_no_code_is_likelier_than_the_mean(case) -> None:
    code, mean, std = case
    assert (log_likelihood(code, mean, std) <= log_likelihood(mean[0], mean[:1], std[:1])[0] + 1e-9)[0]


def test_a_large_tau_ranks_by_the_expected_squared_distance() -> None:
    # log(σ² + τ²) ≈ log τ² + σ²/τ²: of the same order as the distance, so the limit is |z − μ|² + Σσ², not Euclid.
    rng = np.random.default_rng(0)
    code, mean = rng.normal(size=4), rng.normal(size=(50, 4))
    std = rng.uniform(0.05, 0.5, (50, 4))
    distance = ((code - mean) ** 2 + std**2).sum(axis=1)
    assert np.array_equal(np.argsort(-log_likelihood(code, mean, std, 1e3)), np.argsort(distance))


def test_fixed_epsilon_uses_the_deviation_not_the_variance() -> None:
    code = fixed_epsilon_code(np.float32([1.0]), np.float32([0.5]), [2.0])
    assert code.tolist() == [2.0]  # with the variance it would be 1.5
    assert code.dtype == np.float32


@pytest.mark.parametrize(
    "code",
    [
        [1.0],
        [[1.0, 2.0, 3.0]],
        [np.nan, 0.0],
        [np.inf, 0.0],
        [1e30, 0.0],
        "ab",
        ["a", "b"],
        [],
        np.zeros((0, 2)),
    ],
)
def test_bad_codes_are_refused(code) -> None:
    with pytest.raises(BadCode) as caught:
        check_code(code, 2)
    assert caught.value.remedy


def test_good_codes_pass() -> None:
    assert check_code([1, 2], 2).dtype == np.float32
    assert check_code([[1, 2], [3, 4]], 2).shape == (2, 2)
