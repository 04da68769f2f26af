"""The ways between clusters: what is measured is kept, and what is odd is no trouble."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.latent.clusters import Clusters
from modiste.latent.optimal_transport import hub_score
from modiste.search.index import LatentIndex
from modiste.shop import hubness
from modiste.shop.cluster_transfer import ClusterMoments, ClusterTransfer
from modiste.shop.hubness import STRENGTH, HubPenalty, scoring_key

SIZES = (40, 25, 3, 0)


@pytest.fixture
def parts() -> tuple[LatentIndex, Clusters, np.ndarray, np.ndarray]:
    """Four clusters in three latents: large, large, tiny, and one without products."""
    random = np.random.default_rng(0)
    cluster = np.repeat(np.arange(4), SIZES)
    mean = (random.standard_normal((len(cluster), 3)) + 6.0 * cluster[:, None]).astype(np.float32)
    std = np.full_like(mean, 0.2)
    centres = np.stack(
        [mean[cluster == j].mean(axis=0) if size else np.zeros(3) for j, size in enumerate(SIZES)]
    )
    clusters = Clusters(centres.astype(np.float32), ("a", "b", "c", "d"), "mean", "kmeans")
    ids = [f"p{number}" for number in range(len(cluster))]
    return LatentIndex(ids, mean, std, mean, cluster=cluster), clusters, cluster, mean


def ways_of(parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray]) -> ClusterTransfer:
    _, clusters, cluster, mean = parts
    return ClusterTransfer(clusters, lambda: ClusterMoments.of(cluster, mean, mean, len(clusters)))


def made(parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray]) -> HubPenalty:
    return HubPenalty(parts[0], parts[2], ways_of(parts))


def test_crowding_is_of_the_other_cluster_alone(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray],
) -> None:
    _, _, cluster, mean = parts
    found = made(parts).penalty(0, 1, "mean", "euclidean", 0.0)
    moved = ways_of(parts).transfer(mean[cluster == 0], 0, 1, "transport", "mean")
    near = -np.square(moved[:, None] - mean[cluster == 1][None]).sum(axis=2)
    np.testing.assert_allclose(found[cluster == 1], STRENGTH * hub_score(near, 10), rtol=1e-4, atol=1e-4)
    assert not found[cluster != 1].any()


@pytest.mark.parametrize(("own", "other"), [(0, 3), (3, 0), (2, 1), (1, 2)])
def test_clusters_of_few_or_none(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], own: int, other: int
) -> None:
    held = made(parts)
    for method in ("likelihood", "mean", "fixed-epsilon"):
        assert np.isfinite(
            ways_of(parts).transfer(np.zeros(3, np.float32), own, other, "transport", method)
        ).all()
        assert np.isfinite(held.penalty(own, other, method, "manhattan", 0.1)).all()


def test_what_was_asked_last_is_kept_and_the_rest_goes(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, measured = made(parts), list[tuple[int, int]]()
    inner = HubPenalty._measure

    def counted(self: HubPenalty, own: int, other: int, *rest: object) -> np.ndarray:
        measured.append((own, other))
        return inner(self, own, other, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(HubPenalty, "_measure", counted)
    for _ in range(2):  # neither metric nor tau matters where it is not used
        held.penalty(0, 1, "likelihood", "euclidean", 0.0)
        held.penalty(0, 1, "likelihood", "manhattan", 0.0)
        held.penalty(0, 1, "mean", "euclidean", 0.0)
        held.penalty(0, 1, "mean", "euclidean", 0.3)
    assert len(measured) == 2
    monkeypatch.setattr(hubness, "MAX_CACHED_VALUES", 50)  # cluster 1 takes 25, cluster 0 40
    held.penalty(1, 0, "mean", "euclidean", 0.0)
    held.penalty(0, 1, "mean", "euclidean", 0.0)
    assert len(measured) == 4


@pytest.mark.parametrize("method", ["likelihood", "mean"])
def test_what_was_measured_beforehand_is_not_measured_again(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    index, _, cluster, _ = parts
    measure = scoring_key(method, "euclidean", 0.1)
    pairs = [(own, other) for own in range(4) for other in range(4) if own != other]
    expected = [made(parts).penalty(*pair, method, "euclidean", 0.1) for pair in pairs]
    known = HubPenalty(index, cluster, ways_of(parts), {measure: made(parts).penalties(measure, threads=3)})
    monkeypatch.setattr(HubPenalty, "_measure", None)
    found = [known.penalty(*pair, method, "euclidean", 0.1) for pair in pairs]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["likelihood", "mean"])
@pytest.mark.parametrize("far", [0.0, 1e3, 1e6, 1e9, 1e18])
def test_far_out_codes_get_the_answers_of_a_float64_scan(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], method: str, far: float
) -> None:
    index, _, cluster, mean = parts
    code = np.array([far, -far, 0.3], np.float32)
    less = np.linspace(0, 1, len(mean)).astype(np.float32)
    rows = np.flatnonzero(cluster == 1)
    found, _, _ = index.nearest_penalized(code, 5, less, method, "euclidean", 0.0, rows)
    square = np.square(code.astype(np.float64) - mean[rows]).sum(axis=1)
    near = -square if method == "mean" else -square / (2 * np.float64(np.float32(0.2)) ** 2)
    expected = near - less[rows]
    np.testing.assert_allclose(
        np.sort(expected)[::-1][:5], expected[np.searchsorted(rows, found)], rtol=1e-12
    )
