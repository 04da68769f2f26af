"""Opened: a shop's stages and products as they are on disk, each read and checked when first asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast
from weakref import finalize

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import ShopError, UnknownCategory
from modiste.images.cutout import CutOut, cut_out
from modiste.images.photo import check_photo, decode_jpeg, fit_photo
from modiste.latent.clusters import Clusters
from modiste.latent.posterior import Posterior, check_code, fixed_epsilon_code
from modiste.latent.sliders import Sliders
from modiste.parallel import MapFn, sequential
from modiste.search.index import LatentIndex
from modiste.shop import loading
from modiste.shop.backend import (
    FallbackFn,
    Hit,
    LocalBackend,
    Query,
)
from modiste.shop.catalogue_map import CatalogueMap
from modiste.shop.cluster_transfer import ClusterMoments, ClusterTransfer
from modiste.shop.filters import Facet, Filter
from modiste.shop.fingerprints import hash_file, hash_json, index_fingerprint
from modiste.shop.hubness import HubPenalty
from modiste.shop.index_files import open_index
from modiste.shop.loading import STAGES, EncodingArrays, Stage
from modiste.shop.products import Products
from modiste.shop.query import REFERENCE_PRODUCTS, Finder, QueryEngine
from modiste.shop.summary import CategoryCounts, ReferenceCodes
from modiste.storage.location import read_path
from modiste.storage.locks import shared_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore, products_stamp
from modiste.vae.config import ModelConfig
from modiste.vae.onnx import OnnxModel


class Opened:
    """What a shop consists of, read-only. `n` is the number of latents, `(H, W)` the frame, `N` that of products."""

    def __init__(
        self,
        files: ShopPaths,
        manifest: Manifest,
        store: ProductStore,
        threads: int,
        *,
        use_index: bool = True,
        products_stamp: str = "",
    ) -> None:
        """Use `open`. `products_stamp` names the version of the products' table."""
        self._use_index = use_index
        self._products_stamp = products_stamp
        self.files = files
        self.manifest = manifest
        self.store = store
        self._threads = threads

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        need: Stage = "clusters",
        threads: int = 1,
        use_index: bool = True,
        earlier: bool = False,
    ) -> Self:
        """Open the shop at `path`, built at least up to the stage `need`; the model runs on `threads` threads.

        `path` is its directory, or its URL: `s3://bucket/path`, `gs://bucket/path`, `file:///path`. A shop on object
        storage is read through a copy on this machine, and stays as it was when it was opened.

        `use_index` takes encodings from the search index where that has them; a stage that writes asks the database.

        `earlier` opens the products as they were before changes that encodings, clusters and map do not have yet: what
        a server continues with that was stopped in between.

        Raises:
            ShopNotFound: there is no shop.
            ShopIncomplete: a stage up to `need` is missing; the remedy names the command that makes it.
            StaleError: a stage was built from something that has changed since; or the earlier products are gone.
            SchemaError: a file is damaged or of another version.
            BadOption: a URL of another kind.
            StorageError: the object storage, or the disk, refused.
        """
        root = read_path(path)
        files = ShopPaths(root)
        manifest = Manifest.load(root)
        # Before the store is read: what is written meanwhile is another version.
        stamped = products_stamp(files.store)
        store = ProductStore.open(files.store, earlier=earlier)
        if earlier:
            stamped = store.snapshot_stamp
        shop = cls(files, manifest, store, threads, use_index=use_index, products_stamp=stamped)
        if (held := shared_lock(root)) is not None:
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
        return self.files.location

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
        return loading.load_model(self.files, self.manifest)

    @cached_property
    def onnx_model(self) -> OnnxModel:
        """The model in use, ready to run. Raises ShopIncomplete, StaleError, SchemaError."""
        return OnnxModel.load(self.files.model(self.model.model_id), self._threads)

    @cached_property
    def encodings(self) -> EncodingArrays:
        """Posteriors and codes of all products, `(N, n)` each, rows as in `catalogue`."""
        return loading.load_encodings(
            self.files, self.manifest, self.store, self.catalogue, self.model, use_index=self._use_index
        )

    @cached_property
    def clusters(self) -> Clusters:
        """Centres and labels. Raises ShopIncomplete, StaleError, SchemaError."""
        return loading.load_clusters(self.files, self.manifest, self.store)

    @cached_property
    def assignments(self) -> NDArray[np.intp]:
        """The cluster of every product, `(N,)`, rows as in `catalogue`; its own category's, if clusters are those."""
        return self.assign_clusters()

    def assign_clusters(self, map_fn: MapFn = sequential) -> NDArray[np.intp]:
        """What `assignments` holds, found anew, in pieces that `each` does."""
        return clusters_of(self.clusters, self.catalogue.categories, self.encodings, map_fn)

    @cached_property
    def sliders(self) -> Sliders:
        """The sliders of the model in use, with their names. Raises ShopIncomplete, StaleError, SchemaError."""
        return loading.load_sliders(self.files, self.model)

    @cached_property
    def map(self) -> CatalogueMap:
        """The catalogue on a plane, and what was measured on it. Raises ShopIncomplete, StaleError, SchemaError."""
        return loading.load_map(self.files, self.store, self.catalogue, self.model)

    @cached_property
    def index(self) -> LatentIndex:
        """Exact nearest products, rows as in `catalogue`."""
        return open_index(self, self._threads)

    @cached_property
    def products(self) -> Any:
        """All products as a pandas DataFrame: id, category, cluster (once clustered), then the attributes."""
        return self.catalogue.to_pandas(self.assignments if self.manifest.clusters else None)

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


def clusters_of(
    clusters: Clusters, categories: Sequence[str], encodings: EncodingArrays, map_fn: MapFn = sequential
) -> NDArray[np.intp]:
    """Return the cluster of each of `N` products, `(N,)`: its category's, if the clusters are the categories."""
    if clusters.method == "category":
        place = {name: number for number, name in enumerate(clusters.labels)}
        return np.array([place[name] for name in categories], np.intp)
    basis = encodings.mean if clusters.features == "mean" else encodings.code
    return np.asarray(clusters.assign(basis, map_fn), np.intp)


CODE_RANGE_FACTOR = (
    2.0  # a code may lie in so many times the range of sliders and products: beyond is nothing to draw
)


class Shop(Opened, QueryEngine):
    """A shop on disk, open for questions.

    `n` is the number of latents, `(H, W)` the frame, `N` the number of products. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

    elsewhere: FallbackFn | None = None
    """What looks for products first, such as shards on other machines."""

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return self.model.latent

    @property
    def count(self) -> int:
        """The number of products."""
        return len(self.catalogue)

    @cached_property
    def category_counts(self) -> CategoryCounts:
        """How many products of each category each cluster has."""
        return CategoryCounts.of(self.assignments, self.catalogue.categories, len(self.clusters))

    @cached_property
    def cluster_moments(self) -> ClusterMoments:
        """How the products lie, as far as recommending must know."""
        held = self.encodings
        return ClusterMoments.of(self.assignments, held.mean, held.code, len(self.clusters))

    @property
    def positions(self) -> NDArray[np.float32]:
        """Where each product lies on the map, `(N, 2)` from 0 to 1. Raises what `map` raises."""
        return self.map.positions

    @property
    def thresholds(self) -> dict[str, list[float]]:
        """How near is near, see `closeness`. Raises what `map` raises."""
        return self.map.thresholds

    @property
    def neighbour_distances(self) -> list[float]:
        """How far products are from their nearest other, see `closeness`. Raises what `map` raises."""
        return self.map.neighbour_distances

    @cached_property
    def reference_codes(self) -> ReferenceCodes:
        """Products, evenly taken from all, by which it is measured how near is near at another tau."""
        code = self.encodings.code
        rows = np.linspace(0, len(code) - 1, min(len(code), REFERENCE_PRODUCTS)).astype(np.intp)
        return ReferenceCodes(tuple(self.catalogue.ids[row] for row in rows), code[rows])

    @cached_property
    def version(self) -> str:
        """Names the model, the products with all their words, clusters and sliders. Another of these is another."""
        model_id = self.model.model_id
        made = index_fingerprint(self.files, self.manifest, self.store, model_id)
        return hash_json(made, self._products_stamp, hash_file(self.files.sliders(model_id)))[:16]

    @cached_property
    def code_bounds(self) -> NDArray[np.float32]:
        """The least and the greatest value that each latent of a code may have, float32 `(n, 2)`."""
        held, ranges = self.encodings.code, self.sliders.ranges
        low = np.minimum(ranges[:, 0], held.min(axis=0))
        high = np.maximum(ranges[:, 1], held.max(axis=0))
        middle, half = (low + high) / 2, (high - low) / 2 + 1e-3
        span = np.stack([middle - CODE_RANGE_FACTOR * half, middle + CODE_RANGE_FACTOR * half], axis=1)
        return span.astype(np.float32)

    @cached_property
    def cluster_transfer(self) -> ClusterTransfer:
        """What moves codes between clusters."""
        return ClusterTransfer(self.clusters, lambda: self.cluster_moments)

    @cached_property
    def local_backend(self) -> LocalBackend:
        """All products, to look among."""
        crowds = HubPenalty(self.index, self.assignments, self.cluster_transfer)
        return LocalBackend(self.catalogue, self.index, self.assignments, crowds, lambda: self.positions)

    @cached_property
    def finder(self) -> Finder:
        """What finds products."""
        return Finder(self.clusters, self.category_counts, self.cluster_transfer, self.search, self.jpeg)

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """For each look its hits, best first."""
        found = None if self.elsewhere is None else self.elsewhere(queries)
        return self.local_backend.search(queries) if found is None else found

    def check_filter(self, where: Filter) -> None:
        """Raise BadOption where a filter asks for what there is not."""
        self.catalogue.columns.check(where)

    def encode(self, photo: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> Posterior:
        """What the encoder says of a photo, uint8 `(h, w, 3)` of any size, or of a batch of them.

        Returns:
            Posterior with `mean`, `std` and fixed-epsilon `code`, float32 `(n,)` each; of a batch (a sequence, or
            one array `(b, h, w, 3)`), `(b, n)` each.

        Raises:
            PhotoError: a photo has another shape or type.
        """
        one = isinstance(photo, np.ndarray) and photo.ndim == 3
        photos = [cast("NDArray[np.uint8]", photo)] if one else list(photo)
        fitted = np.empty((len(photos), *self.model.frame, 3), np.uint8)
        for row, each in enumerate(photos):
            pixels = np.asarray(each)
            check_photo(pixels)
            fitted[row] = fit_photo(pixels, self.model.frame)
        mean, std = self.onnx_model.encode(fitted)
        if one:
            mean, std = mean[0], std[0]
        return Posterior(mean, std, fixed_epsilon_code(mean, std, np.asarray(self.model.epsilon, np.float32)))

    def decode(self, code: ArrayLike) -> NDArray[np.uint8]:
        """The product that a code draws, uint8 `(H, W, 3)`; of a batch, `(b, H, W, 3)`. Raises BadCode."""
        checked = check_code(code, self.model.latent)
        drawn = self.onnx_model.decode(np.atleast_2d(checked))
        return drawn[0] if checked.ndim == 1 else drawn

    def random_design(self, seed: int | None = None) -> NDArray[np.float32]:
        """A new design, `(n,)`: a draw from the posterior of a product drawn at random. The same for a seed."""
        random = np.random.default_rng(seed)
        row = int(random.integers(len(self.catalogue)))
        noise = random.standard_normal(self.model.latent).astype(np.float32)
        return self.encodings.mean[row] + self.encodings.std[row] * noise

    def filter_mask(self, where: Filter) -> NDArray[np.bool_]:
        """Which products a filter lets through, `(N,)`.

        Args:
            where: by attribute, or "category": a list of values, one of which fits; {"min": …, "max": …}, either of
                them, for numbers; or {"not": [values]}. All attributes must fit. A product that lacks an attribute
                fits only a "not". Filters combine: {"any": [filters]}, {"all": [filters]}, {"not": filter}.

        Raises:
            BadOption: an attribute that no product has, or a value of another kind.
        """
        return self.catalogue.columns.mask(where)

    def title(self, row: int) -> str:
        """What to call the product in a row: its name or title where it has one, else its id."""
        return self.catalogue.title(row)

    @cached_property
    def facets(self) -> list[Facet]:
        """The attributes fit to filter by, category first; colours with swatches once the map is made."""
        try:
            swatches = self.map.swatches
        except ShopError:
            swatches = dict[str, dict[str, str]]()
        return self.catalogue.columns.facets(swatches)

    def category_average(self, category: str) -> NDArray[np.float32]:
        """The mean code of a category's products, `(n,)`. Raises UnknownCategory."""
        rows = [row for row, name in enumerate(self.catalogue.categories) if name == category]
        if not rows:
            raise UnknownCategory(
                f"The shop has no category {category!r}.",
                remedy=f"Choose one of {', '.join(list(self.catalogue.counts())[:20])}.",
            )
        return self.encodings.code[rows].mean(axis=0, dtype=np.float64).astype(np.float32)

    def cut_out(self, photo: NDArray[np.uint8]) -> CutOut:
        """A photo, uint8 `(h, w, 3)`, without its background, placed as the shop places its products.

        Where the background is not plain enough to tell, the photo is only fitted to the frame. Raises PhotoError, and
        what `map` raises.
        """
        return cut_out(photo, self.frame, self.map.background, self.map.extent)
