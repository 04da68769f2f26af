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
from modiste.storage.array_files import READ_ERRORS, open_arrays, save_arrays

if TYPE_CHECKING:
    from modiste.shop.shop import Shop
from modiste.shop.cluster_transfer import ClusterMoments
from modiste.shop.filters import ColumnKind


@dataclass(frozen=True, eq=False)
class ReferenceCodes:
    """Some of a shop's products: their ids, and their fixed-epsilon codes, float32 `(b, n)`."""

    ids: tuple[str, ...]
    codes: NDArray[np.float32]


@dataclass(frozen=True)
class CategoryCounts:
    """`held` has, for each category, how many of its products are in each of the clusters, intp `(k,)`."""

    by_category: Mapping[str, NDArray[np.intp]]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], categories: Sequence[str], k: int) -> CategoryCounts:
        """Of the clusters `(N,)` and categories, `N` of them, of all products."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(categories))}
        category = np.array([numbers[name] for name in categories], np.intp)
        counts = np.bincount(category * k + assignments, minlength=len(numbers) * k).reshape(-1, k)
        return cls({name: counts[number] for name, number in numbers.items()})

    @cached_property
    def category_of_cluster(self) -> list[str]:
        """The category that most products of each cluster have; "" for a cluster without any."""
        k = len(next(iter(self.by_category.values()), ()))
        some = [
            [(-int(held[j]), name) for name, held in self.by_category.items() if held[j]] for j in range(k)
        ]
        # Most first, then by name, so that the order of the rows does not matter.
        return [min(each, default=(0, ""))[1] for each in some]

    def counts(self) -> dict[str, int]:
        """How many products each category has, largest first."""
        found = {name: int(held.sum()) for name, held in self.by_category.items()}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def clusters_of(self, category: str) -> list[int]:
        """The clusters in which a category has the majority; if in none, the one where most of its products are."""
        clusters = [j for j, most in enumerate(self.category_of_cluster) if most == category]
        return clusters or [int(self.by_category[category].argmax())]

    def main_cluster(self, category: str) -> int:
        """The cluster, of those, where most of a category's products are."""
        return max(self.clusters_of(category), key=lambda j: int(self.by_category[category][j]))


META_FILE, SCHEMA = "whole.json", 1
MOMENT_ARRAYS = ("mean_centres", "mean_covariances", "code_centres", "code_covariances")
ARRAY_NAMES = (*MOMENT_ARRAYS, "means", "codes", "edges", "probes", "held", "reach")


@dataclass(frozen=True, eq=False)
class ShopSummary:
    """One version of a shop: `reach` float32 `(n, 2)` is how far a code may lie, `kinds` of what filters can ask."""

    version: str
    model: str
    count: int
    latent_dim: int
    tau: float
    clusters: Clusters
    category_counts: CategoryCounts
    cluster_moments: ClusterMoments
    kinds: dict[str, ColumnKind]
    thresholds: dict[str, list[float]]
    neighbour_distances: list[float]
    reference_codes: ReferenceCodes
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, shop: Shop) -> ShopSummary:
        """Of an open shop, whole up to its map. Raises ShopIncomplete, StaleError, SchemaError."""
        return cls(
            version=shop.version,
            model=shop.model.model_id,
            count=shop.count,
            latent_dim=shop.latent_dim,
            tau=shop.tau,
            clusters=shop.clusters,
            category_counts=shop.category_counts,
            cluster_moments=shop.cluster_moments,
            kinds=shop.catalogue.kinds,
            thresholds=shop.thresholds,
            neighbour_distances=shop.neighbour_distances,
            reference_codes=shop.reference_codes,
            reach=shop.code_bounds,
        )

    def save(self, directory: Path) -> None:
        """Write it, whole or not at all. Raises OSError."""
        spread = self.cluster_moments
        about: dict[str, Any] = {
            "schema": SCHEMA,
            "version": self.version,
            "model": self.model,
            "count": self.count,
            "latent": self.latent_dim,
            "tau": self.tau,
            "clusters": self.clusters.to_dict(),
            "categories": list(self.category_counts.by_category),
            "kinds": self.kinds,
            "thresholds": self.thresholds,
            "loneliness": self.neighbour_distances,
            "probes_ids": list(self.reference_codes.ids),
        }
        arrays = {
            "mean_centres": spread.mean_moments.centres,
            "mean_covariances": spread.mean_moments.covariances,
            "code_centres": spread.code_moments.centres,
            "code_covariances": spread.code_moments.covariances,
            "means": np.concatenate(spread.sample_means),
            "codes": np.concatenate(spread.sample_codes),
            "edges": np.cumsum([len(each) for each in spread.sample_means])[:-1],
            "probes": self.reference_codes.codes,
            "held": np.stack(list(self.category_counts.by_category.values())),
            "reach": self.reach,
        }
        save_arrays(directory, META_FILE, about, arrays)

    @classmethod
    def open(cls, directory: Path, version: str) -> ShopSummary | None:
        """What `save` left of a version; None where there is none, or it is damaged."""
        try:
            said, held = open_arrays(
                directory, META_FILE, {"schema": SCHEMA, "version": version}, ARRAY_NAMES
            )
            mean_moments, code_moments = (
                Moments(*(held[name] for name in MOMENT_ARRAYS[:2])),
                Moments(*(held[name] for name in MOMENT_ARRAYS[2:])),
            )
            means, codes = (tuple(np.split(held[name], held["edges"])) for name in ("means", "codes"))
            return cls(
                version=version,
                model=str(said["model"]),
                count=int(said["count"]),
                latent_dim=int(said["latent"]),
                tau=float(said["tau"]),
                clusters=Clusters.from_dict(said["clusters"]),
                category_counts=CategoryCounts(dict(zip(said["categories"], held["held"], strict=True))),
                cluster_moments=ClusterMoments(mean_moments, code_moments, means, codes),
                kinds=said["kinds"],
                thresholds=said["thresholds"],
                neighbour_distances=said["loneliness"],
                reference_codes=ReferenceCodes(tuple(said["probes_ids"]), held["probes"]),
                reach=held["reach"],
            )
        except (*READ_ERRORS, SchemaError):
            return None
