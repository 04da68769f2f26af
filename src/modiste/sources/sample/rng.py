"""Seeded random numbers of one product: the same on every machine, in any order of products."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """Random choices for one product.

    Built only on `random.Random.random`, seeded with a string: Python keeps that sequence in all its versions, which
    NumPy does not promise for its distributions.
    """

    def __init__(self, *key: int | str) -> None:
        self._next = random.Random(":".join(str(part) for part in key)).random

    def uniform(self, low: float, high: float) -> float:
        """Return a uniform number in [low, high)."""
        return low + (high - low) * self._next()

    def bates(self, low: float, high: float) -> float:
        """Return the mean of three uniform numbers in [low, high) (Bates distribution, bell-shaped)."""
        return low + (high - low) * (self._next() + self._next() + self._next()) / 3.0

    def chance(self, share: float) -> bool:
        """Return True with probability `share`."""
        return self._next() < share

    def choice(self, options: Sequence[T]) -> T:
        """Return one of `options`, all equally likely."""
        return options[int(self._next() * len(options))]

    def weighted_choice(self, options: Mapping[str, float]) -> str:
        """Return one of the keys, with probabilities proportional to the weights."""
        left = self._next() * sum(options.values())
        for name, weight in options.items():
            left -= weight
            if left < 0.0:
                return name
        return next(iter(options))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return the options in a random order (Fisher-Yates)."""
        order = list(options)
        for last in range(len(order) - 1, 0, -1):
            other = int(self._next() * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order
