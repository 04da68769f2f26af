"""Clusters of codes: their centres, their names, and which one a code belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import SchemaError
from modiste.latent.mixture import Mixture
from modiste.latent.posterior import check_code

Method = Literal["kmeans", "mixture"]
Basis = Literal["code", "mean"]
REMEDY = "Cluster again with `modiste cluster`."


@dataclass(frozen=True, eq=False)
class Clusters:
    """`k` clusters over codes or means.

    `centres` are the means of what was assigned to each cluster, float32 `(k, n)`. With the method "kmeans" a code
    belongs to its nearest centre; with "mixture", to the group of the component most responsible for it.
    """

    centres: NDArray[np.float32]
    labels: tuple[str, ...]
    on: Basis
    method: Method
    mixture: Mixture | None = None

    def __len__(self) -> int:
        return len(self.centres)

    def assign(self, codes: ArrayLike) -> NDArray[np.intp]:
        """The cluster of each code: `(b,)` for `(b, n)`, an array of no dimension for `(n,)`. Raises BadCode."""
        checked = check_code(codes, self.centres.shape[1])
        batch = np.atleast_2d(checked).astype(np.float64)
        found = nearest_centre(batch, self.centres) if self.mixture is None else self.mixture.group_of(batch)
        return found.reshape(checked.shape[:-1])

    def to_dict(self) -> dict[str, Any]:
        """As JSON: numbers, strings, lists."""
        return {
            "method": self.method,
            "on": self.on,
            "labels": list(self.labels),
            "centres": self.centres.tolist(),
            "mixture": None if self.mixture is None else self.mixture.to_dict(),
        }

    @classmethod
    def from_dict(cls, raw: Any) -> Clusters:
        """The clusters that `to_dict` wrote. Raises SchemaError, saying what is wrong."""
        if not isinstance(raw, dict):
            raise SchemaError(f"Clusters are an object, not {type(raw).__name__}.", remedy=REMEDY)
        given = cast("dict[str, Any]", raw)
        method, on, labels = given.get("method"), given.get("on"), given.get("labels")
        centres = read_numbers(given.get("centres"), "centres", 2).astype(np.float32)
        k, n = centres.shape
        if method not in ("kmeans", "mixture") or on not in ("code", "mean"):
            raise SchemaError(f"The clusters say method {method!r}, on {on!r}.", remedy=REMEDY)
        if not isinstance(labels, list) or len(labels) != k or not all(isinstance(x, str) for x in labels):
            raise SchemaError(f"The clusters have {k} centres and the labels {labels!r}.", remedy=REMEDY)
        mixture = None
        if method == "mixture":
            part: Any = given.get("mixture")
            if not isinstance(part, dict):
                raise SchemaError("The clusters have no mixture.", remedy=REMEDY)
            mixture = Mixture(
                read_numbers(part.get("weights"), "weights", 1),
                read_numbers(part.get("means"), "means", 2),
                read_numbers(part.get("covariances"), "covariances", 3),
                read_numbers(part.get("groups"), "groups", 1).astype(np.intp),
            )
            if (problem := mixture.problem(k, n)) is not None:
                raise SchemaError(f"The mixture is damaged: {problem}.", remedy=REMEDY)
        return cls(centres, tuple(cast("list[str]", labels)), on, method, mixture)


def nearest_centre(codes: NDArray[np.float64], centres: ArrayLike) -> NDArray[np.intp]:
    """The nearest centre by Euclidean distance, `(b,)`; the first of several as near."""
    points = np.asarray(centres, np.float64)
    middle = points.mean(axis=0)  # about it, the expanded square loses least
    codes, points = codes - middle, points - middle
    return (np.square(points).sum(axis=1) - 2.0 * codes @ points.T).argmin(axis=1)


def read_numbers(raw: Any, name: str, ndim: int) -> NDArray[np.float64]:
    """Nested lists of finite numbers as a float64 array that is not empty. Raises SchemaError."""
    try:
        array = np.array(raw)
        sound = array.dtype.kind in "fiu" and array.ndim == ndim and array.size > 0
    except ValueError:
        sound, array = False, np.empty(0)
    if not sound or not np.isfinite(array).all():
        raise SchemaError(f"{name} must be finite numbers in {ndim} dimension(s).", remedy=REMEDY)
    return array.astype(np.float64)


def name_clusters(assignments: ArrayLike, categories: Sequence[str]) -> tuple[str, ...]:
    """A name for each cluster 0 … max(assignments): the category that most of its products have.

    Where several clusters have the same, the one with most of it keeps the plain name and the others are numbered:
    "footwear", "footwear 2". A cluster without products is called "empty".

    Args:
        assignments: the cluster of each product, `(N,)`.
        categories: the category of each product, `N` of them.
    """
    of = np.asarray(assignments, np.intp)
    counts = [Counter[str]() for _ in range(int(of.max(initial=-1)) + 1)]
    for cluster, category in zip(of.tolist(), categories, strict=True):
        counts[cluster][category] += 1
    # Most products first, then by name, so that the order of the rows does not matter.
    best = [min(count.items(), key=lambda pair: (-pair[1], pair[0]), default=("empty", 0)) for count in counts]
    names: dict[int, str] = {}
    for cluster in sorted(range(len(best)), key=lambda j: (-best[j][1], j)):
        name, number = best[cluster][0], 2
        plain = name
        while name in names.values():
            name, number = f"{plain} {number}", number + 1
        names[cluster] = name
    return tuple(names[cluster] for cluster in range(len(best)))
