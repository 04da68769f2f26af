"""How far each number of a code means one thing: with attributes DCI, MIG and SAP; without, total correlation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

BINS = 20  # as in disentanglement_lib (Locatello et al. 2019)
FOREST_TREES = 60
FOREST_DEPTH = 10


def total_correlation(codes: NDArray[Any]) -> float:
    """Gaussian total correlation of codes `(N, n)` in nats: ½ ( Σ log varᵢ − log det cov ); 0 when uncorrelated.

    How much the numbers share (Watanabe 1960), as far as a Gaussian with the same covariance tells: the unsupervised
    score of Locatello et al. 2019. Numbers that never vary are left out.
    """
    points = np.asarray(codes, np.float64)
    points = points[:, points.std(axis=0) > 1e-9]
    if points.shape[1] < 2 or len(points) <= points.shape[1]:
        return 0.0
    return max(0.0, -0.5 * float(np.linalg.slogdet(np.corrcoef(points.T))[1]))


def pairwise_information(codes: NDArray[Any]) -> float:
    """The mean mutual information between two numbers of codes `(N, n)`, in nats, in 20 bins of equal count."""
    held = [equal_count_bins(column) for column in np.asarray(codes).T]
    pairs = [mutual_information(held[i], held[j]) for i in range(len(held)) for j in range(i)]
    return float(np.mean(pairs)) if pairs else 0.0


def equal_count_bins(values: NDArray[Any]) -> Ints:
    """Numbers `(N,)` as the numbers of 20 bins that hold as many each."""
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(edges, values, side="right").astype(np.intp)


def mutual_information(a: Ints, b: Ints) -> float:
    """The mutual information of two columns of small whole numbers, `(N,)` each, in nats."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1.0)
    share = table / len(a)
    apart = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    there = share > 0
    return float((share[there] * np.log(share[there] / apart[there])).sum())


def disentanglement_scores(
    codes: NDArray[Any], factors: Mapping[str, Sequence[Any]], seed: int = 0
) -> dict[str, float]:
    """DCI disentanglement and completeness, MIG and SAP of codes `(N, n)` for factors, `N` values each.

    Numbers are numeric factors, words and booleans are classes. What a product lacks (None) counts as a class of its
    own among words, and as the median among numbers.

    - DCI (Eastwood and Williams 2018): how much a forest that predicts a factor relies on each number. Disentanglement
      is 1 where every number serves one factor, completeness where every factor needs one number.
    - MIG (Chen et al. 2018): the gap between the two numbers that know most of a factor, over its entropy.
    - SAP (Kumar et al. 2018): the same gap, of what a line (a threshold, for classes) on one number predicts.
    """
    points = np.asarray(codes, np.float64)
    targets = {name: encode_factor(values) for name, values in factors.items()}
    importance = np.stack([_feature_importances(points, *target, seed) for target in targets.values()], axis=1)
    gaps, separations = [], []
    for target, numeric in targets.values():
        classes = equal_count_bins(target) if numeric else target.astype(np.intp)
        known = [mutual_information(equal_count_bins(column), classes) for column in points.T]
        gaps.append(_gap(known) / max(_entropy(classes), 1e-12))
        separations.append(_gap([_single_latent_score(column, target, numeric) for column in points.T]))
    return {
        "dci_disentanglement": _concentration(importance),
        "dci_completeness": _concentration(importance.T),
        "mig": float(np.mean(gaps)),
        "sap": float(np.mean(separations)),
    }


def encode_factor(values: Sequence[Any]) -> tuple[Floats, bool]:
    """An attribute's values as numbers, `(N,)`, and whether they are numeric (else the numbers of classes)."""
    known = [value for value in values if value is not None]
    if known and not any(isinstance(value, (str, bool, np.bool_)) for value in known):
        middle = float(np.median(np.array(known, np.float64)))
        return np.array([middle if value is None else value for value in values], np.float64), True
    words = sorted({str(value) for value in values})
    place = {word: number for number, word in enumerate(words)}
    return np.array([place[str(value)] for value in values], np.float64), False


def _feature_importances(points: Floats, target: Floats, numeric: bool, seed: int) -> Floats:
    """How much a forest relies on each number of the codes, `(n,)`, summing to 1 (or to 0: it relies on none)."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    settings: dict[str, Any] = {
        "n_estimators": FOREST_TREES,
        "max_depth": FOREST_DEPTH,
        "min_samples_leaf": 5,
        "max_features": None,
        "random_state": seed,
    }
    forest: Any = (ExtraTreesRegressor if numeric else ExtraTreesClassifier)(**settings)
    return np.asarray(forest.fit(points, target).feature_importances_, np.float64)


def _concentration(importance: Floats) -> float:
    """1 − entropy of each row of `(rows, columns)` as shares, weighted by the row's part in all; base: the columns."""
    total = importance.sum()
    if importance.shape[1] < 2 or total <= 0:
        return 0.0
    rows = importance.sum(axis=1)
    shares = importance / np.maximum(rows, 1e-12)[:, None]
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1) / np.log(importance.shape[1])
    return float(((1.0 - entropy) * rows).sum() / total)


def _gap(values: Sequence[float]) -> float:
    """By how much the largest is ahead of the next; of one alone, of nothing."""
    first, second = sorted([*values, 0.0], reverse=True)[:2]
    return first - second


def _entropy(classes: Ints) -> float:
    share = np.bincount(classes) / len(classes)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())


def _single_latent_score(column: Floats, target: Floats, numeric: bool) -> float:
    """What one number tells: R² of a line for numbers; for classes the accuracy of guessing by bins, over chance."""
    if numeric:
        if column.std() <= 1e-12 or target.std() <= 1e-12:
            return 0.0
        return float(np.corrcoef(column, target)[0, 1] ** 2)
    bins, classes = equal_count_bins(column), target.astype(np.intp)
    table = np.zeros((BINS, int(classes.max()) + 1))
    np.add.at(table, (bins, classes), 1.0)
    return float(table.max(axis=1).sum() / len(classes) - np.bincount(classes).max() / len(classes))
