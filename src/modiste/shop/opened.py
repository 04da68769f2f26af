"""Opened: a shop's stages and products as they are on disk, each read and checked when first asked for."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from modiste.catalogue.photo import decode_jpeg
from modiste.latent.clusters import Clusters
from modiste.latent.pieces import Each, in_turn
from modiste.latent.sliders import Sliders
from modiste.model.config import ModelConfig
from modiste.model.engine import Engine
from modiste.search.index import LatentIndex
from modiste.shop import stages
from modiste.shop.files import ShopFiles
from modiste.shop.indexing import open_index
from modiste.shop.manifest import Manifest
from modiste.shop.mapping import CatalogueMap
from modiste.shop.places import to_read
from modiste.shop.products import Products
from modiste.shop.stages import STAGES, Encodings, Stage
from modiste.store.disk import hold
from modiste.store.products import ProductStore, products_stamp


class Opened:
    """What a shop consists of, read-only. `n` is the number of latents, `(H, W)` the frame, `N` that of products."""

    def __init__(
        self,
        files: ShopFiles,
        manifest: Manifest,
        store: ProductStore,
        threads: int,
        *,
        derived: bool = True,
        stamped: str = "",
    ) -> None:
        """See `open`. Not `derived` reads encodings from the database; `stamped` names what the products' table has."""
        self._derived = derived
        self._stamped = stamped
        self.files = files
        self.manifest = manifest
        self.store = store
        self._threads = threads

    @classmethod
    def open(
        cls, path: str | Path, *, need: Stage = "clusters", threads: int = 1, derived: bool = True
    ) -> Self:
        """Open the shop at `path`, built at least up to the stage `need`; the model runs on `threads` threads.

        `path` is its directory, or its URL: `s3://bucket/path`, `gs://bucket/path`, `file:///path`. A shop on object
        storage is read through a copy on this machine, and stays as it was when it was opened.

        `derived` takes encodings from the search index where that has them; a stage that writes asks the database.

        Raises:
            ShopNotFound: there is no shop.
            ShopIncomplete: a stage up to `need` is missing; the remedy names the command that makes it.
            StaleError: a stage was built from something that has changed since.
            SchemaError: a file is damaged or of another version.
            BadOption: a URL of another kind.
            StorageError: the object storage, or the disk, refused.
        """
        root = to_read(path)
        files = ShopFiles(root)
        manifest = Manifest.load(root)
        # Before the store is read: what is written meanwhile is another version.
        stamped = products_stamp(files.store)
        store = ProductStore.open(files.store)
        shop = cls(files, manifest, store, threads, derived=derived, stamped=stamped)
        if (held := hold(root)) is not None:
            finalize(shop, os.close, held)
        # Touching each stage loads and checks it.
        for stage in STAGES[: STAGES.index(need) + 1]:
            getattr(shop, stage)
        return shop

    @property
    def tau(self) -> float:
        """How uncertain codes are taken to be, where a question does not say: see `modiste index`."""
        return self.manifest.tau

    @property
    def threads(self) -> int:
        """How many threads the model and a search run on."""
        return self._threads

    @property
    def path(self) -> Path | str:
        """Where the shop is, as `open` takes it: its directory, or its URL on object storage."""
        return self.files.place

    @property
    def frame(self) -> tuple[int, int]:
        """(height, width) of every photo, in pixels."""
        return self.manifest.frame

    @cached_property
    def catalogue(self) -> Products:
        """Ids, categories and attributes, `N` of each, ordered by id."""
        return Products.read(self.store)

    @cached_property
    def model(self) -> ModelConfig:
        """The configuration of the model in use. Raises ShopIncomplete, StaleError, SchemaError."""
        return stages.load_model(self.files, self.manifest)

    @cached_property
    def engine(self) -> Engine:
        """The model in use, ready to run. Raises ShopIncomplete, StaleError, SchemaError."""
        return Engine.load(self.files.model(self.model.model_id), self._threads)

    @cached_property
    def encodings(self) -> Encodings:
        """Posteriors and codes of all products, `(N, n)` each, rows as in `catalogue`."""
        return stages.load_encodings(
            self.files, self.manifest, self.store, self.catalogue, self.model, derived=self._derived
        )

    @cached_property
    def clusters(self) -> Clusters:
        """Centres and labels. Raises ShopIncomplete, StaleError, SchemaError."""
        return stages.load_clusters(self.files, self.manifest, self.store)

    @cached_property
    def assignments(self) -> NDArray[np.intp]:
        """The cluster of every product, `(N,)`, rows as in `catalogue`; its own category's, if clusters are those."""
        return self.assigned()

    def assigned(self, each: Each = in_turn) -> NDArray[np.intp]:
        """What `assignments` holds, found anew, in pieces that `each` does."""
        if self.clusters.method == "category":
            place = {name: number for number, name in enumerate(self.clusters.labels)}
            return np.array([place[name] for name in self.catalogue.categories], np.intp)
        basis = self.encodings.mean if self.clusters.on == "mean" else self.encodings.code
        return np.asarray(self.clusters.assign(basis, each), np.intp)

    @cached_property
    def sliders(self) -> Sliders:
        """The sliders of the model in use, with their names. Raises ShopIncomplete, StaleError, SchemaError."""
        return stages.load_sliders(self.files, self.model)

    @cached_property
    def map(self) -> CatalogueMap:
        """The catalogue on a plane, and what was measured on it. Raises ShopIncomplete, StaleError, SchemaError."""
        return stages.load_map(self.files, self.store, self.catalogue, self.model)

    @cached_property
    def index(self) -> LatentIndex:
        """Exact nearest products, rows as in `catalogue`."""
        return open_index(self, self._threads)

    @cached_property
    def products(self) -> Any:
        """All products as a pandas DataFrame: id, category, cluster (once clustered), then the attributes."""
        return self.catalogue.frame(self.assignments if self.manifest.clusters else None)

    def photo(self, product_id: str) -> NDArray[np.uint8]:
        """The photo of a product, uint8 `(H, W, 3)`. Raises UnknownProduct."""
        return decode_jpeg(self.jpeg(product_id))

    def jpeg(self, product_id: str) -> bytes:
        """The photo of a product as stored, a JPEG of the frame's size. Raises UnknownProduct."""
        self.catalogue.row(product_id)
        return self.store.photos([product_id])[0]

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """The fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""
        return self.encodings.code[self.catalogue.row(product_id)].copy()
