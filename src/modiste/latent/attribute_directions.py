"""Directions in latent space that change one attribute: fitted, orthogonalized and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.sliders import AttributeSlider

# Of the codes' own variance. Plain least squares would point where the codes hardly vary, and moving there draws
# nothing that the shop sells; this much ridge keeps the direction near the products.
RIDGE = 0.5
MIN_REMAINING_LENGTH = 0.6  # of a direction's length, once the directions chosen before it are projected out
MIN_WORD_R2, MIN_NUMBER_R2 = (0.1, 0.3)  # of the variance explained: less is chance (a rare word never reaches much)
FOLDS = 5  # of the cross-validation
MIN_PRODUCTS = 20  # with a word, and without it


@dataclass(frozen=True, eq=False)
class Candidate:
    """An attribute, or one word of it, and the unit vector `(n,)` along which it grows.

    `share`: see AttributeSlider. Candidates of a lower `priority` are chosen first and do not give way to later ones.
    """

    attribute: str
    value: str | None
    share: float
    direction: NDArray[np.float64]
    priority: int = 1


FindWorst = Callable[[Sequence[Candidate], NDArray[np.float64]], int | None]


def attribute_directions(
    codes: NDArray[np.float32],
    attributes: Mapping[str, Sequence[Any]],
    *,
    slopes: Mapping[str, NDArray[np.float64]] | None = None,
    low_priority: Collection[str] = (),
    find_worst: FindWorst | None = None,
    max_directions: int = 12,
) -> tuple[AttributeSlider, ...]:
    """Return directions in latent space that change an attribute: orthogonal unit vectors, best first.

    Attributes that can be measured on a picture come first, in the given order; their direction is the decoder's
    response. The others are regressed on the codes (ridge): a number as it is, words one frequent word at a time; first
    the best of every attribute, then the second best, and last the `slopes` named in `low_priority`. A direction that
    earlier ones mostly explain is left out. For the orthogonalization see `orthogonalize`.

    Args:
        codes: `(N, n)`.
        attributes: `N` values by name; None where unknown. Booleans and words are categorical, numbers numeric.
        slopes: by name of a numeric attribute, how it grows along each latent, `(n,)`.
        low_priority: names of `slopes` that matter less than the catalogue's own attributes.
        find_worst: given the candidates and their directions `(m, n)`, returns the index of the one to leave out, or
            None when all are good.
        max_directions: upper limit (which is never more than n).
    """
    points = codes.astype(np.float64)
    candidates = _candidates(points, attributes, slopes or {}, low_priority)
    chosen = _choose_independent(candidates, min(max_directions, points.shape[1]))
    basis = orthogonalize(chosen)
    while find_worst is not None and chosen and (worst := find_worst(chosen, basis)) is not None:
        chosen.pop(worst)
        basis = orthogonalize(chosen)
    sliders: list[AttributeSlider] = []
    for each, direction in zip(chosen, basis, strict=True):
        bottom, top = (float(value) for value in np.percentile(points @ direction, [1, 99]))
        sliders.append(AttributeSlider(each.attribute, each.value, tuple(direction.tolist()), bottom, top, each.share))
    return tuple(sorted(sliders, key=lambda each: -each.share))


def orthogonalize(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return orthonormal directions for the candidates, `(m, n)`, in their order.

    Directions of one priority are orthogonalized symmetrically (Löwdin), so that none of them is favoured, after their
    components along directions of earlier priorities are removed.
    """
    basis = np.zeros((len(candidates), len(candidates[0].direction) if candidates else 0))
    for turn in sorted({each.priority for each in candidates}):
        rows = [i for i, each in enumerate(candidates) if each.priority == turn]
        remainder = np.array([candidates[i].direction for i in rows])
        remainder = remainder - remainder @ basis.T @ basis
        remainder = remainder / np.linalg.norm(remainder, axis=1, keepdims=True)
        left, _, right = np.linalg.svd(remainder, full_matrices=False)
        basis[rows] = left @ right
    return basis


def _candidates(
    points: NDArray[np.float64],
    attributes: Mapping[str, Sequence[Any]],
    slopes: Mapping[str, NDArray[np.float64]],
    low_priority: Collection[str],
) -> list[Candidate]:
    """Return every attribute that the codes explain, in the order of choice."""
    measured_candidates: dict[str, Candidate] = {}
    ranked: list[tuple[int, Candidate]] = []
    for name, values in attributes.items():
        options: list[Candidate] = []
        for value, rows, target in _regression_targets(values):
            weights, share = _regress(points[rows], target)
            length = float(np.linalg.norm(weights))
            if share >= (MIN_NUMBER_R2 if value is None else MIN_WORD_R2) and length > 0:
                options.append(Candidate(name, value, share, weights / length))
        options.sort(key=lambda each: (-each.share, each.value or ""))
        if name not in slopes:
            ranked += enumerate(options)
        elif options and (length := float(np.linalg.norm(slopes[name]))) > 0:
            turn = 2 if name in low_priority else 0
            measured_candidates[name] = Candidate(name, None, options[0].share, slopes[name] / length, turn)
    ranked.sort(key=lambda pair: (pair[0], -pair[1].share, pair[1].attribute))
    ordered = [measured_candidates[name] for name in slopes if name in measured_candidates] + [
        each for _, each in ranked
    ]
    return sorted(ordered, key=lambda each: each.priority)


def _choose_independent(candidates: Sequence[Candidate], max_directions: int) -> list[Candidate]:
    """Return the first candidates that earlier ones do not mostly explain."""
    chosen: list[Candidate] = []
    basis = np.empty((0, 0))
    for each in candidates:
        if len(chosen) == max_directions:
            break
        remainder = each.direction - basis.T @ (basis @ each.direction) if chosen else each.direction
        length = float(np.linalg.norm(remainder))
        if length >= MIN_REMAINING_LENGTH:
            chosen.append(each)
            basis = np.vstack([basis, remainder / length]) if len(chosen) > 1 else (remainder / length)[None]
    return chosen


def _regression_targets(values: Sequence[Any]) -> list[tuple[str | None, NDArray[np.intp], NDArray[np.float64]]]:
    """Return what of an attribute can be regressed: (word or None, rows where it is known, target there)."""
    rows = np.array([i for i, value in enumerate(values) if _is_known(value)], np.intp)
    values_known = [values[i] for i in rows]
    if len(values_known) < 2 * MIN_PRODUCTS:
        return []
    if not any(isinstance(value, (str, bool, np.bool_)) for value in values_known):
        target = np.array(values_known, np.float64)
        return [(None, rows, target)] if target.std() > 0 else []
    labels = np.array([str(value) for value in values_known])
    names, counts = np.unique(labels, return_counts=True)
    frequent = [
        str(name)
        for name, count in zip(names, counts, strict=True)
        if count >= MIN_PRODUCTS and len(labels) - count >= MIN_PRODUCTS
    ]
    if len(names) == 2 and len(frequent) == 2:
        frequent = frequent[1:]  # the other word is its opposite
    return [(name, rows, (labels == name).astype(np.float64)) for name in frequent]


def _is_known(value: Any) -> bool:
    if value is None:
        return False
    return isinstance(value, (str, bool, np.bool_)) or bool(np.isfinite(value))


def _regress(points: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the vector `(n,)` along which the target grows, and the share of its variance explained on unseen rows."""

    def fit(rows: NDArray[np.bool_], ridge: float) -> tuple[NDArray[np.float64], float]:
        middle, level = points[rows].mean(axis=0), float(target[rows].mean())
        about = points[rows] - middle
        square = about.T @ about
        square += ridge * np.trace(square) / len(square) * np.eye(len(square)) + 1e-9 * np.eye(len(square))
        weights = np.linalg.solve(square, about.T @ (target[rows] - level))
        return weights, level - float(middle @ weights)

    fold = np.random.default_rng(0).permutation(len(points)) % FOLDS
    missed = 0.0
    for number in range(FOLDS):
        weights, offset = fit(fold != number, 1e-4)
        unseen = fold == number
        missed += float(np.square(target[unseen] - points[unseen] @ weights - offset).sum())
    total = float(np.square(target - target.mean()).sum())
    weights, _ = fit(np.ones(len(points), bool), RIDGE)
    return weights, 1.0 - missed / total
