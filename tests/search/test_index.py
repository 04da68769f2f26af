"""The fast scan gives what scoring everything in float64 gives, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modiste.errors import BadCode, BadCount, BadOption
from modiste.latent.posterior import log_likelihood
from modiste.search.index import LatentIndex

CONFIGS = [
    ("likelihood", "euclidean"),
    ("fixed-epsilon", "euclidean"),
    ("fixed-epsilon", "manhattan"),
    ("mean", "euclidean"),
    ("mean", "manhattan"),
]


def made(
    seed: int, count: int = 400, n: int = 16, smallest: float = 0.05, offset: float = 0.0
) -> LatentIndex:
    rng = np.random.default_rng(seed)
    mean = (rng.normal(size=(count, n)) + offset).astype(np.float32)
    std = np.exp(rng.uniform(np.log(smallest), 0, (count, n))).astype(np.float32)
    code = mean + std * rng.normal(size=n).astype(np.float32)
    return LatentIndex([str(i) for i in range(count)], mean, std, code)


def truth(index: LatentIndex, code, method: str, metric: str, tau: float = 0.0):
    if method == "likelihood":
        return -log_likelihood(code, index.mean, index.std, tau)
    points = index.code if method == "fixed-epsilon" else index.mean
    apart = np.asarray(code, np.float64) - points.astype(np.float64)
    return np.abs(apart).sum(axis=1) if metric == "manhattan" else np.sqrt((apart**2).sum(axis=1))


@pytest.mark.parametrize(("method", "metric"), CONFIGS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    smallest=st.sampled_from([1e-4, 1e-2, 0.3]),
    offset=st.sampled_from([0.0, 5.0]),
    k=st.sampled_from([1, 10, 400]),
    tau=st.sampled_from([0.0, 0.15]),
)
def test_exact(method, metric, seed, smallest, offset, k, tau) -> None:
    index = made(seed, smallest=smallest, offset=offset)
    code = np.random.default_rng(seed + 1).normal(size=16).astype(np.float32) + np.float32(offset)
    rows, scores = index.nearest(code, k, method, metric, tau=tau)
    costs = truth(index, code, method, metric, tau)
    order = np.lexsort((np.arange(len(costs)), costs))[:k]
    signed = -scores if method == "likelihood" else scores
    np.testing.assert_allclose(signed, costs[order], rtol=1e-9, atol=1e-9)
    assert len(set(rows.tolist())) == k
    np.testing.assert_allclose(costs[rows], costs[order], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("method", "metric"), CONFIGS)
def test_a_batch_is_its_codes_one_by_one(method, metric) -> None:
    index = made(1)
    codes = np.random.default_rng(2).normal(size=(7, 16)).astype(np.float32)
    rows, scores = index.nearest(codes, 5, method, metric)
    for number, code in enumerate(codes):
        one_rows, one_scores = index.nearest(code, 5, method, metric)
        assert np.array_equal(rows[number], one_rows)
        np.testing.assert_allclose(scores[number], one_scores)


def test_a_scope_looks_nowhere_else() -> None:
    index = made(3)
    mask = np.arange(len(index)) % 3 == 0
    code = index.mean[1]
    by_mask, _ = index.nearest(code, 10, rows=mask)
    by_number, _ = index.nearest(code, 10, rows=np.flatnonzero(mask))
    assert np.array_equal(by_mask, by_number)
    assert mask[by_mask].all()
    costs = np.where(mask, truth(index, code, "likelihood", ""), np.inf)
    assert np.array_equal(by_mask, np.argsort(costs)[:10])


def test_ties_go_to_the_earlier_row() -> None:
    same = np.zeros((6, 2), np.float32)
    index = LatentIndex(list("abcdef"), same, same + 1, same)
    for method in ("likelihood", "fixed-epsilon", "mean"):
        assert index.nearest([0.0, 0.0], 3, method)[0].tolist() == [0, 1, 2]


def test_a_product_is_nearest_to_itself() -> None:
    index = made(4)
    rows, scores = index.nearest(index.code, 1, "fixed-epsilon")
    assert np.array_equal(rows[:, 0], np.arange(len(index)))
    assert (scores == 0).all()


def test_bad_questions_are_refused() -> None:
    index = made(5, count=9)
    for k in (0, 10):
        with pytest.raises(BadCount, match="9 products"):
            index.nearest(index.code[0], k)
    with pytest.raises(BadCode):
        index.nearest([1.0], 1)
    with pytest.raises(BadOption, match="magic"):
        index.nearest(index.code[0], 1, "magic")
    with pytest.raises(BadOption, match="moon"):
        index.nearest(index.code[0], 1, "mean", "moon")
