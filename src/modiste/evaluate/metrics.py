"""The measures of answers and clusters, on plain arrays: average precision, agreement, per-class scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

CLASS_SCORES = ("accuracy", "precision", "recall", "f1")


def average_precision(relevant: Bools, k: int) -> Floats:
    """AP@k of each ranking, `(b,)`, from whether its answers are relevant, `(b, m)`, best first.

    Σ_{i≤k} P(i)·r(i) / Σ_{i≤k} r(i), with r(i) the relevance of the answer at rank i and P(i) the share of relevant
    ones among the first i; 0 where none of the first k is relevant. The paper does not print its formula; this one,
    which divides by the relevant answers *within* k, is the usual one for retrieval of images, and the only usual
    one in reach of its figures: dividing by all the thousands of relevant products would cap AP@10 near 0.

    Rankings shorter than k are padded with False, which changes nothing.
    """
    hits = relevant[:, :k]
    found = hits.cumsum(axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    total = hits.sum(axis=1)
    gained = (found / ranks * hits).sum(axis=1)
    return np.divide(gained, total, out=np.zeros(len(hits)), where=total > 0)


def agreement(query: Ints, answers: Ints, k: int = 10) -> Floats:
    """The share of each query's first k answers that have its value, `(b,)`; NaN where the query has none.

    Args:
        query: the value of each query as a number, −1 where it has none, `(b,)`.
        answers: the values of its answers, best first, `(b, m)`; −1 has no value, −2 is no answer.
    """
    first = answers[:, :k]
    there = (first != -2).sum(axis=1)
    same = (first == query[:, None]).sum(axis=1)
    sound = (query >= 0) & (there > 0)
    return np.divide(same, there, out=np.full(len(query), np.nan), where=sound)


def contingency_table(truth: Ints, assigned: Ints, categories: int, clusters: int) -> Ints:
    """How many products of each category lie in each cluster, `(categories, clusters)`."""
    counted = np.bincount(truth * clusters + assigned, minlength=categories * clusters)
    return counted.reshape(categories, clusters).astype(np.intp)


def match_clusters(counts: Ints) -> Ints:
    """The category of each cluster, `(clusters,)`, from `(categories, clusters)` counts.

    With as many clusters as categories, the assignment one to one that gets most products right (Hungarian method);
    otherwise the category that most of the cluster's products have.
    """
    if counts.shape[0] != counts.shape[1]:
        return counts.argmax(axis=0)
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-counts)
    matched = np.empty(counts.shape[1], np.intp)
    matched[columns] = rows
    return matched


def confusion_matrix(counts: Ints, matched: Ints) -> Ints:
    """True category by predicted category, `(c, c)`, from counts by cluster `(c, k)` and each cluster's category."""
    table = np.zeros((len(counts), len(counts)), np.intp)
    np.add.at(table.T, matched, counts.T)
    return table


def class_scores(table: NDArray[Any]) -> dict[str, Floats]:
    """Accuracy, precision, recall and F1 of each class, `(…, c)` each, from `(…, c, c)` true by predicted counts.

    Accuracy is of the class against the rest, (TP + TN) / N, as in the paper's tables. A ratio without a denominator
    is 0.
    """
    right = np.diagonal(table, axis1=-2, axis2=-1).astype(np.float64)
    real, said = table.sum(axis=-1), table.sum(axis=-2)
    everything = table.sum(axis=(-2, -1))[..., None]
    wrong = real + said - 2 * right

    def ratio(above: Floats, below: NDArray[Any]) -> Floats:
        return np.divide(above, below, out=np.zeros_like(right), where=below > 0)

    return {
        "accuracy": ratio(everything - wrong, np.broadcast_to(everything, right.shape)),
        "precision": ratio(right, said),
        "recall": ratio(right, real),
        "f1": ratio(2 * right, real + said),
    }
