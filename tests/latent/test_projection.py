"""Codes laid out on a plane."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.latent import projection
from modiste.latent.projection import interpolate_position, project_2d


def groups(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes in three groups far from each other, and the group of each."""
    random = np.random.default_rng(seed)
    of = np.arange(count) % 3
    return (random.normal(size=(count, 6)) + 12 * np.eye(6)[of]).astype(np.float32), of


def kept(codes: np.ndarray, of: np.ndarray) -> float:
    """The share of codes whose nearest on the plane is of their group."""
    flat = project_2d(codes)
    gaps = np.linalg.norm(flat[:, None] - flat, axis=-1) + np.eye(len(flat)) * 9
    return float((of[gaps.argmin(axis=1)] == of).mean())


@pytest.mark.parametrize("count", [1, 2, 3, 5, 49, 50, 51, 200])
def test_any_number_of_codes(count: int) -> None:
    codes, of = groups(count)
    flat = project_2d(codes)
    assert flat.shape == (count, 2)
    assert flat.dtype == np.float32
    assert ((flat >= 0) & (flat <= 1)).all()
    np.testing.assert_array_equal(flat, project_2d(codes))
    if count > 20:
        assert kept(codes, of) > 0.95


@pytest.mark.parametrize("count", [2, 60])
def test_codes_that_are_all_the_same(count: int) -> None:
    assert np.isfinite(project_2d(np.ones((count, 4), np.float32))).all()
    twins = np.repeat(groups(count)[0], 2, axis=0)
    assert np.isfinite(project_2d(twins)).all()


@pytest.mark.parametrize("count", [1, 60])
def test_one_latent(count: int) -> None:
    assert project_2d(np.arange(count, dtype=np.float32)[:, None]).shape == (count, 2)


def test_what_is_too_many_is_placed_between_its_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "MAX_TSNE_CODES", 120)
    codes, of = groups(400)
    assert kept(codes, of) > 0.95


def test_between_neighbours() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(interpolate_position(corners, np.ones(3)), [1 / 3, 1 / 3])
    np.testing.assert_allclose(interpolate_position(corners, np.array([0.0, 1.0, 2.0])), [0, 0])
    np.testing.assert_allclose(interpolate_position(corners, np.array([0.0, 0.0, 2.0])), [0.5, 0])
    np.testing.assert_allclose(interpolate_position(corners, np.array([1e-30, 1.0, 1e30])), [0, 0], atol=1e-9)
