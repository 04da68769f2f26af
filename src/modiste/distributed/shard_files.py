"""Packs: a shop's shards in files on this machine, each to be mapped by whoever answers for it.

A shop changes, a pack does not: a shard that starts again after a crash is of the version that it was before, whatever
the shop is by then.
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
from modiste.shop.index_files import EncodingArrays
from modiste.shop.products import Products, TextColumn
from modiste.shop.shop import Shop
from modiste.shop.summary import ShopSummary
from modiste.storage.atomic import atomic_dir
from modiste.storage.checksums import verify_checksums, write_checksums
from modiste.storage.locks import wait_for_lock
from modiste.storage.refusals import storage_errors
from modiste.storage.remote.cache import cache_directory

MAX_VERSIONS = 4  # versions of a shop whose packs stay: of those that were packed last
INDEX_DIR, PRODUCTS_FILE, SUMMARY_DIR, PENALTIES_DIR = "index", "words.arrow", "whole", "crowds"
BATCH_ROWS = 4096  # products whose words are in memory together
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
    """What of a shop is packed, of all its products: clusters `assignments` `(N,)`, `positions` `(N, 2)`, and its τ."""

    catalogue: Products
    encodings: EncodingArrays
    assignments: NDArray[np.intp]
    positions: NDArray[np.float32]
    tau: float

    @classmethod
    def of(cls, shop: Shop) -> ShardSource:
        """Of an open shop, whole up to its map. Raises ShopIncomplete, StaleError, SchemaError."""
        return cls(shop.catalogue, shop.encodings, shop.assignments, shop.map.positions, shop.tau)

    def record_batch(self, rows: NDArray[np.intp]) -> pa.RecordBatch:
        """What is told of the products in some rows."""
        held = self.catalogue
        columns = [
            [held.ids[row] for row in rows],
            [held.categories[row] for row in rows],
            [held.attributes_json(row) for row in rows],
            self.assignments[rows].astype(np.int32),
            *self.positions[rows].T,
        ]
        return pa.record_batch(columns, schema=PRODUCTS_SCHEMA)


@dataclass(frozen=True)
class ShardFiles:
    """The packs of one version of the shop at an absolute place, split into so many shards, on this machine."""

    location: str
    version: str
    shards: int

    @property
    def root(self) -> Path:
        """The directory of all packs of the version."""
        told = hashlib.sha256(self.location.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        name = self.location.rstrip("/").rpartition("/")[2]
        return cache_directory() / "shards" / f"{name}-{told}" / self.version

    def path(self, shard: int) -> Path:
        """The directory of one shard's pack."""
        return self.root / f"{shard}-of-{self.shards}"

    def build(self, only: Collection[int] | None = None) -> ShopSummary:
        """Pack the shop: all shards, or `only` some; those that are there stay. What is known of the whole.

        Of several processes on this machine one packs, with a whole shop's memory, and the others wait for it.

        Raises:
            StaleError: the shop is of another version by now.
            StorageError: the disk refused.
            and what opening a shop raises.
        """
        check_shard_count(self.shards)
        with wait_for_lock(self.root.parent):
            return self._build(range(self.shards) if only is None else only)

    def _build(self, shards: Collection[int]) -> ShopSummary:
        wanted = [each for each in shards if not verify_checksums(self.path(each))]
        whole = self.summary()
        if whole is not None and not wanted:
            return whole
        shop = Shop.open(self.location, need="map")
        if shop.version != self.version:
            raise StaleError(
                f"The shop {self.location} is of version {shop.version} by now, not {self.version}.",
                remedy="Run `modiste shards` again: it goes over to the shop as it is.",
            )
        with storage_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            os.utime(self.root)
            if whole is None:
                whole = shop.summary()
                whole.save(self.root / SUMMARY_DIR)
            rows = rows_by_shard(shop.catalogue.ids, self.shards) if wanted else []
            held = ShardSource.of(shop)
            for each in wanted:
                shutil.rmtree(self.path(each), ignore_errors=True)  # what is damaged
                self.write(held, each, rows[each])
            _remove_old_versions(self.root.parent)
        return whole

    def summary(self) -> ShopSummary | None:
        """What is known of the whole; None where nothing is packed."""
        return ShopSummary.open(self.root / SUMMARY_DIR, self.version)

    def open(self, shard: int, summary: ShopSummary, threads: int = 1) -> LocalBackend | None:
        """The products of one shard, mapped; None where they are not packed, or the pack is damaged.

        Whoever opens them first on this machine measures their crowding, so that no visitor waits for it, and it is
        mapped from then on. Raises StorageError.
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
        names: dict[str, str] = {}  # one text for each category, not one for each product
        categories = [names.setdefault(name, name) for name in table.column("category").to_pylist()]
        texts = TextColumn(table.column("attributes"), np.arange(len(ids)))
        products = Products(ids, categories, lambda: texts, summary.kinds)
        assignments = np.asarray(table.column("cluster").to_numpy(), np.intp)
        places = np.stack([table.column(name).to_numpy() for name in ("x", "y")], axis=1)
        ways = ClusterTransfer(summary.clusters, lambda: summary.cluster_moments)
        measuring = HubPenalty(index, assignments, ways)
        known = cached_penalties(
            measuring, default_scorings(summary.tau), path / PENALTIES_DIR, self._fingerprint(shard)
        )
        crowds = HubPenalty(index, assignments, ways, known)
        return LocalBackend(products, index, assignments, crowds, lambda: places)

    def write(self, source: ShardSource, shard: int, rows: NDArray[np.intp]) -> None:
        """Pack the products in some rows of a shop as one shard. Raises OSError."""
        held = source.encodings
        ids = [source.catalogue.ids[row] for row in rows]
        parts = (held.mean[rows], held.std[rows], held.code[rows])
        index = LatentIndex(ids, *parts, cluster=source.assignments[rows], tau=source.tau)

        def fill(directory: Path) -> None:
            index.save(directory / INDEX_DIR, self._fingerprint(shard))
            with ipc.new_file(str(directory / PRODUCTS_FILE), PRODUCTS_SCHEMA) as writer:
                for start in range(0, len(rows), BATCH_ROWS):
                    writer.write_batch(source.record_batch(rows[start : start + BATCH_ROWS]))
            write_checksums(directory)

        self._install(shard, fill)

    def install(self, shard: int, summary: ShopSummary, fill: Callable[[Path], None]) -> None:
        """Let `fill` write one shard's pack into a directory, as another machine has it, and what is known of the
        whole. Raises StorageError, and what `fill` raises."""
        with wait_for_lock(self.root.parent), storage_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            if self.summary() is None:
                summary.save(self.root / SUMMARY_DIR)
            shutil.rmtree(self.path(shard), ignore_errors=True)  # what is damaged
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
    """Remove the packs of a shop's versions, of which `root` has each, that were packed first."""
    made = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for each in made[:-MAX_VERSIONS]:
        shutil.rmtree(each, ignore_errors=True)
