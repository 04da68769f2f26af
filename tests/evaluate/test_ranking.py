from __future__ import annotations

import numpy as np

from modiste.evaluate.ranking import drop_query_rows, random_ranking, rank, rank_other_clusters, values_at
from modiste.search.index import LatentIndex

LINE = np.array([[0], [1], [2], [10], [11]], np.float32)  # two clusters on a line
CLUSTER = np.array([0, 0, 0, 1, 1])


def index() -> LatentIndex:
    return LatentIndex(list("abcde"), LINE, np.ones_like(LINE), LINE)


def test_the_query_itself_is_left_out() -> None:
    ranked = rank(index(), LINE, 3, "mean", np.arange(5))
    assert ranked.tolist() == [[1, 2, 3], [0, 2, 3], [1, 0, 3], [4, 2, 1], [3, 2, 1]]


def test_an_unseen_query_gets_every_product() -> None:
    assert rank(index(), LINE[:1], 3, "mean", np.array([-1])).tolist() == [[0, 1, 2]]


def test_more_than_there_are_is_filled_with_none() -> None:
    assert rank(index(), LINE[:1], 8, "mean", np.array([0])).tolist() == [[1, 2, 3, 4, -1, -1, -1, -1]]


def test_the_scope_is_the_querys_cluster() -> None:
    ranked = rank(index(), LINE[[0, 4]], 3, "mean", np.array([0, 4]), CLUSTER, np.array([0, 1]))
    assert ranked.tolist() == [[1, 2, -1], [3, -1, -1]]


def test_a_query_outside_its_own_scope_loses_nothing() -> None:
    ranked = rank(index(), LINE[[0]], 2, "mean", np.array([0]), CLUSTER, np.array([1]))
    assert ranked.tolist() == [[3, 4]]


def test_an_empty_cluster_answers_nothing() -> None:
    assert rank(index(), LINE[[0]], 2, "mean", np.array([0]), CLUSTER, np.array([7])).tolist() == [[-1, -1]]


def test_without_keeps_the_order() -> None:
    ranked = np.array([[4, 2, 7, 1], [4, 2, 7, 1]])
    assert drop_query_rows(ranked, np.array([2, -1]), 3).tolist() == [[4, 7, 1], [4, 2, 7]]


def test_chance_is_the_same_for_a_seed_and_never_the_query() -> None:
    own = np.array([0, 1, -1])
    first, again = (random_ranking(6, 4, own, seed=3) for _ in range(2))
    assert (first == again).all()
    for query, row in enumerate(first):
        assert len(set(row.tolist())) == 4
        assert own[query] not in row


def test_chance_within_clusters() -> None:
    ranked = random_ranking(5, 4, np.array([0, 3]), 0, CLUSTER, np.array([0, 1]))
    assert set(ranked[0].tolist()) == {1, 2, -1}
    assert set(ranked[1].tolist()) == {4, -1}


def test_what_is_moved_is_asked_in_the_other_cluster() -> None:
    centres = np.array([[1], [10.5]], np.float32)
    ranked = rank_other_clusters(
        index(),
        LINE[[0, 4]],
        1,
        "mean",
        np.array([0, 1]),
        CLUSTER,
        2,
        lambda codes, i, j: codes + centres[j] - centres[i],
        np.array([-1, 1]),
    )
    assert ranked.tolist() == [[-1, 3], [2, -1]]  # 0 goes to 9.5; 11 to 1.5: a tie, of which 1 is itself


def test_values_of_rows() -> None:
    assert values_at(np.array([[0, 2, -1]]), [5, 6, 7]).tolist() == [[5, 7, -2]]
