"""Fits and assignments do not depend on the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from modiste.latent import clusters
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture


def threaded_map(
    setup: Callable[[Any], Callable[[Any], Any]], context: Any, items: Iterable[Any]
) -> Iterator[Any]:
    """Map with several threads."""
    with ThreadPoolExecutor(4) as pool:
        yield from pool.map(setup(context), items)


@pytest.mark.parametrize("method", ["kmeans", "mixture", "category"])
def test_threads_give_the_same_clusters(method: str, monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(1)
    codes = np.concatenate([random.normal(at, 1.0, (300, 4)) for at in (-3.0, 0.0, 4.0)]).astype(np.float32)

    def fit(*map_fn: Any) -> Clusters:
        if method == "category":
            return fit_categories(codes, ["a", "b", "c"] * 300, 0, *map_fn)
        return {"kmeans": fit_kmeans, "mixture": fit_mixture}[method](codes, 3, 0, *map_fn)

    monkeypatch.setattr(clusters, "ASSIGN_BATCH_ROWS", 100)
    sequential, threaded = fit(), fit(threaded_map)
    assert threaded.to_dict() == sequential.to_dict()
    np.testing.assert_array_equal(threaded.assign(codes, threaded_map), sequential.assign(codes))
