"""The files of a shop's shards on this machine, memory-mapped by replicas.

They never change: a replica that restarts after a crash opens the same version, even if the shop has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from modiste.errors import StaleError
from modiste.search.index import LatentIndex
from modiste.search.sharding import check_shard_count, rows_by_shard
from modiste.shop.backend import LocalBackend
from modiste.shop.cluster_transfer import ClusterTransfer
from modiste.shop.hubness import HubPenalty, cached_penalties, default_scorings
from modiste.shop.loading import EncodingArrays
from modiste.shop.products import Products, TextColumn
from modiste.shop.shop import Shop
from modiste.shop.summary import ShopSummary
from modiste.storage.atomic import atomic_dir
from modiste.storage.checksums import verify_checksums, write_checksums
from modiste.storage.error_translation import storage_errors
from modiste.storage.locks import wait_for_lock
from modiste.storage.remote.cache import cache_directory

MAX_VERSIONS = 4  # of a shop, whose files are kept: the newest
INDEX_DIR, PRODUCTS_FILE, SUMMARY_DIR, PENALTIES_DIR = "index", "products.arrow", "summary", "hub-penalties"
BATCH_ROWS = 4096  # products written at once
PRODUCTS_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "category": pa.string(),
        "attributes": pa.string(),
        "cluster": pa.int32(),
        "x": pa.float32(),
        "y": pa.float32(),
    }
)


@dataclass(frozen=True)
class ShardSource:
    """Input of the shard files: all products, `assignments` `(N,)`, `positions` `(N, 2)` and the shop's τ."""

    catalogue: Products
    encodings: EncodingArrays
    assignments: NDArray[np.intp]
    positions: NDArray[np.float32]
    tau: float

    @classmethod
    def of(cls, shop: Shop) -> ShardSource:
        """Take it from an open shop. Raises ShopIncomplete, StaleError or SchemaError without a current map."""
        return cls(shop.catalogue, shop.encodings, shop.assignments, shop.map.positions, shop.tau)

    def record_batch(self, rows: NDArray[np.intp]) -> pa.RecordBatch:
        """Return the products in some rows as an Arrow batch."""
        catalogue = self.catalogue
        columns = [
            [catalogue.ids[row] for row in rows],
            [catalogue.categories[row] for row in rows],
            [catalogue.attributes_json(row) for row in rows],
            self.assignments[rows].astype(np.int32),
            *self.positions[rows].T,
        ]
        return pa.record_batch(columns, schema=PRODUCTS_SCHEMA)


@dataclass(frozen=True)
class ShardFiles:
    """The files of one version of the shop at an absolute location, split into a number of shards."""

    location: str
    version: str
    shards: int

    @property
    def root(self) -> Path:
        """The directory of the version."""
        digest = hashlib.sha256(self.location.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        name = self.location.rstrip("/").rpartition("/")[2]
        return cache_directory() / "shards" / f"{name}-{digest}" / self.version

    def path(self, shard: int) -> Path:
        """Return the directory of one shard."""
        return self.root / f"{shard}-of-{self.shards}"

    def build(self, only: Collection[int] | None = None) -> ShopSummary:
        """Build all shards, or `only` some, and return the summary. Shards that exist are kept.

        One process of a machine builds, with the memory of a whole shop, while the others wait. Raises also what
        opening the shop raises. Raises StaleError if the shop is of another version by now, and StorageError if the
        disk failed.
        """
        check_shard_count(self.shards)
        with wait_for_lock(self.root.parent):
            return self._build(range(self.shards) if only is None else only)

    def _build(self, shards: Collection[int]) -> ShopSummary:
        missing = [each for each in shards if not verify_checksums(self.path(each))]
        summary = self.summary()
        if summary is not None and not missing:
            return summary
        shop = Shop.open(self.location, need="map")
        if shop.version != self.version:
            raise StaleError(
                f"The shop {self.location} is of version {shop.version} by now, not {self.version}.",
                remedy="Run `modiste shards` again: it deploys the current version.",
            )
        with storage_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            os.utime(self.root)
            if summary is None:
                summary = shop.summary()
                summary.save(self.root / SUMMARY_DIR)
            rows = rows_by_shard(shop.catalogue.ids, self.shards) if missing else []
            source = ShardSource.of(shop)
            for each in missing:
                shutil.rmtree(self.path(each), ignore_errors=True)  # damaged files
                self.write(source, each, rows[each])
            _remove_old_versions(self.root.parent)
        return summary

    def summary(self) -> ShopSummary | None:
        """Return the summary of the version; None if no shard was built."""
        return ShopSummary.open(self.root / SUMMARY_DIR, self.version)

    def open(self, shard: int, summary: ShopSummary, threads: int = 1) -> LocalBackend | None:
        """Open one shard, memory-mapped; None if its files are missing or damaged.

        The first process on this machine that opens it computes its hub penalties and stores them for the others, so
        that no query waits for them. Raises StorageError.
        """
        path = self.path(shard)
        if not verify_checksums(path):
            return None
        try:
            with pa.memory_map(str(path / PRODUCTS_FILE)) as source:
                table: Any = ipc.open_file(source).read_all()
        except (OSError, pa.ArrowException):
            return None
        ids = cast("list[str]", table.column("id").to_pylist())
        index = LatentIndex.open(path / INDEX_DIR, self._fingerprint(shard), ids, threads=threads)
        if index is None:
            return None
        names: dict[str, str] = {}  # one string object per category, not per product
        categories = [names.setdefault(name, name) for name in table.column("category").to_pylist()]
        texts = TextColumn(table.column("attributes"), np.arange(len(ids)))
        products = Products(ids, categories, lambda: texts, summary.kinds)
        assignments = np.asarray(table.column("cluster").to_numpy(), np.intp)
        positions = np.stack([table.column(name).to_numpy() for name in ("x", "y")], axis=1)
        transfer = ClusterTransfer(summary.clusters, lambda: summary.cluster_moments)
        precomputed = cached_penalties(
            HubPenalty(index, assignments, transfer),
            default_scorings(summary.tau),
            path / PENALTIES_DIR,
            self._fingerprint(shard),
        )
        hub_penalty = HubPenalty(index, assignments, transfer, precomputed)
        return LocalBackend(products, index, assignments, hub_penalty, lambda: positions)

    def write(self, source: ShardSource, shard: int, rows: NDArray[np.intp]) -> None:
        """Build one shard from the products in some rows. Raises OSError."""
        encodings = source.encodings
        ids = [source.catalogue.ids[row] for row in rows]
        vectors = (encodings.mean[rows], encodings.std[rows], encodings.code[rows])
        index = LatentIndex(ids, *vectors, cluster=source.assignments[rows], tau=source.tau)

        def fill(directory: Path) -> None:
            index.save(directory / INDEX_DIR, self._fingerprint(shard))
            with ipc.new_file(str(directory / PRODUCTS_FILE), PRODUCTS_SCHEMA) as writer:
                for start in range(0, len(rows), BATCH_ROWS):
                    writer.write_batch(source.record_batch(rows[start : start + BATCH_ROWS]))
            write_checksums(directory)

        self._install(shard, fill)

    def install(self, shard: int, summary: ShopSummary, fill: Callable[[Path], None]) -> None:
        """Install the summary, and one shard whose files `fill` writes to a directory.

        Raises StorageError, and what `fill` raises.
        """
        with wait_for_lock(self.root.parent), storage_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            if self.summary() is None:
                summary.save(self.root / SUMMARY_DIR)
            shutil.rmtree(self.path(shard), ignore_errors=True)  # damaged files
            self._install(shard, fill)
            _remove_old_versions(self.root.parent)

    def _install(self, shard: int, fill: Callable[[Path], None]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        # If another process has written the same shard first, keep its files.
        with atomic_dir(self.path(shard), existing="keep") as partial:
            fill(partial)

    def _fingerprint(self, shard: int) -> str:
        return f"{self.version} {shard}/{self.shards}"


def _remove_old_versions(root: Path) -> None:
    """Remove the oldest versions of a shop from `root`, its directory."""
    versions = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for each in versions[:-MAX_VERSIONS]:
        shutil.rmtree(each, ignore_errors=True)
