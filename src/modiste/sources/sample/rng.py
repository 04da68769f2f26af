"""One product's own random numbers: the same on every machine, whatever was drawn before it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """Random choices for one product.

    Built on `random.Random.random` alone, seeded with a text: Python promises that sequence for all its
    versions, which NumPy does for none of its distributions.
    """

    def __init__(self, *key: int | str) -> None:
        self._next = random.Random(":".join(str(part) for part in key)).random

    def uniform(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self._next()

    def bates(self, low: float, high: float) -> float:
        """Bell-shaped over (low, high): the mean of three uniform numbers."""
        return low + (high - low) * (self._next() + self._next() + self._next()) / 3.0

    def chance(self, share: float) -> bool:
        """True in `share` of the cases."""
        return self._next() < share

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`, all alike."""
        return options[int(self._next() * len(options))]

    def weighted_choice(self, options: Mapping[str, float]) -> str:
        """One of the keys, as often as its weight says."""
        left = self._next() * sum(options.values())
        for name, weight in options.items():
            left -= weight
            if left < 0.0:
                return name
        return next(iter(options))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """A new order (Fisher-Yates)."""
        order = list(options)
        for last in range(len(order) - 1, 0, -1):
            other = int(self._next() * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order
