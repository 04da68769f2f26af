from __future__ import annotations

import numpy as np

from modiste.evaluate.baselines import PrincipalComponents, colour_histograms, fit_pca

RANDOM = np.random.default_rng(0)


def smooth_photos(count: int) -> np.ndarray:
    """Return photos of few dimensions with a little noise."""
    parts = RANDOM.uniform(0, 60, (4, 8 * 6 * 3))
    noise = RANDOM.uniform(0, 4, (count, 8 * 6 * 3))
    return (RANDOM.uniform(0, 1, (count, 4)) @ parts + noise).astype(np.uint8).reshape(count, 8, 6, 3)


def test_principal_components_equal_sklearns() -> None:
    from sklearn.decomposition import PCA

    photos = smooth_photos(200)
    ours = fit_pca(photos, 4)
    theirs = PCA(4, svd_solver="full").fit(photos.reshape(200, -1).astype(float))
    np.testing.assert_allclose(np.abs(ours.axes @ theirs.components_.T), np.eye(4), atol=1e-3)
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-3)
    np.testing.assert_allclose(ours.axes @ ours.axes.T, np.eye(4), atol=1e-5)
    projected = theirs.inverse_transform(theirs.transform(photos.reshape(200, -1).astype(float)))
    drawn = ours.reconstruct(ours.project(photos), (8, 6))
    assert drawn.shape == photos.shape
    assert np.abs(drawn.reshape(200, -1) - projected.clip(0, 255)).max() < 0.6


def test_components_are_at_most_as_many_as_photos() -> None:
    components = fit_pca(smooth_photos(3), 16)
    assert components.axes.shape == (3, 8 * 6 * 3)
    assert np.isfinite(components.axes).all()


def test_reconstructed_pixels_are_clipped() -> None:
    components = PrincipalComponents(np.full(3, 250, np.float32), np.eye(1, 3, dtype=np.float32))
    assert components.reconstruct(np.array([[100.0], [-300.0]], np.float32), (1, 1)).tolist() == [
        [[[255, 250, 250]]],
        [[[0, 250, 250]]],
    ]


def test_colour_histogram_by_hand() -> None:
    photos = np.array([[[[0, 0, 0], [255, 255, 255]]], [[[32, 0, 0], [33, 31, 31]]]], np.uint8)
    histograms = colour_histograms(photos)
    assert histograms.shape == (2, 512)
    assert histograms[0, 0] == histograms[0, 511] == 0.5
    assert histograms[1, 64] == 1.0
    np.testing.assert_allclose(histograms.sum(axis=1), 1)
