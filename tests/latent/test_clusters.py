"""K-means and the merged mixture find what is there, and are stored whole."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from modiste.errors import BadCount, SchemaError
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture, merge_components, name_clusters

FITS = pytest.mark.parametrize("fit", [fit_kmeans, fit_mixture])


def blobs(sizes: tuple[int, ...] = (200, 80, 40)) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 4) * 9
    points = [rng.normal(centres[j], 1.0, (size, 4)) for j, size in enumerate(sizes)]
    return np.concatenate(points).astype(np.float32), np.repeat(np.arange(len(sizes)), sizes)


@FITS
def test_separate_blobs_are_found(fit) -> None:
    points, truth = blobs()
    clusters = fit(points, 3, 0)
    assigned = clusters.assign(points)
    pairs = set(zip(assigned.tolist(), truth.tolist(), strict=True))
    assert len(pairs) == 3
    for j in range(3):
        np.testing.assert_allclose(clusters.centres[j], points[assigned == j].mean(axis=0), atol=1e-3)


def test_unequal_long_clusters_are_the_mixtures_strength() -> None:
    rng = np.random.default_rng(1)
    long = rng.normal(0, 1, (900, 3)) * (8, 0.5, 0.5)
    small = rng.normal((0, 6, 0), 0.5, (90, 3))
    points, truth = np.concatenate([long, small]), np.repeat([0, 1], (900, 90))
    found = fit_mixture(points, 2, 0).assign(points)
    accuracy = max((found == truth).mean(), (found != truth).mean())
    assert accuracy > 0.99
    paper = fit_kmeans(points, 2, 0).assign(points)
    assert max((paper == truth).mean(), (paper != truth).mean()) < 0.9


@FITS
def test_stored_as_json_and_read_back(fit) -> None:
    points, _ = blobs()
    clusters = fit(points, 3, 0)
    again = Clusters.from_dict(json.loads(json.dumps(clusters.to_dict())))
    assert np.array_equal(again.assign(points), clusters.assign(points))
    assert again.k == 3


@FITS
def test_the_same_seed_gives_the_same_clusters(fit) -> None:
    points, _ = blobs()
    assert np.array_equal(fit(points, 3, 5).centres, fit(points, 3, 5).centres)


@pytest.mark.parametrize("k", [0, 4])
@FITS
def test_k_must_fit_the_number_of_products(fit, k: int) -> None:
    with pytest.raises(BadCount, match="3 products"):
        fit(np.eye(3), k, 0)


@FITS
@pytest.mark.parametrize("k", [1, 2, 3])
def test_few_products_do(fit, k: int) -> None:
    assert fit(np.eye(3), k, 0).assign(np.eye(3)).max() < k


def test_damage_is_a_schema_error() -> None:
    good = fit_kmeans(np.eye(3), 2, 0).to_dict()
    for change in (
        {"labels": ["a"]},
        {"centres": "x"},
        {"on": "moon"},
        {"owner": [0, 7]},
        {"method": "magic"},
    ):
        with pytest.raises(SchemaError):
            Clusters.from_dict(good | change)
    with pytest.raises(SchemaError):
        Clusters.from_dict([])


def test_merging_identical_components_still_gives_k() -> None:
    owner = merge_components(np.zeros((5, 2)), np.stack([np.eye(2)] * 5), 3)
    assert sorted(set(owner.tolist())) == [0, 1, 2]


def test_names_are_majorities_and_unique() -> None:
    categories = ["bags"] * 3 + ["shoes"] * 5 + ["bags"] * 9
    assert name_clusters([0] * 3 + [1] * 5 + [2] * 9, categories) == ("bags 2", "shoes", "bags")
