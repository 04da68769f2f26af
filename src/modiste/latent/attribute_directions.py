"""Directions in latent space that move the catalogue's attributes: found, made orthogonal, and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.sliders import AttributeSlider

# Of the codes' own spread. Least squares alone would point where the codes hardly vary, and so where moving draws
# nothing that the shop has; this much ridge keeps to where the products are.
RIDGE = 0.5
MIN_REMAINING_LENGTH = 0.6  # of a direction's length must be left when those chosen before it are taken away
MIN_WORD_R2, MIN_NUMBER_R2 = (
    0.1,
    0.3,
)  # of the variance explained: less is chance (a rare word never has much)
MIN_PRODUCTS = 20  # products with a word, and without it: fewer tell nothing


@dataclass(frozen=True, eq=False)
class Candidate:
    """An attribute, or one word of it, and the unit vector `(n,)` along which it grows.

    `share` see AttributeSlider. Those of a lower `turn` choose first, and do not give way to those of a higher.
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
    """Directions in latent space that move an attribute: unit vectors, orthogonal to each other, best first.

    What can be measured on a picture comes first, in the order given: its direction is how the decoder answers. The
    others are regressed on the codes (ridge), a number as such, of words each frequent one; first the best of every
    attribute, then the second best; last what of `measured` is in `late`. One that those before it mostly explain is
    left out. How they are made orthogonal, see `orthogonal`.

    Args:
        codes: `(N, n)`.
        attributes: `N` values by name; None where unknown. Booleans and words are categories, numbers are numeric.
        measured: by name of a numeric attribute, how it grows along each latent, `(n,)`.
        late: names of `measured` that matter less than what the catalogue knows.
        worst: told the candidates and their directions `(m, n)`, which to leave out; None when all are good.
        most: at most so many directions (and never more than n).
    """
    points = codes.astype(np.float64)
    found = _candidates(points, attributes, slopes or {}, low_priority)
    kept = _choose_independent(found, min(max_directions, points.shape[1]))
    basis = orthogonalize(kept)
    while find_worst is not None and kept and (bad := find_worst(kept, basis)) is not None:
        kept.pop(bad)
        basis = orthogonalize(kept)
    made: list[AttributeSlider] = []
    for each, direction in zip(kept, basis, strict=True):
        bottom, top = (float(value) for value in np.percentile(points @ direction, [1, 99]))
        made.append(
            AttributeSlider(each.attribute, each.value, tuple(direction.tolist()), bottom, top, each.share)
        )
    return tuple(sorted(made, key=lambda each: -each.share))


def orthogonalize(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Orthonormal directions for candidates, `(m, n)` in their order.

    Those of one turn are all turned as little as it takes (Löwdin), so that none of them is favoured, after what lies
    along those of earlier turns is taken away.
    """
    basis = np.zeros((len(candidates), len(candidates[0].direction) if candidates else 0))
    for turn in sorted({each.priority for each in candidates}):
        places = [i for i, each in enumerate(candidates) if each.priority == turn]
        rest = np.array([candidates[i].direction for i in places])
        rest = rest - rest @ basis.T @ basis
        rest = rest / np.linalg.norm(rest, axis=1, keepdims=True)
        left, _, right = np.linalg.svd(rest, full_matrices=False)
        basis[places] = left @ right
    return basis


def _candidates(
    points: NDArray[np.float64],
    attributes: Mapping[str, Sequence[Any]],
    slopes: Mapping[str, NDArray[np.float64]],
    low_priority: Collection[str],
) -> list[Candidate]:
    """Every attribute that the codes explain, in the order in which to choose."""
    shown: dict[str, Candidate] = {}
    ranked: list[tuple[int, Candidate]] = []
    for name, values in attributes.items():
        found: list[Candidate] = []
        for value, rows, target in _regression_targets(values):
            weights, share = _regress(points[rows], target)
            length = float(np.linalg.norm(weights))
            if share >= (MIN_NUMBER_R2 if value is None else MIN_WORD_R2) and length > 0:
                found.append(Candidate(name, value, share, weights / length))
        found.sort(key=lambda each: (-each.share, each.value or ""))
        if name not in slopes:
            ranked += enumerate(found)
        elif found and (length := float(np.linalg.norm(slopes[name]))) > 0:
            turn = 2 if name in low_priority else 0
            shown[name] = Candidate(name, None, found[0].share, slopes[name] / length, turn)
    ranked.sort(key=lambda pair: (pair[0], -pair[1].share, pair[1].attribute))
    ordered = [shown[name] for name in slopes if name in shown] + [each for _, each in ranked]
    return sorted(ordered, key=lambda each: each.priority)


def _choose_independent(candidates: Sequence[Candidate], max_directions: int) -> list[Candidate]:
    """The first candidates that those before do not mostly explain."""
    kept: list[Candidate] = []
    basis = np.empty((0, 0))
    for each in candidates:
        if len(kept) == max_directions:
            break
        rest = each.direction - basis.T @ (basis @ each.direction) if kept else each.direction
        length = float(np.linalg.norm(rest))
        if length >= MIN_REMAINING_LENGTH:
            kept.append(each)
            basis = np.vstack([basis, rest / length]) if len(kept) > 1 else (rest / length)[None]
    return kept


def _regression_targets(
    values: Sequence[Any],
) -> list[tuple[str | None, NDArray[np.intp], NDArray[np.float64]]]:
    """What of an attribute can be regressed: (word or None, the rows where it is known, the target there)."""
    rows = np.array([i for i, value in enumerate(values) if _is_known(value)], np.intp)
    known = [values[i] for i in rows]
    if len(known) < 2 * MIN_PRODUCTS:
        return []
    if not any(isinstance(value, (str, bool, np.bool_)) for value in known):
        target = np.array(known, np.float64)
        return [(None, rows, target)] if target.std() > 0 else []
    words = np.array([str(value) for value in known])
    names, counts = np.unique(words, return_counts=True)
    frequent = [
        str(name)
        for name, count in zip(names, counts, strict=True)
        if count >= MIN_PRODUCTS and len(words) - count >= MIN_PRODUCTS
    ]
    if len(names) == 2 and len(frequent) == 2:
        frequent = frequent[1:]  # the other is its opposite
    return [(name, rows, (words == name).astype(np.float64)) for name in frequent]


def _is_known(value: Any) -> bool:
    if value is None:
        return False
    return isinstance(value, (str, bool, np.bool_)) or bool(np.isfinite(value))


def _regress(
    points: NDArray[np.float64], target: NDArray[np.float64], folds: int = 5
) -> tuple[NDArray[np.float64], float]:
    """The way `(n,)` along which the target grows, and the share of its variance that codes explain on unseen rows."""

    def fit(rows: NDArray[np.bool_], ridge: float) -> tuple[NDArray[np.float64], float]:
        middle, level = points[rows].mean(axis=0), float(target[rows].mean())
        about = points[rows] - middle
        square = about.T @ about
        square += ridge * np.trace(square) / len(square) * np.eye(len(square)) + 1e-9 * np.eye(len(square))
        weights = np.linalg.solve(square, about.T @ (target[rows] - level))
        return weights, level - float(middle @ weights)

    fold = np.random.default_rng(0).permutation(len(points)) % folds
    missed = 0.0
    for each in range(folds):
        weights, offset = fit(fold != each, 1e-4)
        seen = fold == each
        missed += float(np.square(target[seen] - points[seen] @ weights - offset).sum())
    total = float(np.square(target - target.mean()).sum())
    weights, _ = fit(np.ones(len(points), bool), RIDGE)
    return weights, 1.0 - missed / total
