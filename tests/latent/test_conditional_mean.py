"""The free latents of a code follow the fixed ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modiste.latent.conditional_mean import FREEDOM, PASSES, condition
from modiste.latent.mixture import Mixture

N = 5


def random_mixture(seed: int, m: int) -> Mixture:
    """Return a mixture of `m` Gaussians over N latents."""
    random = np.random.default_rng(seed)
    roots = random.normal(size=(m, N, N))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(N)
    weights = random.uniform(0.2, 1.0, m)
    return Mixture(weights / weights.sum(), random.normal(size=(m, N)), covariances, np.arange(m, dtype=np.intp))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), m=st.integers(1, 4), fixed=st.sets(st.integers(0, N - 1)))
def test_fixed_latents_keep_their_values(seed: int, m: int, fixed: set[int]) -> None:
    code = np.random.default_rng(seed).normal(size=N).astype(np.float32)
    moved = condition(random_mixture(seed, m), code, fixed)
    assert np.array_equal(moved[list(fixed)], code[list(fixed)])
    if len(fixed) in (0, N):
        assert np.array_equal(moved, code)


def test_one_gaussian_gives_the_closed_form() -> None:
    mixture, code = random_mixture(3, 1), np.array([2.0, -1.0, 0.5, 0.0, 1.0])
    mean, covariance = mixture.means[0], mixture.covariances[0]
    fixed, free = [0, 2], [1, 3, 4]
    gain = covariance[np.ix_(free, fixed)] @ np.linalg.inv(covariance[np.ix_(fixed, fixed)])
    expected = mean[free] + gain @ (code[fixed] - mean[fixed])
    spread = covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(fixed, free)]
    freedom = FREEDOM * np.diag(covariance).mean()
    precision, best = np.linalg.inv(spread) + np.eye(3) / freedom, code[free]
    for _ in range(PASSES):
        best = np.linalg.solve(precision, np.linalg.inv(spread) @ expected + best / freedom)
    assert condition(mixture, code, fixed)[free] == pytest.approx(best, abs=1e-5)


def test_a_component_that_explains_the_fixed_latents_decides() -> None:
    means = np.array([[-3.0, -3.0], [3.0, 3.0]])
    mixture = Mixture(np.array([0.5, 0.5]), means, np.tile(0.1 * np.eye(2), (2, 1, 1)), np.arange(2, dtype=np.intp))
    assert condition(mixture, [3.0, 0.0], [0])[1] > 1.5
    assert condition(mixture, [-3.0, 0.0], [0])[1] < -1.5


def test_present_values_decide_between_components_that_explain_the_fixed_latents_equally() -> None:
    means = np.array([[0.0, -3.0], [0.0, 3.0]])
    mixture = Mixture(np.array([0.5, 0.5]), means, np.tile(0.1 * np.eye(2), (2, 1, 1)), np.arange(2, dtype=np.intp))
    assert condition(mixture, [0.2, 2.5], [0])[1] == pytest.approx(3.0, abs=0.2)
    assert condition(mixture, [0.2, -2.5], [0])[1] == pytest.approx(-3.0, abs=0.2)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), m=st.integers(1, 4), fixed=st.sets(st.integers(0, N - 1), max_size=2))
def test_what_a_code_has_along_a_direction_is_kept(seed: int, m: int, fixed: set[int]) -> None:
    random = np.random.default_rng(seed)
    code, direction = random.normal(size=N), random.normal(size=N)
    direction /= np.linalg.norm(direction)
    moved = condition(random_mixture(seed, m), code, fixed, direction[None])
    assert moved @ direction == pytest.approx(code @ direction, abs=1e-4)
    assert moved[list(fixed)] == pytest.approx(code[list(fixed)], abs=1e-6)


def test_direction_of_an_axis_is_that_latent() -> None:
    mixture, code = random_mixture(5, 3), np.random.default_rng(0).normal(size=N)
    by_direction = condition(mixture, code, [1], np.eye(N)[[3]])
    assert by_direction == pytest.approx(condition(mixture, code, [1, 3]), abs=1e-4)
