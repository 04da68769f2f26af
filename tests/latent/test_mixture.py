"""Densities of the mixture and overlap of its components."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal

from modiste.latent.mixture import Mixture, bhattacharyya_distances


def mixture(m: int = 3, n: int = 4) -> Mixture:
    random = np.random.default_rng(0)
    roots = random.normal(size=(m, n, n))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(n)
    return Mixture(np.full(m, 1 / m), random.normal(size=(m, n)), covariances, np.array([0, 1, 0]))


def test_mixture_densities_match_scipy() -> None:
    model = mixture()
    codes = np.random.default_rng(1).normal(size=(9, 4))
    expected = np.stack(
        [
            np.log(w) + multivariate_normal(mean, cov).logpdf(codes)
            for w, mean, cov in zip(model.weights, model.means, model.covariances, strict=True)
        ],
        axis=1,
    )
    np.testing.assert_allclose(model.log_joint(codes), expected)
    np.testing.assert_array_equal(model.assign_groups(codes), model.groups[expected.argmax(axis=1)])


def test_bhattacharyya_distance_matches_the_integral() -> None:
    means, covariances = np.array([[0.0], [1.5]]), np.array([[[1.0]], [[0.25]]])
    x = np.linspace(-12, 12, 200_001)
    first, second = (multivariate_normal(m, c).pdf(x) for m, c in zip(means, covariances, strict=True))
    expected = -np.log(np.trapezoid(np.sqrt(first * second), x))
    np.testing.assert_allclose(bhattacharyya_distances(means, covariances), [[0, expected], [expected, 0]], atol=1e-6)
