"""How the decoder answers to small steps, and whether a direction does what it is named for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.images.measurements import measure_photos
from modiste.latent.attribute_directions import Candidate
from modiste.latent.slider_names import Decode, Nearest, measurement_spread

# What people ask for first comes first. The late ones wait until the catalogue's own attributes have had their turn:
# where it knows colours by name, those say more.
MEASURED_SLIDERS = ("lightness", "warmth", "height", "width", "saturation", "pinkness", "fill", "edges")
LOW_PRIORITY_SLIDERS = ("saturation", "pinkness", "fill", "edges")
PROBE_ROUNDS = 16
STEP_SHARE = 0.7  # of a latent's spread: local enough to be a slope, large enough to be seen in whole pixels
IDLE_SHARE = 0.2  # of the largest spread: latents of less count for little
PICTURES_PER_DIRECTION = 5  # pictures from one end of a direction to the other
MIN_SEPARATION = 2.0  # times as much as anything else must a direction move what it is named for
MIN_CHANGE = 0.5  # of an attribute's spread must it move from end to end


def measure_slopes(
    decode: Decode,
    mean: NDArray[np.float32],
    *,
    samples: int = 24,
    rounds: int = PROBE_ROUNDS,
    seed: int = 0,
    on_round: Callable[[int], None] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """How each of SHOWN grows along each latent, `(n,)`, in standard deviations over the catalogue's pictures.

    Products are moved a random step either way; the slope is the least squares fit of what changes.

    Args:
        decode: codes `(b, n)` to photos `(b, H, W, 3)`.
        mean: of the catalogue's posteriors, `(N, n)`.
        bases: how many products are tried.
        rounds: how often each; more make the slopes surer.
        on_round: told how many are done.
    """
    random = np.random.default_rng(seed)
    start = mean[random.choice(len(mean), min(samples, len(mean)), replace=False)]
    size = STEP_SHARE * mean.std(axis=0)
    plain = measure_photos(decode(start))
    steps: list[NDArray[np.float64]] = []
    changes: list[NDArray[np.float64]] = []
    for done in range(rounds):
        step = (random.standard_normal(start.shape) * size).astype(np.float32)
        ahead, back = measure_photos(decode(start + step)), measure_photos(decode(start - step))
        steps.append(2.0 * step.astype(np.float64))
        changes.append(
            np.stack(
                [
                    (ahead[name] - back[name]) / measurement_spread(name, plain[name])
                    for name in MEASURED_SLIDERS
                ],
                axis=1,
            )
        )
        if on_round is not None:
            on_round(done + 1)
    slopes = np.linalg.lstsq(np.concatenate(steps), np.concatenate(changes), rcond=None)[0]
    # A latent that hardly varies is hardly moved, and its slope is what whole pixels and chance make of that.
    slopes *= (size**2 / (size**2 + (IDLE_SHARE * size.max()) ** 2))[:, None]
    return {name: np.asarray(slopes[:, column], np.float64) for column, name in enumerate(MEASURED_SLIDERS)}


class DirectionCheck:
    """Finds directions that do not do what they are named for, on pictures and on the products near by."""

    def __init__(
        self,
        decode: Decode,
        nearest: Nearest,
        mean: NDArray[np.float32],
        codes: NDArray[np.float32],
        attributes: Mapping[str, Sequence[Any]],
        slopes: Mapping[str, NDArray[np.float64]],
        *,
        samples: int = 12,
        seed: int = 1,
    ) -> None:
        """`slopes` are what `probe` found; the others are the arguments of `name_latents`, `attribute_directions`."""
        random = np.random.default_rng(seed)
        self._start = mean[random.choice(len(mean), min(samples, len(mean)), replace=False)].astype(
            np.float64
        )
        self._plain = measure_photos(decode(self._start.astype(np.float32)))
        self._decode = decode
        self._nearest = nearest
        self._codes = codes.astype(np.float64)
        self._attributes = attributes
        self._slopes = slopes

    def find_worst(self, candidates: Sequence[Candidate], basis: NDArray[np.float64]) -> int | None:
        """The direction to leave out, by slope and, where these are well apart, by trying; None when all are good."""
        places = [i for i, each in enumerate(candidates) if self._is_measured(each)]
        if len(places) > 1:
            moves = np.abs([self._slopes[candidates[i].attribute] @ basis[places].T for i in places])
            own = np.diag(moves).copy()
            np.fill_diagonal(moves, 0.0)
            apart = own / np.maximum(moves.max(axis=0), 1e-9)  # each column is one direction
            if apart.min() < MIN_SEPARATION:
                direction = int(apart.argmin())
                # Of the two that cannot be told apart, people ask for the first.
                return places[max(direction, int(moves[:, direction].argmax()))]
        shown = [candidates[i].attribute for i in places]
        grades = [self._score(each, basis[i], shown) for i, each in enumerate(candidates)]
        least = int(np.argmin(grades))
        return least if grades[least] < 1.0 else None

    def _is_measured(self, candidate: Candidate) -> bool:
        return candidate.value is None and candidate.attribute in MEASURED_SLIDERS

    def _score(self, candidate: Candidate, direction: NDArray[np.float64], measured: Sequence[str]) -> float:
        """1 or more for a direction that moves its own attribute visibly, steadily and apart from what is shown."""
        bottom, top = np.percentile(self._codes @ direction, [1, 99])
        ways = [
            (self._start + (value - self._start @ direction)[:, None] * direction).astype(np.float32)
            for value in np.linspace(bottom, top, PICTURES_PER_DIRECTION)
        ]
        if not self._is_measured(candidate):
            path = np.array([self._neighbour_level(way, candidate) for way in ways])
            return self._score_path(path)
        drawn = [measure_photos(self._decode(way)) for way in ways]
        paths = {
            name: np.array([each[name].mean() for each in drawn])
            / measurement_spread(name, self._plain[name])
            for name in measured
        }
        own = paths[candidate.attribute]
        others = max(
            (abs(path[-1] - path[0]) for name, path in paths.items() if name != candidate.attribute),
            default=0.0,
        )
        return min(self._score_path(own), float(own[-1] - own[0]) / max(MIN_SEPARATION * others, 1e-9))

    @staticmethod
    def _score_path(path: NDArray[np.float64]) -> float:
        """The climb over what is VISIBLE; less where part of the way goes down."""
        climb, down = float(path[-1] - path[0]), float(np.minimum(np.diff(path), 0.0).sum())
        return (climb + 4.0 * down) / MIN_CHANGE

    def _neighbour_level(self, codes: NDArray[np.float32], candidate: Candidate) -> float:
        """The mean of an attribute over the products nearest to codes, in standard deviations over the catalogue."""
        values = self._attributes[candidate.attribute]
        known = [value for value in values if value is not None]
        found = [values[row] for row in self._nearest(codes).ravel().tolist() if values[row] is not None]
        if candidate.value is None:
            scale, level = float(np.std(known)), float(np.mean(found)) if found else 0.0
        else:
            share = sum(str(value) == candidate.value for value in known) / len(known)
            scale = float(np.sqrt(share * (1.0 - share)))
            level = sum(str(value) == candidate.value for value in found) / max(len(found), 1)
        return level / max(scale, 1e-9)
