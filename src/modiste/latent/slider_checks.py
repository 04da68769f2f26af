"""Slider checks: measure the decoder's response, and whether a direction does what its name says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.images.measurements import measure_photos
from modiste.latent.attribute_directions import Candidate
from modiste.latent.slider_names import Decode, Nearest, measurement_spread

# Most useful first. Those of low priority follow the catalogue's own attributes: where the catalogue names colours,
# those are more informative.
MEASURED_SLIDERS = ("lightness", "warmth", "height", "width", "saturation", "pinkness", "fill", "edges")
LOW_PRIORITY_SLIDERS = ("saturation", "pinkness", "fill", "edges")
PROBE_ROUNDS = 16
MOVED_PRODUCTS, CHECKED_PRODUCTS = 24, 12  # to measure slopes, and to check directions
STEP_SHARE = 0.7  # of a latent's spread: small enough for a slope, large enough to change whole pixels
IDLE_SHARE = 0.2  # of the largest spread: latents with less have little weight
PICTURES_PER_DIRECTION = 5  # from one end of a direction to the other
MIN_SEPARATION = 2.0  # change of the attribute that a direction is named for, relative to any other
MIN_CHANGE = 0.5  # from end to end, relative to the attribute's spread


def measure_slopes(
    decode: Decode,
    mean: NDArray[np.float32],
    *,
    rounds: int = PROBE_ROUNDS,
    seed: int = 0,
    on_round: Callable[[int], None] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Measure how each of MEASURED_SLIDERS grows along each latent, `(n,)`, in standard deviations over the catalogue.

    Products are moved by random steps in both directions; the slope is a least-squares fit of the changes.

    Args:
        decode: codes `(b, n)` to photos `(b, H, W, 3)`.
        mean: means of the catalogue's posteriors, `(N, n)`.

        rounds: steps per product; more make the slopes more certain.
        seed: seed of products and steps.
        on_round: called with the number of rounds done so far.
    """
    random = np.random.default_rng(seed)
    start = mean[random.choice(len(mean), min(MOVED_PRODUCTS, len(mean)), replace=False)]
    size = STEP_SHARE * mean.std(axis=0)
    unmoved = measure_photos(decode(start))
    steps: list[NDArray[np.float64]] = []
    changes: list[NDArray[np.float64]] = []
    for number in range(rounds):
        step = (random.standard_normal(start.shape) * size).astype(np.float32)
        forward, backward = measure_photos(decode(start + step)), measure_photos(decode(start - step))
        steps.append(2.0 * step.astype(np.float64))
        change = [(forward[n] - backward[n]) / measurement_spread(n, unmoved[n]) for n in MEASURED_SLIDERS]
        changes.append(np.stack(change, axis=1))
        if on_round is not None:
            on_round(number + 1)
    slopes = np.linalg.lstsq(np.concatenate(steps), np.concatenate(changes), rcond=None)[0]
    # A latent that hardly varies is hardly moved, so its slope is mostly rounding to whole pixels and chance.
    slopes *= (size**2 / (size**2 + (IDLE_SHARE * size.max()) ** 2))[:, None]
    return {name: np.asarray(slopes[:, column], np.float64) for column, name in enumerate(MEASURED_SLIDERS)}


class DirectionCheck:
    """Check of attribute directions on pictures and on nearby products."""

    def __init__(
        self,
        decode: Decode,
        nearest: Nearest,
        mean: NDArray[np.float32],
        codes: NDArray[np.float32],
        attributes: Mapping[str, Sequence[Any]],
        slopes: Mapping[str, NDArray[np.float64]],
        *,
        seed: int = 1,
    ) -> None:
        """Measure the unmoved products.

        `slopes` come from `measure_slopes`; the others are arguments of `name_latents` and `attribute_directions`.
        """
        random = np.random.default_rng(seed)
        self._start = mean[random.choice(len(mean), min(CHECKED_PRODUCTS, len(mean)), replace=False)].astype(np.float64)
        self._plain = measure_photos(decode(self._start.astype(np.float32)))
        self._decode = decode
        self._nearest = nearest
        self._codes = codes.astype(np.float64)
        self._attributes = attributes
        self._slopes = slopes

    def find_worst(self, candidates: Sequence[Candidate], basis: NDArray[np.float64]) -> int | None:
        """Return the direction to leave out, or None when all are good.

        Slopes are compared first; where they are well apart, the directions are tried on the decoder.
        """
        rows = [i for i, each in enumerate(candidates) if self._is_measured(each)]
        if len(rows) > 1:
            moves = np.abs([self._slopes[candidates[i].attribute] @ basis[rows].T for i in rows])
            own_slopes = np.diag(moves).copy()
            np.fill_diagonal(moves, 0.0)
            separation = own_slopes / np.maximum(moves.max(axis=0), 1e-9)  # each column is one direction
            if separation.min() < MIN_SEPARATION:
                direction = int(separation.argmin())
                # Of two that cannot be told apart, keep the first: it is the more useful one.
                return rows[max(direction, int(moves[:, direction].argmax()))]
        shown = [candidates[i].attribute for i in rows]
        grades = [self._score(each, basis[i], shown) for i, each in enumerate(candidates)]
        worst = int(np.argmin(grades))
        return worst if grades[worst] < 1.0 else None

    def _is_measured(self, candidate: Candidate) -> bool:
        return candidate.value is None and candidate.attribute in MEASURED_SLIDERS

    def _score(self, candidate: Candidate, direction: NDArray[np.float64], measured: Sequence[str]) -> float:
        """Return 1 or more for a direction that changes its own attribute visibly, steadily and separately."""
        bottom, top = np.percentile(self._codes @ direction, [1, 99])
        path_codes = [
            (self._start + (value - self._start @ direction)[:, None] * direction).astype(np.float32)
            for value in np.linspace(bottom, top, PICTURES_PER_DIRECTION)
        ]
        if not self._is_measured(candidate):
            path = np.array([self._neighbour_level(codes, candidate) for codes in path_codes])
            return self._score_path(path)
        decoded = [measure_photos(self._decode(codes)) for codes in path_codes]
        paths = {
            name: np.array([each[name].mean() for each in decoded]) / measurement_spread(name, self._plain[name])
            for name in measured
        }
        own_path = paths[candidate.attribute]
        other_change = max(
            (abs(path[-1] - path[0]) for name, path in paths.items() if name != candidate.attribute), default=0.0
        )
        return min(
            self._score_path(own_path), float(own_path[-1] - own_path[0]) / max(MIN_SEPARATION * other_change, 1e-9)
        )

    @staticmethod
    def _score_path(path: NDArray[np.float64]) -> float:
        """Return the rise relative to MIN_CHANGE; less where part of the path goes down."""
        climb, down = float(path[-1] - path[0]), float(np.minimum(np.diff(path), 0.0).sum())
        return (climb + 4.0 * down) / MIN_CHANGE

    def _neighbour_level(self, codes: NDArray[np.float32], candidate: Candidate) -> float:
        """Return an attribute's mean over the products nearest to the codes, in standard deviations."""
        values = self._attributes[candidate.attribute]
        known = [value for value in values if value is not None]
        nearby = [values[row] for row in self._nearest(codes).ravel().tolist() if values[row] is not None]
        if candidate.value is None:
            scale, level = float(np.std(known)), float(np.mean(nearby)) if nearby else 0.0
        else:
            share = sum(str(value) == candidate.value for value in known) / len(known)
            scale = float(np.sqrt(share * (1.0 - share)))
            level = sum(str(value) == candidate.value for value in nearby) / max(len(nearby), 1)
        return level / max(scale, 1e-9)
