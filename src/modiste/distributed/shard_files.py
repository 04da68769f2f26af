"""Packs: a shop's shards in files on this machine, each to be mapped by whoever answers for it.

A shop changes, a pack does not: a shard that starts again after a crash is of the version that it was before, whatever
the shop is by then.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from modiste.errors import StaleError
from modiste.search.index import LatentIndex
from modiste.search.sharding import check_shards, rows_of_shards
from modiste.shop.backend import Shelf
from modiste.shop.cluster_transfer import Ways
from modiste.shop.hubness import Crowds, measured_once, usual
from modiste.shop.index_files import Encodings
from modiste.shop.products import Products, Texts
from modiste.shop.shop import Shop
from modiste.shop.summary import Whole
from modiste.storage.atomic import PARTIAL, barrier, sync
from modiste.storage.checksums import is_proven, write_sums
from modiste.storage.locks import in_turn
from modiste.storage.refusals import disk_errors
from modiste.storage.remote.cache import cache

KEPT = 4  # versions of a shop whose packs stay: of those that were packed last
INDEX, WORDS, WHOLE, CROWDS = "index", "words.arrow", "whole", "crowds"
AT_ONCE = 4096  # products whose words are in memory together
WORDS_SCHEMA = pa.schema(
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
class Packable:
    """What of a shop is packed, of all its products: clusters `assignments` `(N,)`, `positions` `(N, 2)`, and its τ."""

    catalogue: Products
    encodings: Encodings
    assignments: NDArray[np.intp]
    positions: NDArray[np.float32]
    tau: float

    @classmethod
    def of(cls, shop: Shop) -> Packable:
        """Of an open shop, whole up to its map. Raises ShopIncomplete, StaleError, SchemaError."""
        return cls(shop.catalogue, shop.encodings, shop.assignments, shop.positions, shop.tau)

    def words(self, rows: NDArray[np.intp]) -> pa.RecordBatch:
        """What is told of the products in some rows."""
        held = self.catalogue
        columns = [
            [held.ids[row] for row in rows],
            [held.categories[row] for row in rows],
            [held.text(row) for row in rows],
            self.assignments[rows].astype(np.int32),
            *self.positions[rows].T,
        ]
        return pa.record_batch(columns, schema=WORDS_SCHEMA)


@dataclass(frozen=True)
class Packs:
    """The packs of one version of the shop at an absolute place, split into so many shards, on this machine."""

    place: str
    version: str
    shards: int

    @property
    def root(self) -> Path:
        """The directory of all packs of the version."""
        told = hashlib.sha256(self.place.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        name = self.place.rstrip("/").rpartition("/")[2]
        return cache() / "shards" / f"{name}-{told}" / self.version

    def path(self, shard: int) -> Path:
        """The directory of one shard's pack."""
        return self.root / f"{shard}-of-{self.shards}"

    def make(self, only: Collection[int] | None = None) -> Whole:
        """Pack the shop: all shards, or `only` some; those that are there stay. What is known of the whole.

        Of several processes on this machine one packs, with a whole shop's memory, and the others wait for it.

        Raises:
            StaleError: the shop is of another version by now.
            StorageError: the disk refused.
            and what opening a shop raises.
        """
        check_shards(self.shards)
        with in_turn(self.root.parent):
            return self._made(range(self.shards) if only is None else only)

    def _made(self, asked: Collection[int]) -> Whole:
        wanted = [each for each in asked if not is_proven(self.path(each))]
        whole = self.whole()
        if whole is not None and not wanted:
            return whole
        shop = Shop.open(self.place, need="map")
        if shop.version != self.version:
            raise StaleError(
                f"The shop {self.place} is of version {shop.version} by now, not {self.version}.",
                remedy="Run `modiste shards` again: it goes over to the shop as it is.",
            )
        with disk_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            os.utime(self.root)
            if whole is None:
                whole = Whole.of(shop)
                whole.save(self.root / WHOLE)
            rows = rows_of_shards(shop.catalogue.ids, self.shards) if wanted else []
            held = Packable.of(shop)
            for each in wanted:
                shutil.rmtree(self.path(each), ignore_errors=True)  # what is damaged
                self.write(held, each, rows[each])
            _forget(self.root.parent)
        return whole

    def whole(self) -> Whole | None:
        """What is known of the whole; None where nothing is packed."""
        return Whole.open(self.root / WHOLE, self.version)

    def open(self, shard: int, whole: Whole, threads: int = 1) -> Shelf | None:
        """The products of one shard, mapped; None where they are not packed, or the pack is damaged.

        Whoever opens them first on this machine measures their crowding, so that no visitor waits for it, and it is
        mapped from then on. Raises StorageError.
        """
        path = self.path(shard)
        if not is_proven(path):
            return None
        try:
            with pa.memory_map(str(path / WORDS)) as source:
                table: Any = ipc.open_file(source).read_all()
        except (OSError, pa.ArrowException):
            return None
        ids = cast("list[str]", table.column("id").to_pylist())
        index = LatentIndex.open(path / INDEX, self._made_from(shard), ids, threads=threads)
        if index is None:
            return None
        names: dict[str, str] = {}  # one text for each category, not one for each product
        categories = [names.setdefault(name, name) for name in table.column("category").to_pylist()]
        texts = Texts(table.column("attributes"), np.arange(len(ids)))
        products = Products(ids, categories, lambda: texts, whole.kinds)
        assignments = np.asarray(table.column("cluster").to_numpy(), np.intp)
        places = np.stack([table.column(name).to_numpy() for name in ("x", "y")], axis=1)
        ways = Ways(whole.clusters, lambda: whole.spread)
        measuring = Crowds(index, assignments, ways)
        known = measured_once(measuring, usual(whole.tau), path / CROWDS, self._made_from(shard))
        crowds = Crowds(index, assignments, ways, known)
        return Shelf(products, index, assignments, crowds, lambda: places)

    def write(self, shop: Packable, shard: int, rows: NDArray[np.intp]) -> None:
        """Pack the products in some rows of a shop as one shard. Raises OSError."""
        held = shop.encodings
        ids = [shop.catalogue.ids[row] for row in rows]
        parts = (held.mean[rows], held.std[rows], held.code[rows])
        index = LatentIndex(ids, *parts, cluster=shop.assignments[rows], tau=shop.tau)

        def fill(directory: Path) -> None:
            index.save(directory / INDEX, self._made_from(shard))
            with ipc.new_file(str(directory / WORDS), WORDS_SCHEMA) as writer:
                for start in range(0, len(rows), AT_ONCE):
                    writer.write_batch(shop.words(rows[start : start + AT_ONCE]))
            write_sums(directory)

        self._put(shard, fill)

    def put(self, shard: int, whole: Whole, fill: Callable[[Path], None]) -> None:
        """Let `fill` write one shard's pack into a directory, as another machine has it, and what is known of the
        whole. Raises StorageError, and what `fill` raises."""
        with in_turn(self.root.parent), disk_errors(f"Writing {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            if self.whole() is None:
                whole.save(self.root / WHOLE)
            shutil.rmtree(self.path(shard), ignore_errors=True)  # what is damaged
            self._put(shard, fill)
            _forget(self.root.parent)

    def _put(self, shard: int, fill: Callable[[Path], None]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.path(shard)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=self.root))
        try:
            with barrier(partial):
                fill(partial)
            with suppress(OSError):  # somebody else was quicker, with the same
                partial.rename(path)
            sync(self.root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _made_from(self, shard: int) -> str:
        return f"{self.version} {shard}/{self.shards}"


def _forget(root: Path) -> None:
    """Remove the packs of a shop's versions, of which `root` has each, that were packed first."""
    made = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for each in made[:-KEPT]:
        shutil.rmtree(each, ignore_errors=True)
