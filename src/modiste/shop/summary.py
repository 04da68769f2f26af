"""What is known of a whole shop besides its products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError
from modiste.latent.clusters import Clusters
from modiste.latent.optimal_transport import Moments
from modiste.storage.array_files import UNREADABLE, open_arrays, save_arrays

if TYPE_CHECKING:
    from modiste.shop.shop import Shop
from modiste.shop.cluster_transfer import Spread
from modiste.shop.filters import Kind


@dataclass(frozen=True, eq=False)
class Probes:
    """Some of a shop's products: their ids, and their fixed-epsilon codes, float32 `(b, n)`."""

    ids: tuple[str, ...]
    codes: NDArray[np.float32]


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


LABEL, SCHEMA = "whole.json", 1
MOMENTS = ("mean_centres", "mean_covariances", "code_centres", "code_covariances")
NAMES = (*MOMENTS, "means", "codes", "edges", "probes", "held", "reach")


@dataclass(frozen=True, eq=False)
class Whole:
    """One version of a shop: `reach` float32 `(n, 2)` is how far a code may lie, `kinds` of what filters can ask."""

    version: str
    model: str
    count: int
    latent: int
    tau: float
    clusters: Clusters
    tally: Tally
    spread: Spread
    kinds: dict[str, Kind]
    thresholds: dict[str, list[float]]
    loneliness: list[float]
    probes: Probes
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, shop: Shop) -> Whole:
        """Of an open shop, whole up to its map. Raises ShopIncomplete, StaleError, SchemaError."""
        return cls(
            version=shop.version,
            model=shop.model.model_id,
            count=shop.count,
            latent=shop.latent,
            tau=shop.tau,
            clusters=shop.clusters,
            tally=shop.tally,
            spread=shop.spread,
            kinds=shop.catalogue.kinds,
            thresholds=shop.thresholds,
            loneliness=shop.loneliness,
            probes=shop.probes,
            reach=shop.reach,
        )

    def save(self, directory: Path) -> None:
        """Write it, whole or not at all. Raises OSError."""
        spread = self.spread
        about: dict[str, Any] = {
            "schema": SCHEMA,
            "version": self.version,
            "model": self.model,
            "count": self.count,
            "latent": self.latent,
            "tau": self.tau,
            "clusters": self.clusters.to_dict(),
            "categories": list(self.tally.held),
            "kinds": self.kinds,
            "thresholds": self.thresholds,
            "loneliness": self.loneliness,
            "probes_ids": list(self.probes.ids),
        }
        arrays = {
            "mean_centres": spread.of_means.centres,
            "mean_covariances": spread.of_means.covariances,
            "code_centres": spread.of_codes.centres,
            "code_covariances": spread.of_codes.covariances,
            "means": np.concatenate(spread.means),
            "codes": np.concatenate(spread.codes),
            "edges": np.cumsum([len(each) for each in spread.means])[:-1],
            "probes": self.probes.codes,
            "held": np.stack(list(self.tally.held.values())),
            "reach": self.reach,
        }
        save_arrays(directory, LABEL, about, arrays)

    @classmethod
    def open(cls, directory: Path, version: str) -> Whole | None:
        """What `save` left of a version; None where there is none, or it is damaged."""
        try:
            said, held = open_arrays(directory, LABEL, {"schema": SCHEMA, "version": version}, NAMES)
            mean_moments, code_moments = (
                Moments(*(held[name] for name in MOMENTS[:2])),
                Moments(*(held[name] for name in MOMENTS[2:])),
            )
            means, codes = (tuple(np.split(held[name], held["edges"])) for name in ("means", "codes"))
            return cls(
                version=version,
                model=str(said["model"]),
                count=int(said["count"]),
                latent=int(said["latent"]),
                tau=float(said["tau"]),
                clusters=Clusters.from_dict(said["clusters"]),
                tally=Tally(dict(zip(said["categories"], held["held"], strict=True))),
                spread=Spread(mean_moments, code_moments, means, codes),
                kinds=said["kinds"],
                thresholds=said["thresholds"],
                loneliness=said["loneliness"],
                probes=Probes(tuple(said["probes_ids"]), held["probes"]),
                reach=held["reach"],
            )
        except (*UNREADABLE, SchemaError):
            return None
