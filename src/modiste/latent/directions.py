"""What the latents mean: how each moves the picture, and which directions move the catalogue's attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.latent.measures import MEASURES, measures
from modiste.latent.sliders import AttributeSlider, LatentSlider

Decode = Callable[[NDArray[np.float32]], NDArray[np.uint8]]
WORDS = {
    "lightness": ("darker", "lighter"),
    "saturation": ("greyer", "more colourful"),
    "warmth": ("cooler", "warmer"),
    "height": ("shorter", "taller"),
    "width": ("narrower", "wider"),
    "area": ("smaller", "larger"),
    "aspect": ("flatter", "more upright"),
    "edges": ("plainer", "busier"),
}  # hue goes round and has no two ends
NAMEABLE = 0.5  # of a measure's spread over the catalogue: less is not worth a name
OWN = 0.5  # of a direction's length must be left when those before it are taken away


def slider_ranges(means: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the 1st to the 99th percentile of each latent over the catalogue: `(n, 2)` for `(N, n)`."""
    return np.percentile(means, [1, 99], axis=0).T.astype(np.float32)


def kl_per_latent(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.float64]:
    """KL(q(z|x) ‖ N(0, 1)) of each latent in nats, averaged over the catalogue: `(n,)` for `(N, n)` each.

    ½ (μ² + σ² − 1 − log σ²): what the model spends on the latent; near 0, it does nothing.
    """
    variance = np.square(std, dtype=np.float64)
    return (0.5 * (np.square(mean, dtype=np.float64) + variance - 1.0 - np.log(variance))).mean(axis=0)


def order_by_kl(mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.intp]:
    """The latents, `(n,)`, those that matter most first."""
    return np.argsort(-kl_per_latent(mean, std), kind="stable")


def name_latents(
    decode: Decode,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    *,
    bases: int = 24,
    seed: int = 0,
    on_latent: Callable[[int], None] | None = None,
) -> tuple[LatentSlider, ...]:
    """A slider for each latent, those that matter most first, named by what it does to the decoded picture.

    Some products are decoded with the latent at either end of its range and all else as it is. The change of every
    measure, in standard deviations of that measure over the catalogue's pictures, is the latent's effect; the
    largest gives the name ("darker", "lighter"), unless a latent before has it. Without a large one the name is
    ("less", "more").

    Args:
        decode: codes `(b, n)` to photos `(b, H, W, 3)`.
        mean, std: of the catalogue's posteriors, `(N, n)` each.
        bases: how many products are tried.
        on_latent: told how many latents are done.
    """
    ranges, kl = slider_ranges(mean), kl_per_latent(mean, std)
    random = np.random.default_rng(seed)
    start = mean[random.choice(len(mean), min(bases, len(mean)), replace=False)]
    plain = measures(decode(start))
    taken: set[str] = set()
    made: list[LatentSlider] = []
    for latent in order_by_kl(mean, std).tolist():
        ends: list[dict[str, NDArray[np.float64]]] = []
        for value in ranges[latent]:
            moved = start.copy()
            moved[:, latent] = value
            ends.append(measures(decode(moved)))
        effects = {name: _effect(name, ends[0][name], ends[1][name], plain[name]) for name in MEASURES}
        strongest = sorted(WORDS, key=lambda name: -abs(effects[name]))
        name = next((m for m in strongest if m not in taken and abs(effects[m]) >= NAMEABLE), None)
        low, high = ("less", "more") if name is None else WORDS[name]
        if name is not None:
            taken.add(name)
            if effects[name] < 0:
                low, high = high, low
        bottom, top = (float(value) for value in ranges[latent])
        made.append(LatentSlider(latent, low, high, bottom, top, float(kl[latent]), effects))
        if on_latent is not None:
            on_latent(len(made))
    return tuple(made)


def _effect(
    name: str, low: NDArray[np.float64], high: NDArray[np.float64], plain: NDArray[np.float64]
) -> float:
    """The mean change from one end to the other in standard deviations; of hue, in degrees the short way round."""
    change = high - low
    if name == "hue":
        turned = np.exp(1j * np.radians(change)).mean()
        return float(np.degrees(np.angle(turned)))
    return float(change.mean() / max(float(plain.std()), 0.01))


def attribute_directions(
    codes: NDArray[np.float32],
    attributes: Mapping[str, Sequence[Any]],
    *,
    most: int = 12,
    least_share: float = 0.1,
    ridge: float = 1.0,
) -> tuple[AttributeSlider, ...]:
    """Directions in latent space that move an attribute: unit vectors, orthogonal to each other, best first.

    A numeric attribute gives one direction, one of words gives one for each frequent word: the weights of a ridge
    regression of the (0 or 1) attribute on the codes. Those explained best come first; from each later one the part
    along those before is taken away, and it is left out where little remains.

    Args:
        codes: `(N, n)`.
        attributes: `N` values by name; None where unknown. Booleans and words are categories, numbers are numeric.
        most: at most so many directions (and never more than n).
        least_share: of the attribute's variance, explained on rows that the fit did not see.
    """
    points = codes.astype(np.float64)
    found: list[tuple[float, str, str | None, NDArray[np.float64]]] = []
    for name, values in attributes.items():
        for value, rows, target in _targets(values):
            weights, share = _ridge(points[rows], target, ridge)
            if share >= least_share:
                found.append((share, name, value, weights))
    found.sort(key=lambda each: (-each[0], each[1], each[2] or ""))
    basis = np.empty((0, points.shape[1]))
    made: list[AttributeSlider] = []
    for share, name, value, weights in found:
        if len(made) == min(most, points.shape[1]):
            break
        unit = weights / np.linalg.norm(weights)
        rest = unit - basis.T @ (basis @ unit)
        length = float(np.linalg.norm(rest))
        if length < OWN:
            continue
        rest = rest / length
        rest = rest - basis.T @ (basis @ rest)  # once more: rounding leaves a trace of the others
        rest = rest / np.linalg.norm(rest)
        basis = np.vstack([basis, rest])
        bottom, top = np.percentile(points @ rest, [1, 99])
        made.append(
            AttributeSlider(name, value, tuple(rest.tolist()), float(bottom), float(top), float(share))
        )
    return tuple(made)


def _targets(
    values: Sequence[Any], *, least: int = 20
) -> list[tuple[str | None, NDArray[np.intp], NDArray[np.float64]]]:
    """What of an attribute can be regressed: (word or None, the rows where it is known, the target there)."""
    rows = np.array([i for i, value in enumerate(values) if _known(value)], np.intp)
    known = [values[i] for i in rows]
    if len(known) < 2 * least:
        return []
    if not any(isinstance(value, (str, bool, np.bool_)) for value in known):
        target = np.array(known, np.float64)
        return [(None, rows, target)] if target.std() > 0 else []
    words = np.array([str(value) for value in known])
    names, counts = np.unique(words, return_counts=True)
    frequent = [
        str(name)
        for name, count in zip(names, counts, strict=True)
        if count >= least and len(words) - count >= least
    ]
    if len(names) == 2 and len(frequent) == 2:
        frequent = frequent[1:]  # the other is its opposite
    return [(name, rows, (words == name).astype(np.float64)) for name in frequent]


def _known(value: Any) -> bool:
    if value is None:
        return False
    return isinstance(value, (str, bool, np.bool_)) or bool(np.isfinite(value))


def _ridge(
    points: NDArray[np.float64], target: NDArray[np.float64], ridge: float, folds: int = 5
) -> tuple[NDArray[np.float64], float]:
    """Weights `(n,)` of the target per unit of code, and the share of its variance explained on unseen rows."""

    def fit(rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
        middle, level = points[rows].mean(axis=0), float(target[rows].mean())
        about = points[rows] - middle
        square = about.T @ about + ridge * np.eye(points.shape[1])
        weights = np.linalg.solve(square, about.T @ (target[rows] - level))
        return weights, level - float(middle @ weights)

    fold = np.random.default_rng(0).permutation(len(points)) % folds
    missed = 0.0
    for each in range(folds):
        weights, offset = fit(fold != each)
        seen = fold == each
        missed += float(np.square(target[seen] - points[seen] @ weights - offset).sum())
    total = float(np.square(target - target.mean()).sum())
    weights, _ = fit(np.ones(len(points), bool))
    return weights, 1.0 - missed / total
