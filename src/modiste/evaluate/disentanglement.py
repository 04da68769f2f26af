"""Disentanglement of latents: DCI, MIG and SAP with attributes, total correlation without."""

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
    """Return the Gaussian total correlation of codes `(N, n)` in nats: ½ ( Σ log varᵢ − log det cov ).

    This is the information that the latents share (Watanabe 1960) if their distribution is a Gaussian: the
    unsupervised score of Locatello et al. 2019. It is 0 if they are uncorrelated. Constant latents are left out.
    """
    points = np.asarray(codes, np.float64)
    points = points[:, points.std(axis=0) > 1e-9]
    if points.shape[1] < 2 or len(points) <= points.shape[1]:
        return 0.0
    return max(0.0, -0.5 * float(np.linalg.slogdet(np.corrcoef(points.T))[1]))


def pairwise_information(codes: NDArray[Any]) -> float:
    """Return the mean mutual information of all pairs of latents of codes `(N, n)`, in nats, in 20 equal-count bins."""
    columns = [equal_count_bins(column) for column in np.asarray(codes).T]
    pairs = [mutual_information(columns[i], columns[j]) for i in range(len(columns)) for j in range(i)]
    return float(np.mean(pairs)) if pairs else 0.0


def equal_count_bins(values: NDArray[Any]) -> Ints:
    """Return the bin of each value, `(N,)`: 20 bins with equally many values."""
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(edges, values, side="right").astype(np.intp)


def mutual_information(a: Ints, b: Ints) -> float:
    """Return the mutual information of two columns of bins or classes, `(N,)` each, in nats."""
    counts = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(counts, (a, b), 1.0)
    joint = counts / len(a)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    nonzero = joint > 0
    return float((joint[nonzero] * np.log(joint[nonzero] / independent[nonzero])).sum())


def disentanglement_scores(
    codes: NDArray[Any], factors: Mapping[str, Sequence[Any]], seed: int = 0
) -> dict[str, float]:
    """Return DCI disentanglement and completeness, MIG and SAP of codes `(N, n)`.

    - DCI (Eastwood and Williams 2018): the importance of each latent in a forest that predicts a factor.
      Disentanglement is 1 if every latent serves one factor, completeness is 1 if every factor needs one latent.
    - MIG (Chen et al. 2018): mutual information of a factor with the most informative latent, minus that with the
      second one, divided by the factor's entropy.
    - SAP (Kumar et al. 2018): the same gap between the scores of predictions from one latent: R² of a line for numbers,
      for classes the accuracy of guessing by bins, above chance.

    Args:
        codes: `(N, n)`.
        factors: N values of each factor. Numbers are numeric factors; text and booleans are classes. A missing value
            (None) counts as a class of its own, or as the median of the numbers.
        seed: seed of the forests.
    """
    points = np.asarray(codes, np.float64)
    targets = {name: encode_factor(values) for name, values in factors.items()}
    importance = np.stack([_feature_importances(points, *target, seed) for target in targets.values()], axis=1)
    gaps, separations = [], []
    for target, numeric in targets.values():
        classes = equal_count_bins(target) if numeric else target.astype(np.intp)
        information = [mutual_information(equal_count_bins(column), classes) for column in points.T]
        gaps.append(_gap(information) / max(_entropy(classes), 1e-12))
        separations.append(_gap([_single_latent_score(column, target, numeric) for column in points.T]))
    return {
        "dci_disentanglement": _concentration(importance),
        "dci_completeness": _concentration(importance.T),
        "mig": float(np.mean(gaps)),
        "sap": float(np.mean(separations)),
    }


def encode_factor(values: Sequence[Any]) -> tuple[Floats, bool]:
    """Return a factor's values as numbers, `(N,)`, and whether it is numeric; otherwise the numbers are classes."""
    known = [value for value in values if value is not None]
    if known and not any(isinstance(value, (str, bool, np.bool_)) for value in known):
        median = float(np.median(np.array(known, np.float64)))
        return np.array([median if value is None else value for value in values], np.float64), True
    class_by_name = {name: number for number, name in enumerate(sorted({str(value) for value in values}))}
    return np.array([class_by_name[str(value)] for value in values], np.float64), False


def _feature_importances(points: Floats, target: Floats, numeric: bool, seed: int) -> Floats:
    """Return the importance of each latent in a forest, `(n,)`; the sum is 1, or 0 if the forest uses no latent."""
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
    """Return 1 − the entropy of the rows of `(rows, columns)` to the base `columns`, weighted by the rows' sums."""
    total = importance.sum()
    if importance.shape[1] < 2 or total <= 0:
        return 0.0
    rows = importance.sum(axis=1)
    shares = importance / np.maximum(rows, 1e-12)[:, None]
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1) / np.log(importance.shape[1])
    return float(((1.0 - entropy) * rows).sum() / total)


def _gap(values: Sequence[float]) -> float:
    """Return the difference between the two largest values; a missing second value counts as 0."""
    first, second = sorted([*values, 0.0], reverse=True)[:2]
    return first - second


def _entropy(classes: Ints) -> float:
    share = np.bincount(classes) / len(classes)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())


def _single_latent_score(column: Floats, target: Floats, numeric: bool) -> float:
    """Return R² of a line for numbers; for classes, the accuracy of guessing by bins, above chance."""
    if numeric:
        if column.std() <= 1e-12 or target.std() <= 1e-12:
            return 0.0
        return float(np.corrcoef(column, target)[0, 1] ** 2)
    bins, classes = equal_count_bins(column), target.astype(np.intp)
    table = np.zeros((BINS, int(classes.max()) + 1))
    np.add.at(table, (bins, classes), 1.0)
    return float(table.max(axis=1).sum() / len(classes) - np.bincount(classes).max() / len(classes))
