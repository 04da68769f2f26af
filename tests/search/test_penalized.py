"""Penalized search with deviations so small that nearness overflows float32."""

from __future__ import annotations

import numpy as np

from modiste.search.index import LatentIndex

COUNT, LATENT = 200, 4


def test_tiny_deviations_are_ranked_as_in_float64() -> None:
    random = np.random.default_rng(0)
    mean = random.normal(0, 1.5, (COUNT, LATENT)).astype(np.float32)
    std = np.exp(random.uniform(*np.log([1e-20, 1e-16]), (COUNT, LATENT))).astype(np.float32)
    std[::2] = 0.3  # which float32 can score
    penalty = random.normal(0, 5, COUNT).astype(np.float32)
    index = LatentIndex([f"p{row:03}" for row in range(COUNT)], mean, std, mean)
    code = mean[1] + np.float32(0.5)
    wide, own = np.float64(std), code.astype(np.float64)
    with np.errstate(over="ignore"):
        exact = -0.5 * (((own - mean) / wide) ** 2 + np.log(2 * np.pi) + 2 * np.log(wide)).sum(axis=1)
    assert exact.min() < -3e38  # which float32 cannot hold
    expected = np.argsort(-(exact - penalty), kind="stable")[:150]
    nearest, scores, ranked = index.nearest_penalized(
        code, 150, penalty, "likelihood", "euclidean", 0.0, np.arange(COUNT)
    )
    assert nearest.tolist() == expected.tolist()
    np.testing.assert_allclose(scores, exact[expected], rtol=1e-9)
    np.testing.assert_allclose(ranked, (exact - penalty)[expected], rtol=1e-9)
    for rows, nearness in index.cluster_nearness(code[None], "likelihood", "euclidean", 0.0, 0):
        np.testing.assert_allclose(nearness[0], np.clip(exact[rows], -3e38, 3e38), rtol=1e-4)
