from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from modiste.evaluate.metrics import (
    agreement,
    average_precision,
    class_scores,
    confusion_matrix,
    contingency_table,
    match_clusters,
)

RELEVANCE = arrays(np.bool_, st.tuples(st.integers(1, 8), st.integers(1, 30)))


def test_average_precision_by_hand() -> None:
    relevant = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]], bool)
    np.testing.assert_allclose(average_precision(relevant, 4), [(1 + 2 / 3) / 2, 0, 1, 1 / 4])
    np.testing.assert_allclose(average_precision(relevant, 2), [1, 0, 1, 0])


def test_average_precision_of_a_ranking_shorter_than_k_uses_all_of_it() -> None:
    relevant = np.array([[0, 1, 1]], bool)
    np.testing.assert_allclose(average_precision(relevant, 500), [(1 / 2 + 2 / 3) / 2])
    assert average_precision(np.zeros((2, 0), bool), 10).tolist() == [0, 0]


@given(RELEVANCE, st.integers(1, 40))
def test_average_precision_equals_sklearns(relevant: np.ndarray, k: int) -> None:
    precisions = average_precision(relevant, k)
    assert ((precisions >= 0) & (precisions <= 1)).all()
    for row, value in zip(relevant[:, :k], precisions, strict=True):
        expected = average_precision_score(row, -np.arange(len(row))) if row.any() else 0.0
        assert value == pytest.approx(expected)


@given(RELEVANCE)
def test_average_precision_ignores_padding(relevant: np.ndarray) -> None:
    padded = np.pad(relevant, ((0, 0), (0, 5)))
    np.testing.assert_allclose(average_precision(padded, relevant.shape[1]), average_precision(relevant, 10**6))


def test_agreement_by_hand() -> None:
    answers = np.array([[0, 1, 0, -1], [2, 2, -2, -2], [0, 0, 0, 0], [-2, -2, -2, -2]])
    shares = agreement(np.array([0, 2, -1, 1]), answers, k=4)
    np.testing.assert_allclose(shares, [0.5, 1.0, np.nan, np.nan])
    assert agreement(np.array([0]), answers[:1], k=1).tolist() == [1.0]


def test_as_many_clusters_as_categories_are_matched_one_to_one() -> None:
    # By majority both clusters would be category 0; one to one, cluster 1 must be category 1.
    counts = np.array([[50, 30], [0, 20]])
    assert match_clusters(counts).tolist() == [0, 1]
    assert confusion_matrix(counts, match_clusters(counts)).tolist() == [[50, 30], [0, 20]]


def test_other_numbers_of_clusters_are_matched_by_majority() -> None:
    counts = np.array([[5, 0, 1], [0, 4, 3]])
    assert match_clusters(counts).tolist() == [0, 1, 1]
    assert confusion_matrix(counts, match_clusters(counts)).tolist() == [[5, 1], [0, 7]]


def test_accuracy_is_one_versus_rest_as_in_the_paper() -> None:
    scores = class_scores(np.array([[8, 2], [1, 9]]))
    np.testing.assert_allclose(scores["accuracy"], [0.85, 0.85])
    np.testing.assert_allclose(scores["precision"], [8 / 9, 9 / 11])
    np.testing.assert_allclose(scores["recall"], [0.8, 0.9])


@given(st.integers(2, 5), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_class_scores_equal_sklearns(classes: int, pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(side, np.intp) % classes for side in zip(*pairs, strict=True))
    table = contingency_table(truth, predicted, classes, classes)
    scores = class_scores(confusion_matrix(table, np.arange(classes)))
    known = {"labels": range(classes), "average": None, "zero_division": 0}
    np.testing.assert_allclose(scores["f1"], f1_score(truth, predicted, **known))
    np.testing.assert_allclose(scores["precision"], precision_score(truth, predicted, **known))
    np.testing.assert_allclose(scores["recall"], recall_score(truth, predicted, **known))
    assert scores["f1"].mean() == pytest.approx(f1_score(truth, predicted, **(known | {"average": "macro"})))


@given(arrays(np.intp, (3, 3), elements=st.integers(0, 50)))
def test_class_scores_are_between_0_and_1(table: np.ndarray) -> None:
    for values in class_scores(table).values():
        assert ((values >= 0) & (values <= 1)).all()
