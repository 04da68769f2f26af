"""Hub penalties and the transfer between clusters: caching, small clusters and extreme codes."""

from __future__ import annotations

import numpy as np
import pytest

from modiste.latent.clusters import Clusters
from modiste.latent.hub_score import hub_score
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
    centres = np.stack([mean[cluster == j].mean(axis=0) if size else np.zeros(3) for j, size in enumerate(SIZES)])
    clusters = Clusters(centres.astype(np.float32), ("a", "b", "c", "d"), "mean", "kmeans")
    ids = [f"p{number}" for number in range(len(cluster))]
    return LatentIndex(ids, mean, std, mean, cluster=cluster), clusters, cluster, mean


def transfer_of(parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray]) -> ClusterTransfer:
    _, clusters, cluster, mean = parts
    return ClusterTransfer(clusters, lambda: ClusterMoments.of(cluster, mean, mean, len(clusters)))


def hub_penalty_of(parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray]) -> HubPenalty:
    return HubPenalty(parts[0], parts[2], transfer_of(parts))


def test_penalty_is_zero_outside_the_target_cluster(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray],
) -> None:
    _, _, cluster, mean = parts
    penalty = hub_penalty_of(parts).penalty(0, 1, "mean", "euclidean", 0.0)
    moved = transfer_of(parts).transfer(mean[cluster == 0], 0, 1, "transport", "mean")
    nearness = -np.square(moved[:, None] - mean[cluster == 1][None]).sum(axis=2)
    np.testing.assert_allclose(penalty[cluster == 1], STRENGTH * hub_score(nearness, 10), rtol=1e-4, atol=1e-4)
    assert not penalty[cluster != 1].any()


@pytest.mark.parametrize(("source", "target"), [(0, 3), (3, 0), (2, 1), (1, 2)])
def test_small_and_empty_clusters_have_finite_penalties(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], source: int, target: int
) -> None:
    hub_penalty = hub_penalty_of(parts)
    for method in ("likelihood", "mean", "fixed-epsilon"):
        assert np.isfinite(
            transfer_of(parts).transfer(np.zeros(3, np.float32), source, target, "transport", method)
        ).all()
        assert np.isfinite(hub_penalty.penalty(source, target, method, "manhattan", 0.1)).all()


def test_least_recently_used_penalties_are_dropped(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_penalty, measured = hub_penalty_of(parts), list[tuple[int, int]]()
    measure = HubPenalty._measure

    def count(self: HubPenalty, source: int, target: int, *rest: object) -> np.ndarray:
        measured.append((source, target))
        return measure(self, source, target, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(HubPenalty, "_measure", count)
    for _ in range(2):  # the likelihood ignores the metric, and the other methods ignore tau
        hub_penalty.penalty(0, 1, "likelihood", "euclidean", 0.0)
        hub_penalty.penalty(0, 1, "likelihood", "manhattan", 0.0)
        hub_penalty.penalty(0, 1, "mean", "euclidean", 0.0)
        hub_penalty.penalty(0, 1, "mean", "euclidean", 0.3)
    assert len(measured) == 2
    monkeypatch.setattr(hubness, "MAX_CACHED_VALUES", 50)  # cluster 1 takes 25, cluster 0 40
    hub_penalty.penalty(1, 0, "mean", "euclidean", 0.0)
    hub_penalty.penalty(0, 1, "mean", "euclidean", 0.0)
    assert len(measured) == 4


@pytest.mark.parametrize("method", ["likelihood", "mean"])
def test_precomputed_penalties_are_not_measured_again(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    index, _, cluster, _ = parts
    scoring = scoring_key(method, "euclidean", 0.1)
    pairs = [(source, target) for source in range(4) for target in range(4) if source != target]
    expected = [hub_penalty_of(parts).penalty(*pair, method, "euclidean", 0.1) for pair in pairs]
    penalties = {scoring: hub_penalty_of(parts).penalties(scoring, threads=3)}
    precomputed = HubPenalty(index, cluster, transfer_of(parts), penalties)
    monkeypatch.setattr(HubPenalty, "_measure", None)
    actual = [precomputed.penalty(*pair, method, "euclidean", 0.1) for pair in pairs]
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("method", ["likelihood", "mean"])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9, 1e18])
def test_extreme_codes_get_the_results_of_a_float64_scan(
    parts: tuple[LatentIndex, Clusters, np.ndarray, np.ndarray], method: str, offset: float
) -> None:
    index, _, cluster, mean = parts
    code = np.array([offset, -offset, 0.3], np.float32)
    penalty = np.linspace(0, 1, len(mean)).astype(np.float32)
    rows = np.flatnonzero(cluster == 1)
    nearest, _, _ = index.nearest_penalized(code, 5, penalty, method, "euclidean", 0.0, rows)
    square = np.square(code.astype(np.float64) - mean[rows]).sum(axis=1)
    nearness = -square if method == "mean" else -square / (2 * np.float64(np.float32(0.2)) ** 2)
    expected = nearness - penalty[rows]
    np.testing.assert_allclose(np.sort(expected)[::-1][:5], expected[np.searchsorted(rows, nearest)], rtol=1e-12)
