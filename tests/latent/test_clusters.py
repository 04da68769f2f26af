"""Fitting, naming, storing and assigning clusters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modiste.errors import BadCode, BadCount, SchemaError
from modiste.latent import clusters as clusters_module
from modiste.latent.category_clusters import fit_categories
from modiste.latent.clusters import Clusters, fit_kmeans, fit_mixture, name_clusters

FITS = {"kmeans": fit_kmeans, "mixture": fit_mixture}


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return three groups of unequal size and shape, as product categories are: codes (600, 4), group of each."""
    random = np.random.default_rng(seed)
    sizes, spread = (420, 120, 60), ((3.0, 0.3, 0.3, 0.3), (0.3, 1.5, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3))
    middle = ((0, 0, 0, 0), (0, 3, 3, 0), (2, -3, 0, 3))
    parts = [random.normal(m, s, (c, 4)) for m, s, c in zip(middle, spread, sizes, strict=True)]
    return np.concatenate(parts).astype(np.float32), np.repeat([0, 1, 2], sizes)


@pytest.fixture(scope="module", params=sorted(FITS))
def fitted(request: pytest.FixtureRequest) -> tuple[Clusters, np.ndarray]:
    codes, _ = blobs()
    return FITS[request.param](codes, 3, 0), codes


def test_centres_are_the_means_of_the_assigned_codes(fitted: tuple[Clusters, np.ndarray]) -> None:
    clusters, codes = fitted
    groups = clusters.assign(codes)
    means = [codes[groups == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose(clusters.centres, means, atol=1e-4)
    assert clusters.centres.dtype == np.float32


def test_clusters_are_numbered_by_size(fitted: tuple[Clusters, np.ndarray]) -> None:
    clusters, codes = fitted
    sizes = np.bincount(clusters.assign(codes))
    assert len(clusters) == len(sizes) == 3
    assert sorted(sizes, reverse=True) == list(sizes)


def test_single_codes_are_assigned_as_a_batch(fitted: tuple[Clusters, np.ndarray]) -> None:
    clusters, codes = fitted
    batch = clusters.assign(codes[:20])
    assert batch.shape == (20,)
    assert [int(clusters.assign(code)) for code in codes[:20]] == batch.tolist()


def test_json_round_trip(fitted: tuple[Clusters, np.ndarray]) -> None:
    clusters, codes = fitted
    loaded = Clusters.from_dict(json.loads(json.dumps(clusters.to_dict())))
    np.testing.assert_array_equal(loaded.centres, clusters.centres)
    np.testing.assert_array_equal(loaded.assign(codes), clusters.assign(codes))
    assert (loaded.labels, loaded.features, loaded.method) == (clusters.labels, clusters.features, clusters.method)


@pytest.mark.parametrize("method", sorted(FITS))
def test_result_depends_on_the_seed_and_not_on_row_order(method: str) -> None:
    codes, _ = blobs()
    first = FITS[method](codes, 3, 5)
    np.testing.assert_array_equal(first.centres, FITS[method](codes, 3, 5).centres)
    order = np.random.default_rng(1).permutation(len(codes))
    reordered = FITS[method](codes[order], 3, 5)
    np.testing.assert_array_equal(reordered.assign(codes), first.assign(codes))


def test_mixture_separates_groups_of_unequal_size_and_shape() -> None:
    codes, truth = blobs()
    mixture, kmeans = fit_mixture(codes, 3, 0), fit_kmeans(codes, 3, 0)
    assert mixture.method == "mixture"
    assert np.mean(mixture.assign(codes) == truth) > 0.97  # numbered by size, as the truth is
    assert np.mean(kmeans.assign(codes) == truth) < 0.9


def test_kmeans_assigns_to_the_nearest_centre() -> None:
    codes, _ = blobs()
    clusters = fit_kmeans(codes, 4, 0)
    distances = np.linalg.norm(codes[:, None].astype(float) - clusters.centres[None], axis=2)
    np.testing.assert_array_equal(clusters.assign(codes), distances.argmin(axis=1))


@pytest.mark.parametrize("method", sorted(FITS))
@pytest.mark.parametrize("k", [1, 2, 5])
def test_every_cluster_has_products(method: str, k: int) -> None:
    codes, _ = blobs(3)
    assert np.bincount(FITS[method](codes, k, 0).assign(codes), minlength=k).min() > 0


@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 4)), elements=st.floats(-4, 4, width=16)))
def test_few_or_equal_rows_are_clustered_or_rejected(codes: np.ndarray) -> None:
    different = len(np.unique(codes, axis=0))
    for fit in FITS.values():
        if different < 2:
            with pytest.raises(BadCount):
                fit(codes, 2, 0)
        else:
            clusters = fit(codes, 2, 0)
            assert set(clusters.assign(codes).tolist()) == {0, 1}
            assert np.isfinite(clusters.centres).all()


@pytest.mark.parametrize("method", sorted(FITS))
def test_invalid_input_is_rejected(method: str) -> None:
    codes, _ = blobs()
    for k in (0, -1, len(codes) + 1):
        with pytest.raises(BadCount, match="different codes"):
            FITS[method](codes, k, 0)
    with pytest.raises(BadCode):
        FITS[method](np.full((5, 2), np.nan), 2, 0)
    with pytest.raises(BadCode):
        FITS[method](codes[:, :3], 2, 0).assign(codes)


DAMAGE: list[dict[str, Any]] = [
    {"centres": "much"},
    {"centres": [[1.0, 2.0], [3.0]]},
    {"centres": [[float("nan")] * 4] * 3},
    {"centres": []},
    {"centres": [[1e300] * 4] * 3},
    {"centres": [[10**400] * 4] * 3},
    {"labels": ["a"]},
    {"labels": [1, 2, 3]},
    {"labels": None},
    {"on": "photo"},
    {"method": "guess"},
    {"mixture": None},
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_json_raises_schema_error(damage: dict[str, Any]) -> None:
    good = fit_mixture(blobs()[0], 3, 0).to_dict()
    with pytest.raises(SchemaError):
        Clusters.from_dict(good | damage)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights", lambda x: [-1.0] * len(x)),
        ("weights", lambda x: x[:-1]),
        ("groups", lambda x: [0] * len(x)),
        ("groups", lambda x: [7, *x[1:]]),
        ("groups", lambda x: [0.5, *x[1:]]),
        ("groups", lambda x: [1e30, *x[1:]]),
        ("means", lambda x: [row[:-1] for row in x]),
        ("covariances", lambda x: [[[0.0] * 4] * 4] * len(x)),
        ("covariances", lambda x: [[[1.0, 9.0, 0, 0], *np.eye(4).tolist()[1:]]] * len(x)),
    ],
)
def test_damaged_mixture_raises_schema_error(name: str, change: Any) -> None:
    good = fit_mixture(blobs()[0], 3, 0).to_dict()
    mixture = good["mixture"] | {name: change(good["mixture"][name])}
    with pytest.raises(SchemaError):
        Clusters.from_dict(good | {"mixture": mixture})


def test_json_without_an_object_raises_schema_error() -> None:
    with pytest.raises(SchemaError):
        Clusters.from_dict([1, 2])


def test_cluster_names_are_the_majority_and_unique() -> None:
    groups = [0, 0, 0, 1, 1, 2, 2, 2, 2]
    kinds = ["shoe", "shoe", "bag", "bag", "bag", "shoe", "shoe", "shoe", "shoe"]
    assert name_clusters(groups, kinds) == ("shoe 2", "bag", "shoe")


def test_cluster_names_skip_a_number_that_is_taken() -> None:
    assert name_clusters([0, 0, 1, 1, 1, 2], ["a", "a", "a", "a", "a", "a 2"]) == ("a 2", "a", "a 2 2")


def test_cluster_without_products_is_named_empty() -> None:
    assert name_clusters([], []) == ()
    assert name_clusters([1], ["bag"]) == ("empty", "bag")


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc")), min_size=1), st.randoms())
def test_cluster_names_do_not_depend_on_row_order(pairs: list[tuple[int, str]], random: Any) -> None:
    first = name_clusters([p[0] for p in pairs], [p[1] for p in pairs])
    assert len(set(first)) == len(first)
    random.shuffle(pairs)
    assert name_clusters([p[0] for p in pairs], [p[1] for p in pairs]) == first


def threaded_map(setup: Callable[[Any], Callable[[Any], Any]], context: Any, items: Iterable[Any]) -> Iterator[Any]:
    """Map with several threads."""
    with ThreadPoolExecutor(4) as pool:
        yield from pool.map(setup(context), items)


@pytest.mark.parametrize("method", ["kmeans", "mixture", "category"])
def test_threads_give_the_same_clusters(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    codes = np.concatenate([random.normal(at, 1.0, (300, 4)) for at in (-3.0, 0.0, 4.0)]).astype(np.float32)

    def fit(*map_fn: Any) -> Clusters:
        if method == "category":
            return fit_categories(codes, ["a", "b", "c"] * 300, 0, *map_fn)
        return FITS[method](codes, 3, 0, *map_fn)

    monkeypatch.setattr(clusters_module, "ASSIGN_BATCH_ROWS", 100)
    sequential, threaded = fit(), fit(threaded_map)
    assert threaded.to_dict() == sequential.to_dict()
    np.testing.assert_array_equal(threaded.assign(codes, threaded_map), sequential.assign(codes))
