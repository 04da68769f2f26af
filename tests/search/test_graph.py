"""A graph finds nearly all of the nearest, tells their true scores, and is refused where it is damaged."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.search.test_index import catalogue, index_of

from modiste.errors import BadCode, BadCount, BadOption, MissingExtra
from modiste.latent.posterior import log_likelihood
from modiste.search import walking
from modiste.search.graph import Graph

COUNT = 3000


@pytest.fixture(scope="module")
def graph() -> Graph:
    mean, std, _, _ = catalogue(COUNT)
    return Graph.build(mean, std, tau=0.1)


def designs(count: int = 60) -> np.ndarray:
    mean, std, _, _ = catalogue(COUNT)
    return (mean + std * np.random.default_rng(5).normal(size=mean.shape))[:count].astype(np.float32)


def test_it_finds_nearly_all_of_the_nearest_by_likelihood(graph: Graph) -> None:
    index = index_of(catalogue(COUNT))
    exact, _ = index.nearest(designs(), 10, tau=0.1)
    found = [graph.nearest(code, 10)[0] for code in designs()]
    assert np.mean([np.isin(rows, near).mean() for rows, near in zip(exact, found, strict=True)]) > 0.98


def test_a_wider_beam_finds_no_less(graph: Graph) -> None:
    index = index_of(catalogue(COUNT))
    exact, _ = index.nearest(designs(), 10, tau=0.1)

    def recall(beam: int) -> float:
        found = [graph.nearest(code, 10, beam=beam)[0] for code in designs()]
        return float(np.mean([np.isin(rows, near).mean() for rows, near in zip(exact, found, strict=True)]))

    assert recall(1) <= recall(400) == 1.0


def test_scores_are_true_and_in_order(graph: Graph) -> None:
    mean, std, _, _ = catalogue(COUNT)
    for code in designs(10):
        rows, scores = graph.nearest(code, 25)
        assert len(set(rows.tolist())) == 25
        np.testing.assert_allclose(scores, log_likelihood(code, mean[rows], std[rows], 0.1), rtol=1e-12)
        assert (np.diff(scores) <= 0).all()


def test_few_products_are_all_found() -> None:
    mean, std, _, _ = catalogue(7)
    told: list[tuple[int, int]] = []
    graph = Graph.build(mean, std, on_progress=lambda done, total: told.append((done, total)))
    assert sorted(graph.nearest(mean[0], 7)[0].tolist()) == list(range(7))
    assert told == [(7, 7)]


def test_a_walk_ends_when_its_table_is_half_full(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = getattr(walking.walk, "py_func", walking.walk)
    monkeypatch.setattr(walking, "SLOTS", 1 << 11)
    rows, values = np.empty(400, np.int32), np.empty(400, np.float32)
    with np.errstate(over="ignore"):
        scored = plain(graph.products, graph.neighbours, graph.entries, designs(1)[0], rows, values)
    assert scored < 1 << 11
    assert (np.diff(values[rows >= 0]) <= 0).all()


def test_what_cannot_be_asked_is_refused(graph: Graph) -> None:
    with pytest.raises(BadCount):
        graph.nearest(designs(1)[0], 0)
    with pytest.raises(BadCount):
        graph.nearest(designs(1)[0], COUNT + 1)
    with pytest.raises(BadCode):
        graph.nearest(np.zeros(3), 1)
    with pytest.raises(BadOption):
        Graph.build(np.empty((0, 6), np.float32), np.empty((0, 6), np.float32))
    with pytest.raises(BadOption):
        Graph.build(graph.mean, graph.std, tau=-1.0)


def test_without_faiss_the_remedy_is_named(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtra, match=r"modiste\[graph\]"):
        Graph.build(graph.mean, graph.std)


def test_a_saved_graph_answers_the_same(graph: Graph, tmp_path: Path) -> None:
    graph.save(tmp_path / "graph", "this")
    graph.save(tmp_path / "graph", "this")  # in the place of the first
    held = Graph.open(tmp_path / "graph", "this")
    assert held is not None
    assert Graph.open(tmp_path / "graph", "that") is None
    assert Graph.open(tmp_path / "nowhere", "this") is None
    for code in designs(5):
        np.testing.assert_array_equal(held.nearest(code, 9)[0], graph.nearest(code, 9)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["graph"]


@pytest.mark.parametrize("name", ["products", "neighbours", "std", "entries"])
def test_a_damaged_graph_is_none(graph: Graph, tmp_path: Path, name: str) -> None:
    graph.save(tmp_path / "graph", "this")
    (tmp_path / "graph" / f"{name}.npy").write_bytes(b"nothing")
    assert Graph.open(tmp_path / "graph", "this") is None


@pytest.mark.parametrize(("name", "value"), [("neighbours", COUNT), ("entries", COUNT), ("entries", -1)])
def test_rows_that_are_none_are_refused(graph: Graph, tmp_path: Path, name: str, value: int) -> None:
    graph.save(tmp_path / "graph", "this")
    wrong = getattr(graph, name).copy()
    wrong.flat[3] = value
    np.save(tmp_path / "graph" / f"{name}.npy", wrong)
    assert Graph.open(tmp_path / "graph", "this") is None
