"""Tally: how many products of each category each cluster has, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tally:
    """`held` has, for each category, how many of its products are in each of the clusters, intp `(k,)`."""

    held: Mapping[str, NDArray[np.intp]]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], categories: Sequence[str], k: int) -> Tally:
        """Of the clusters `(N,)` and categories, `N` of them, of all products."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(categories))}
        category = np.array([numbers[name] for name in categories], np.intp)
        counts = np.bincount(category * k + assignments, minlength=len(numbers) * k).reshape(-1, k)
        return cls({name: counts[number] for name, number in numbers.items()})

    @cached_property
    def category_of_cluster(self) -> list[str]:
        """The category that most products of each cluster have; "" for a cluster without any."""
        k = len(next(iter(self.held.values()), ()))
        some = [[(-int(held[j]), name) for name, held in self.held.items() if held[j]] for j in range(k)]
        # Most first, then by name, so that the order of the rows does not matter.
        return [min(each, default=(0, ""))[1] for each in some]

    def counts(self) -> dict[str, int]:
        """How many products each category has, largest first."""
        found = {name: int(held.sum()) for name, held in self.held.items()}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def where(self, category: str) -> list[int]:
        """The clusters in which a category has the majority; if in none, the one where most of its products are."""
        clusters = [j for j, most in enumerate(self.category_of_cluster) if most == category]
        return clusters or [int(self.held[category].argmax())]

    def main(self, category: str) -> int:
        """The cluster, of those, where most of a category's products are."""
        return max(self.where(category), key=lambda j: int(self.held[category][j]))
