"""Metrics on plain arrays: average precision, agreement of attributes, scores per class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

CLASS_SCORES = ("accuracy", "precision", "recall", "f1")


def average_precision(relevant: Bools, k: int) -> Floats:
    """Return AP@k of each ranking, `(b,)`.

    AP@k = Σ_{i≤k} P(i)·r(i) / Σ_{i≤k} r(i), where r(i) is 1 if the result at rank i is relevant and else 0, and P(i)
    is the share of relevant results among the first i. AP@k is 0 if none of the first k is relevant.

    The paper does not print its formula. This one divides by the number of relevant results *within* k, as is usual
    for image retrieval. The other usual divisor, all relevant products, of which there are thousands, would limit
    AP@10 to nearly 0, far below the paper's figures.

    Args:
        relevant: whether each result is relevant, best result first, `(b, m)`. Rankings of fewer than k results are
            padded with False, which does not change AP@k.
        k: number of results that count.
    """
    hits = relevant[:, :k]
    hit_counts = hits.cumsum(axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    total = hits.sum(axis=1)
    precision_sum = (hit_counts / ranks * hits).sum(axis=1)
    return np.divide(precision_sum, total, out=np.zeros(len(hits)), where=total > 0)


def agreement(query_values: Ints, result_values: Ints, k: int = 10) -> Floats:
    """Return the share of each query's first k results that have the query's value, `(b,)`.

    The share is NaN if the query does not have a value or does not have results.

    Args:
        query_values: the value of each query, as a number, `(b,)`; −1 stands for "no value".
        result_values: the values of each query's results, best first, `(b, m)`; −1 stands for "no value", −2 for "no
            result".
        k: number of results that count.
    """
    first = result_values[:, :k]
    result_counts = (first != -2).sum(axis=1)
    agreeing = (first == query_values[:, None]).sum(axis=1)
    defined = (query_values >= 0) & (result_counts > 0)
    return np.divide(agreeing, result_counts, out=np.full(len(query_values), np.nan), where=defined)


def contingency_table(truth: Ints, assigned: Ints, categories: int, clusters: int) -> Ints:
    """Count the products of each category in each cluster, `(categories, clusters)`.

    Args:
        truth: category of each product, `(N,)`.
        assigned: cluster of each product, `(N,)`.
        categories: number of categories.
        clusters: number of clusters.
    """
    counts = np.bincount(truth * clusters + assigned, minlength=categories * clusters)
    return counts.reshape(categories, clusters).astype(np.intp)


def match_clusters(counts: Ints) -> Ints:
    """Return the category that each cluster stands for, `(clusters,)`, from counts `(categories, clusters)`.

    If there are as many clusters as categories, this is the one-to-one assignment with the most correct products
    (Hungarian method); otherwise each cluster's most frequent category.
    """
    if counts.shape[0] != counts.shape[1]:
        return counts.argmax(axis=0)
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-counts)
    matched = np.empty(counts.shape[1], np.intp)
    matched[columns] = rows
    return matched


def confusion_matrix(counts: Ints, matched: Ints) -> Ints:
    """Return the confusion matrix `(c, c)`, true by predicted category.

    Args:
        counts: products of each category in each cluster, `(c, k)`.
        matched: category that each cluster stands for, `(k,)`.
    """
    table = np.zeros((len(counts), len(counts)), np.intp)
    np.add.at(table.T, matched, counts.T)
    return table


def class_scores(table: NDArray[Any]) -> dict[str, Floats]:
    """Return accuracy, precision, recall and F1 of each class, `(…, c)` each, from a confusion matrix `(…, c, c)`.

    Accuracy is that of the class against all others, (TP + TN) / N, as in the paper's tables. A ratio whose
    denominator is 0 is 0.
    """
    correct = np.diagonal(table, axis1=-2, axis2=-1).astype(np.float64)
    actual, predicted = table.sum(axis=-1), table.sum(axis=-2)
    total = table.sum(axis=(-2, -1))[..., None]
    errors = actual + predicted - 2 * correct

    def ratio(numerator: Floats, denominator: NDArray[Any]) -> Floats:
        return np.divide(numerator, denominator, out=np.zeros_like(correct), where=denominator > 0)

    return {
        "accuracy": ratio(total - errors, np.broadcast_to(total, correct.shape)),
        "precision": ratio(correct, predicted),
        "recall": ratio(correct, actual),
        "f1": ratio(2 * correct, actual + predicted),
    }
