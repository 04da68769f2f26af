"""2-D projection of codes."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.latent import map_layout
from modiste.latent.map_layout import interpolate_position, project_2d


def groups(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return codes in three distant groups, and the group of each."""
    random = np.random.default_rng(seed)
    group_of = np.arange(count) % 3
    return (random.normal(size=(count, 6)) + 12 * np.eye(6)[group_of]).astype(np.float32), group_of


def same_group_share(codes: np.ndarray, group_of: np.ndarray) -> float:
    """Return the share of codes whose nearest neighbour in the projection belongs to their group."""
    flat = project_2d(codes)
    gaps = np.linalg.norm(flat[:, None] - flat, axis=-1) + np.eye(len(flat)) * 9
    return float((group_of[gaps.argmin(axis=1)] == group_of).mean())


@pytest.mark.parametrize("count", [1, 2, 3, 5, 49, 50, 51, 200])
def test_any_number_of_codes_is_projected(count: int) -> None:
    codes, group_of = groups(count)
    flat = project_2d(codes)
    assert flat.shape == (count, 2)
    assert flat.dtype == np.float32
    assert ((flat >= 0) & (flat <= 1)).all()
    np.testing.assert_array_equal(flat, project_2d(codes))
    if count > 20:
        assert same_group_share(codes, group_of) > 0.95


@pytest.mark.parametrize("count", [2, 60])
def test_projection_of_equal_codes_is_finite(count: int) -> None:
    assert np.isfinite(project_2d(np.ones((count, 4), np.float32))).all()
    twins = np.repeat(groups(count)[0], 2, axis=0)
    assert np.isfinite(project_2d(twins)).all()


@pytest.mark.parametrize("count", [1, 60])
def test_codes_of_one_latent_are_projected(count: int) -> None:
    assert project_2d(np.arange(count, dtype=np.float32)[:, None]).shape == (count, 2)


def test_codes_beyond_the_sample_are_placed_between_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_layout, "MAX_TSNE_CODES", 120)
    codes, group_of = groups(400)
    assert same_group_share(codes, group_of) > 0.95


def test_position_is_interpolated_between_the_nearest_ones() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(interpolate_position(corners, np.ones(3)), [1 / 3, 1 / 3])
    np.testing.assert_allclose(interpolate_position(corners, np.array([0.0, 1.0, 2.0])), [0, 0])
    np.testing.assert_allclose(interpolate_position(corners, np.array([0.0, 0.0, 2.0])), [0.5, 0])
    np.testing.assert_allclose(interpolate_position(corners, np.array([1e-30, 1.0, 1e30])), [0, 0], atol=1e-9)
