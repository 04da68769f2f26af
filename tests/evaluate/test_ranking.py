from __future__ import annotations

import numpy as np

from modiste.evaluate.ranking import drop_query_rows, random_ranking, rank, rank_other_clusters, values_at
from modiste.search.index import LatentIndex

LINE = np.array([[0], [1], [2], [10], [11]], np.float32)  # two clusters on a line
CLUSTER = np.array([0, 0, 0, 1, 1])


def index() -> LatentIndex:
    return LatentIndex(list("abcde"), LINE, np.ones_like(LINE), LINE)


def test_query_product_is_excluded_from_its_ranking() -> None:
    ranked = rank(index(), LINE, 3, "mean", np.arange(5))
    assert ranked.tolist() == [[1, 2, 3], [0, 2, 3], [1, 0, 3], [4, 2, 1], [3, 2, 1]]


def test_unseen_query_can_rank_every_product() -> None:
    assert rank(index(), LINE[:1], 3, "mean", np.array([-1])).tolist() == [[0, 1, 2]]


def test_short_ranking_is_padded_with_minus_one() -> None:
    assert rank(index(), LINE[:1], 8, "mean", np.array([0])).tolist() == [[1, 2, 3, 4, -1, -1, -1, -1]]


def test_ranking_stays_in_the_cluster_of_the_query() -> None:
    ranked = rank(index(), LINE[[0, 4]], 3, "mean", np.array([0, 4]), CLUSTER, np.array([0, 1]))
    assert ranked.tolist() == [[1, 2, -1], [3, -1, -1]]


def test_query_outside_the_searched_cluster_excludes_nothing() -> None:
    ranked = rank(index(), LINE[[0]], 2, "mean", np.array([0]), CLUSTER, np.array([1]))
    assert ranked.tolist() == [[3, 4]]


def test_empty_cluster_gives_only_padding() -> None:
    assert rank(index(), LINE[[0]], 2, "mean", np.array([0]), CLUSTER, np.array([7])).tolist() == [[-1, -1]]


def test_dropping_query_rows_keeps_the_order() -> None:
    ranked = np.array([[4, 2, 7, 1], [4, 2, 7, 1]])
    assert drop_query_rows(ranked, np.array([2, -1]), 3).tolist() == [[4, 7, 1], [4, 2, 7]]


def test_random_ranking_is_reproducible_and_excludes_the_query() -> None:
    own = np.array([0, 1, -1])
    first, again = (random_ranking(6, 4, own, seed=3) for _ in range(2))
    assert (first == again).all()
    for query, row in enumerate(first):
        assert len(set(row.tolist())) == 4
        assert own[query] not in row


def test_random_ranking_stays_in_the_cluster_of_the_query() -> None:
    ranked = random_ranking(5, 4, np.array([0, 3]), 0, CLUSTER, np.array([0, 1]))
    assert set(ranked[0].tolist()) == {1, 2, -1}
    assert set(ranked[1].tolist()) == {4, -1}


def test_transferred_code_is_ranked_in_the_target_cluster() -> None:
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


def test_values_at_marks_padding_with_minus_two() -> None:
    assert values_at(np.array([[0, 2, -1]]), [5, 6, 7]).tolist() == [[5, 7, -2]]
