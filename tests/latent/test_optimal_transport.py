"""Optimal-transport maps between clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modiste.errors import BadCode
from modiste.latent.optimal_transport import Moments, transport


def gaussians(seed: int, n: int = 3, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    parts = [
        random.standard_normal((count, n)) @ random.standard_normal((n, n)) + 5 * random.standard_normal(n)
        for _ in range(2)
    ]
    return np.concatenate(parts), np.repeat([0, 1], count)


@given(st.integers(0, 1000))
def test_transport_matrix_maps_one_covariance_to_the_other(seed: int) -> None:
    codes, cluster = gaussians(seed, count=200)
    moments = Moments.fit(codes, cluster, 2)
    matrix = moments.transport_matrix(0, 1)
    np.testing.assert_allclose(matrix @ moments.covariances[0] @ matrix.T, moments.covariances[1], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-8)
    assert np.linalg.eigvalsh(matrix).min() > 0  # of all such maps, the one without a turn


@given(st.integers(0, 1000))
def test_transport_back_is_the_inverse(seed: int) -> None:
    codes, cluster = gaussians(seed, count=200)
    moments = Moments.fit(codes, cluster, 2)
    there = transport(codes[:5], moments.transport_matrix(0, 1), moments.centres[0], moments.centres[1])
    back = transport(there, moments.transport_matrix(1, 0), moments.centres[1], moments.centres[0])
    np.testing.assert_allclose(back, codes[:5], rtol=1e-3, atol=1e-3)


def test_clusters_of_equal_shape_are_shifted() -> None:
    points = np.random.default_rng(0).standard_normal((500, 4))
    moments = Moments.fit(np.concatenate([points, points + 3]), np.repeat([0, 1], 500), 2)
    np.testing.assert_allclose(moments.transport_matrix(0, 1), np.eye(4), atol=1e-9)
    np.testing.assert_allclose(
        transport(points[0], moments.transport_matrix(0, 1), moments.centres[0], moments.centres[1]),
        points[0] + 3,
        atol=1e-5,
    )


def test_small_or_empty_cluster_is_shrunk_to_the_pooled_moments() -> None:
    codes, cluster = gaussians(0)
    few = np.concatenate([codes, codes[:1] + 1])
    moments = Moments.fit(few, np.append(cluster, 2), 4)
    assert np.isfinite(moments.transport_matrix(0, 2)).all()
    np.testing.assert_allclose(moments.centres[2], codes[0] + 1)
    np.testing.assert_allclose(moments.centres[3], few.mean(axis=0))


def test_constant_latent_stays_constant() -> None:
    codes, cluster = gaussians(0)
    flat = np.column_stack([codes, np.zeros(len(codes))])
    moments = Moments.fit(flat, cluster, 2)
    assert transport(flat[0], moments.transport_matrix(0, 1), moments.centres[0], moments.centres[1])[3] == 0


@pytest.mark.parametrize("shape", [(2,), (4,), (2, 2), (1, 1, 3)])
def test_codes_of_another_shape_are_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadCode):
        transport(np.zeros(shape), np.eye(3), np.zeros(3), np.zeros(3))


def test_overflowing_code_is_rejected() -> None:
    with pytest.raises(BadCode, match="too far from the products"):
        transport(np.full(3, 3e38, np.float32), 2.0 * np.eye(3), np.zeros(3), np.zeros(3))
