"""Clusters from the shop's categories."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.errors import BadCount
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import Clusters


def two_moons(count: int) -> tuple[np.ndarray, list[str]]:
    """Return two bent categories, one in the arm of the other, which no centres separate."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, np.pi, count)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.4 - np.sin(angle)])
    codes = np.concatenate([upper, lower]) + 0.05 * random.standard_normal((2 * count, 2))
    return codes.astype(np.float32), ["boots"] * count + ["bags"] * count


def test_bent_category_is_separated() -> None:
    codes, categories = two_moons(600)
    clusters = fit_categories(codes, categories)
    assert clusters.method == "category"
    assert clusters.labels == ("bags", "boots")  # as many of each: by name
    labels = [clusters.labels[j] for j in clusters.assign(codes)]
    assert np.mean([a == b for a, b in zip(labels, categories, strict=True)]) > 0.97


def test_largest_category_is_first_and_row_order_does_not_matter() -> None:
    codes, categories = two_moons(300)
    codes, categories = codes[:400], categories[:400]
    clusters = fit_categories(codes, categories)
    assert clusters.labels == ("boots", "bags")
    order = np.random.default_rng(1).permutation(len(codes))
    again = fit_categories(codes[order], [categories[i] for i in order])
    np.testing.assert_allclose(again.centres, clusters.centres, atol=1e-5)
    assert (again.assign(codes) == clusters.assign(codes)).mean() > 0.99


def test_category_of_one_product_has_a_cluster() -> None:
    codes, categories = two_moons(100)
    codes = np.concatenate([codes, [[9.0, 9.0]]]).astype(np.float32)
    clusters = fit_categories(codes, [*categories, "hats"])
    assert clusters.labels[2] == "hats"
    assert clusters.assign(codes[-1]) == 2


def test_json_round_trip() -> None:
    codes, categories = two_moons(200)
    clusters = fit_categories(codes, categories)
    again = Clusters.from_dict(clusters.to_dict())
    assert again.method == "category"
    assert (again.assign(codes) == clusters.assign(codes)).all()


def test_catalogue_without_products_raises() -> None:
    with pytest.raises(BadCount):
        fit_categories(np.empty((0, 2), np.float32), [])
