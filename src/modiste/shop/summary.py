"""What answers need to know about all products of a shop, beside a search backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError
from modiste.latent.clusters import Clusters
from modiste.latent.optimal_transport import Moments
from modiste.shop.cluster_transfer import ClusterMoments
from modiste.shop.filters import ColumnKind
from modiste.storage.array_files import READ_ERRORS, open_arrays, save_arrays

REFERENCE_PRODUCTS = 100  # enough to measure thresholds for another τ
META_FILE, SCHEMA = "whole.json", 1
MOMENT_ARRAYS = ("mean_centres", "mean_covariances", "code_centres", "code_covariances")
ARRAY_NAMES = (*MOMENT_ARRAYS, "means", "codes", "edges", "probes", "held", "reach")


@dataclass(frozen=True, eq=False)
class ReferenceCodes:
    """Products taken evenly from a shop's: their ids, and their fixed-epsilon codes, float32 `(b, n)`."""

    ids: tuple[str, ...]
    codes: NDArray[np.float32]

    @classmethod
    def of(cls, ids: list[str], codes: NDArray[np.float32]) -> ReferenceCodes:
        """Take at most REFERENCE_PRODUCTS of `N` products with the codes `(N, n)`."""
        rows = np.linspace(0, len(codes) - 1, min(len(codes), REFERENCE_PRODUCTS)).astype(np.intp)
        return cls(tuple(ids[row] for row in rows), codes[rows])


@dataclass(frozen=True)
class CategoryCounts:
    """The number of products of each category in each of `k` clusters, intp `(k,)` by category."""

    by_category: Mapping[str, NDArray[np.intp]]

    @classmethod
    def of(cls, assignments: NDArray[np.intp], categories: Sequence[str], k: int) -> CategoryCounts:
        """Count `N` products with the clusters `assignments` `(N,)` and the given categories."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(categories))}
        category = np.array([numbers[name] for name in categories], np.intp)
        counts = np.bincount(category * k + assignments, minlength=len(numbers) * k).reshape(-1, k)
        return cls({name: counts[number] for name, number in numbers.items()})

    @cached_property
    def category_of_cluster(self) -> list[str]:
        """The most frequent category of each cluster; "" for an empty cluster."""
        k = len(next(iter(self.by_category.values()), ()))
        candidates = [
            [(-int(counts[j]), name) for name, counts in self.by_category.items() if counts[j]] for j in range(k)
        ]
        # The most frequent, then the first by name, so that the order of the rows does not matter.
        return [min(each, default=(0, ""))[1] for each in candidates]

    def counts(self) -> dict[str, int]:
        """Return the number of products of each category, largest first."""
        totals = {name: int(counts.sum()) for name, counts in self.by_category.items()}
        return dict(sorted(totals.items(), key=lambda pair: (-pair[1], pair[0])))

    def clusters_of(self, category: str) -> list[int]:
        """Return the clusters in which a category is the most frequent; if none, the one with most of its products."""
        clusters = [j for j, most in enumerate(self.category_of_cluster) if most == category]
        return clusters or [int(self.by_category[category].argmax())]

    def main_cluster(self, category: str) -> int:
        """Return that of `clusters_of` which has most of the category's products."""
        return max(self.clusters_of(category), key=lambda j: int(self.by_category[category][j]))


@dataclass(frozen=True, eq=False)
class ShopSummary:
    """The SearchContext of one version of a shop, on a machine that does not have the shop. Some megabytes, on disk."""

    version: str
    model: str
    product_count: int
    latent_dim: int
    tau: float
    clusters: Clusters
    category_counts: CategoryCounts
    cluster_moments: ClusterMoments
    kinds: dict[str, ColumnKind]
    thresholds: dict[str, list[float]]
    neighbour_distances: list[float]
    reference_codes: ReferenceCodes
    code_bounds: NDArray[np.float32]

    def save(self, directory: Path) -> None:
        """Write the summary to a directory, atomically. Raises OSError."""
        moments = self.cluster_moments
        metadata: dict[str, Any] = {
            "schema": SCHEMA,
            "version": self.version,
            "model": self.model,
            "count": self.product_count,
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
            "mean_centres": moments.mean_moments.centres,
            "mean_covariances": moments.mean_moments.covariances,
            "code_centres": moments.code_moments.centres,
            "code_covariances": moments.code_moments.covariances,
            "means": np.concatenate(moments.sample_means),
            "codes": np.concatenate(moments.sample_codes),
            "edges": np.cumsum([len(each) for each in moments.sample_means])[:-1],
            "probes": self.reference_codes.codes,
            "held": np.stack(list(self.category_counts.by_category.values())),
            "reach": self.code_bounds,
        }
        save_arrays(directory, META_FILE, metadata, arrays)

    @classmethod
    def open(cls, directory: Path, version: str) -> ShopSummary | None:
        """Open the summary of a version that `save` wrote; None if it is missing or damaged."""
        try:
            metadata, arrays = open_arrays(directory, META_FILE, {"schema": SCHEMA, "version": version}, ARRAY_NAMES)
            mean_centres, mean_covariances, code_centres, code_covariances = (arrays[name] for name in MOMENT_ARRAYS)
            means, codes = (tuple(np.split(arrays[name], arrays["edges"])) for name in ("means", "codes"))
            moments = ClusterMoments(
                Moments(mean_centres, mean_covariances), Moments(code_centres, code_covariances), means, codes
            )
            counts = dict(zip(metadata["categories"], arrays["held"], strict=True))
            return cls(
                version=version,
                model=str(metadata["model"]),
                product_count=int(metadata["count"]),
                latent_dim=int(metadata["latent"]),
                tau=float(metadata["tau"]),
                clusters=Clusters.from_dict(metadata["clusters"]),
                category_counts=CategoryCounts(counts),
                cluster_moments=moments,
                kinds=metadata["kinds"],
                thresholds=metadata["thresholds"],
                neighbour_distances=metadata["loneliness"],
                reference_codes=ReferenceCodes(tuple(metadata["probes_ids"]), arrays["probes"]),
                code_bounds=arrays["reach"],
            )
        except (*READ_ERRORS, SchemaError):
            return None
