"""Shop: opens a shop and answers the questions of the command line, the HTTP API and notebooks."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from weakref import finalize

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.choices import Grouping, Method, Metric, Scope
from modiste.errors import ShopError, UnknownCategory
from modiste.images.cutout import CutOut, cut_out
from modiste.images.photo import check_photo, decode_jpeg, fit_photo
from modiste.latent.clusters import Clusters
from modiste.latent.fixed_epsilon import Posterior, check_code, fixed_epsilon_code
from modiste.latent.sliders import Sliders
from modiste.search.index import LatentIndex
from modiste.shop import loading
from modiste.shop.backend import DeferredBackend, LocalBackend
from modiste.shop.catalogue_map import CatalogueMap
from modiste.shop.cluster_transfer import TRANSFERS, ClusterMoments
from modiste.shop.design_pictures import DesignPictures
from modiste.shop.filters import ColumnKind, Facet, Filter
from modiste.shop.fingerprints import hash_file, hash_json, index_fingerprint
from modiste.shop.hubness import HubPenalty
from modiste.shop.loading import STAGES, EncodingArrays, Stage, build_index
from modiste.shop.products import Products
from modiste.shop.query import QueryEngine
from modiste.shop.similarity_words import Closeness, Typicality
from modiste.shop.summary import CategoryCounts, ReferenceCodes, ShopSummary
from modiste.storage.location import read_path
from modiste.storage.locks import shared_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore, products_stamp
from modiste.vae.config import ModelConfig
from modiste.vae.onnx import OnnxModel

# A code may lie outside the range of sliders and products by this factor; further out there is nothing to draw.
CODE_RANGE_FACTOR = 2.0


class Shop:
    """A shop on disk, open for questions; read-only. Each part is loaded and checked on first use.

    `n` is the number of latents, `(H, W)` the frame, `N` the number of products. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

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
        """Create a shop from its parts; see `open`. `products_stamp` names the version of the products' table."""
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
    ) -> Shop:
        """Open the shop at `path`.

        A shop on object storage is read through a copy on this machine, and stays as it was when it was opened.

        Args:
            path: its directory, or its URL: `s3://bucket/path`, `gs://bucket/path`, `file:///path`.
            need: the stage up to which the shop must be built.
            threads: the number of threads for the model and for one search.
            use_index: whether encodings are read from the search index if it has them; a stage that writes to the shop
                reads them from the database.
            earlier: whether to open the products as they were before changes that encodings, clusters and map do not
                have yet. A server that was stopped in between continues with them.

        Raises:
            ShopNotFound: there is no shop.
            ShopIncomplete: a stage up to `need` is missing; the remedy names the command that makes it.
            StaleError: a stage was built from something that has changed since; or the earlier products are gone.
            SchemaError: a file is damaged or of another version.
            BadOption: a URL of another kind.
            StorageError: the object storage or the disk failed.
        """
        root = read_path(path)
        files = ShopPaths(root)
        manifest = Manifest.load(root)
        # Before the store is read: what is written meanwhile is another version.
        stamp = products_stamp(files.store)
        store = ProductStore.open(files.store, earlier=earlier)
        if earlier:
            stamp = store.snapshot_stamp
        shop = cls(files, manifest, store, threads, use_index=use_index, products_stamp=stamp)
        if (lock := shared_lock(root)) is not None:
            finalize(shop, os.close, lock)
        # Touching each stage loads and checks it.
        for stage in STAGES[: STAGES.index(need) + 1]:
            getattr(shop, stage)
        return shop

    def __len__(self) -> int:
        return len(self.catalogue)

    @property
    def tau(self) -> float:
        """The uncertainty of a code unless a question gives another; set by `modiste index`."""
        return self.manifest.tau

    @property
    def threads(self) -> int:
        """The number of threads for the model and for one search."""
        return self._threads

    @property
    def path(self) -> Path | str:
        """The directory of the shop, or its URL on object storage, as `open` takes it."""
        return self.files.location

    @property
    def frame(self) -> tuple[int, int]:
        """(height, width) of every photo, in pixels."""
        return self.manifest.frame

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return self.model.latent

    @cached_property
    def version(self) -> str:
        """A hash of the model, the products with their attributes, the clusters and the sliders."""
        model_id = self.model.model_id
        fingerprint = index_fingerprint(self.files, self.manifest, self.store, model_id)
        return hash_json(fingerprint, self._products_stamp, hash_file(self.files.sliders(model_id)))[:16]

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
        """The cluster of every product, `(N,)`, rows as in `catalogue`; by category, the cluster of its category."""
        return loading.assign_clusters(self.clusters, self.catalogue.categories, self.encodings)

    @property
    def category_of_cluster(self) -> list[str]:
        """The most frequent category of each cluster; "" for an empty cluster."""
        return list(self.query_engine.context.category_counts.category_of_cluster)

    @cached_property
    def sliders(self) -> Sliders:
        """The sliders of the model in use, with their names. Raises ShopIncomplete, StaleError, SchemaError."""
        return loading.load_sliders(self.files, self.model)

    @cached_property
    def map(self) -> CatalogueMap:
        """The catalogue in two dimensions and its measurements. Raises ShopIncomplete, StaleError, SchemaError."""
        return loading.load_map(self.files, self.store, self.catalogue, self.model)

    @cached_property
    def index(self) -> LatentIndex:
        """The search index, rows as in `catalogue`; built in memory if its file is missing or stale."""
        ids, directory = self.catalogue.ids, self.files.index(self.model.model_id)
        fingerprint = index_fingerprint(self.files, self.manifest, self.store, self.model.model_id)
        index = LatentIndex.open(directory, fingerprint, ids, threads=self._threads)
        if index is not None:
            return index
        return build_index(ids, self.encodings, self.assignments, self.tau, self._threads)

    @cached_property
    def code_bounds(self) -> NDArray[np.float32]:
        """The least and the greatest value allowed for each latent of a code, float32 `(n, 2)`."""
        codes, ranges = self.encodings.code, self.sliders.ranges
        low = np.minimum(ranges[:, 0], codes.min(axis=0))
        high = np.maximum(ranges[:, 1], codes.max(axis=0))
        middle, half = (low + high) / 2, (high - low) / 2 + 1e-3
        bounds = np.stack([middle - CODE_RANGE_FACTOR * half, middle + CODE_RANGE_FACTOR * half], axis=1)
        return bounds.astype(np.float32)

    @cached_property
    def query_engine(self) -> QueryEngine:
        """What answers `similar`, `recommend` and the other questions about codes, from an index in this process."""
        backend = DeferredBackend(self._open_backend, self.code_of)
        return QueryEngine(_ShopContext(self), backend, self.jpeg)

    def _open_backend(self) -> LocalBackend:
        hub_penalty = HubPenalty(self.index, self.assignments, self.query_engine.transfer)
        return LocalBackend(self.catalogue, self.index, self.assignments, hub_penalty, lambda: self.map.positions)

    def summary(self) -> ShopSummary:
        """Return what other machines need to answer questions about codes from shards of the shop.

        Raises:
            ShopIncomplete, StaleError, SchemaError: the shop is not built up to its map.
        """
        context = self.query_engine.context
        return ShopSummary(
            version=self.version,
            model=self.model.model_id,
            product_count=len(self),
            latent_dim=self.latent_dim,
            tau=self.tau,
            clusters=self.clusters,
            category_counts=context.category_counts,
            cluster_moments=context.cluster_moments,
            kinds=self.catalogue.kinds,  # without the columns, which take memory
            thresholds=self.map.thresholds,
            neighbour_distances=self.map.neighbour_distances,
            reference_codes=context.reference_codes,
            code_bounds=self.code_bounds,
        )

    @cached_property
    def products(self) -> Any:
        """All products as a pandas DataFrame: id, category, cluster (once clustered), then the attributes."""
        return self.catalogue.to_pandas(self.assignments if self.manifest.clusters else None)

    def photo(self, product_id: str) -> NDArray[np.uint8]:
        """Return the photo of a product, uint8 `(H, W, 3)`. Raises UnknownProduct."""
        return decode_jpeg(self.jpeg(product_id))

    def jpeg(self, product_id: str) -> bytes:
        """Return the photo of a product as stored, a JPEG of the frame's size. Raises UnknownProduct."""
        self.catalogue.row(product_id)
        return self.store.photos([product_id])[0]

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the fixed-epsilon code of a product, `(n,)`. Raises UnknownProduct."""
        return self.encodings.code[self.catalogue.row(product_id)].copy()

    def title(self, row: int) -> str:
        """Return what to call the product in a row: its name or title if it has one, else its id."""
        return self.catalogue.title(row)

    def encode(self, photo: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> Posterior:
        """Encode a photo, uint8 `(h, w, 3)` of any size, or a batch of photos.

        Returns:
            Posterior with `mean`, `std` and fixed-epsilon `code`, float32 `(n,)` each; of a batch (a sequence, or
            one array `(b, h, w, 3)`), `(b, n)` each.

        Raises:
            PhotoError: a photo has another shape or type.
        """
        is_single = isinstance(photo, np.ndarray) and photo.ndim == 3
        photos = [cast("NDArray[np.uint8]", photo)] if is_single else list(photo)
        fitted = np.empty((len(photos), *self.model.frame, 3), np.uint8)
        for row, each in enumerate(photos):
            pixels = np.asarray(each)
            check_photo(pixels)
            fitted[row] = fit_photo(pixels, self.model.frame)
        mean, std = self.onnx_model.encode(fitted)
        if is_single:
            mean, std = mean[0], std[0]
        return Posterior(mean, std, fixed_epsilon_code(mean, std, np.asarray(self.model.epsilon, np.float32)))

    def decode(self, code: ArrayLike) -> NDArray[np.uint8]:
        """Draw a code with the decoder alone, uint8 `(H, W, 3)`; a batch, `(b, H, W, 3)`. Raises BadCode."""
        codes = check_code(code, self.model.latent)
        photos = self.onnx_model.decode(np.atleast_2d(codes))
        return photos[0] if codes.ndim == 1 else photos

    @cached_property
    def design_pictures(self) -> DesignPictures:
        """What draws designs."""
        return DesignPictures(self, self.query_engine.nearest_ids)

    def draw(self, code: ArrayLike, exemplar: str | NDArray[np.uint8] | None = "auto") -> NDArray[np.uint8]:
        """Draw a code with the details of a real product; see `drawing/details.py`.

        The same model, code and exemplar always give the same bytes.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            exemplar: whose details: a product's id; a photo, uint8 `(h, w, 3)`; "auto", of the ten nearest products the
                one whose own drawing is closest to the code's; or None, the decoder alone.

        Returns:
            uint8 `(H, W, 3)`; of a batch, `(b, H, W, 3)`.

        Raises:
            BadCode: the code has another shape, or is not finite.
            UnknownProduct: the shop has no such product.
            PhotoError: the photo has another shape or type.
        """
        codes = check_code(code, self.model.latent)
        pictures = [self.design_pictures.draw(each, exemplar) for each in np.atleast_2d(codes)]
        return pictures[0] if codes.ndim == 1 else np.stack(pictures)

    def random_design(self, seed: int | None = None) -> NDArray[np.float32]:
        """Draw a new design, `(n,)`, from the posterior of a random product; the same seed gives the same design."""
        random = np.random.default_rng(seed)
        row = int(random.integers(len(self.catalogue)))
        noise = random.standard_normal(self.model.latent).astype(np.float32)
        return self.encodings.mean[row] + self.encodings.std[row] * noise

    def cluster_of(self, code: ArrayLike) -> Any:
        """Return the cluster of a code, an int; of a batch, `(b,)`. Raises BadCode."""
        return self.query_engine.cluster_of(code)

    def similar(
        self,
        code: ArrayLike,
        k: int = 10,
        method: Method = "likelihood",
        scope: Scope = "cluster",
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        exclude: Collection[str] = (),
        where: Filter | None = None,
    ) -> list[Any]:
        """Return the `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            k: how many; fewer if the cluster, or the filter, has fewer.
            method: "likelihood" ranks by log q(code | product) (the paper's Eq. 2); "fixed-epsilon" and "mean" by the
                distance to the products' fixed-epsilon codes or means.
            scope: "cluster" searches the code's own cluster only, "catalogue" all products.
            metric: of the distance, "euclidean" or "manhattan"; the likelihood ignores it.
            tau: the uncertainty of the code itself, for the likelihood: each σ² becomes σ² + tau². None is the shop's.
            exclude: ids to leave out, such as the product that the code came from.
            where: a filter that the products must pass, see `filter_mask`.

        Returns:
            Matches, a list of Match; for a batch, a list of `b` of them.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1 or over the number of products.
            BadOption: an unknown method, metric, scope or attribute, or a negative tau.
        """
        return self.query_engine.similar(code, k, method, scope, metric=metric, tau=tau, exclude=exclude, where=where)

    def recommend(
        self,
        code: ArrayLike,
        k: int = 3,
        method: str = TRANSFERS[0],
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        where: Filter | None = None,
        by: Grouping = "cluster",
        exclude: Collection[str] = (),
    ) -> list[Any]:
        """Return what goes with a code: from each other cluster, the `k` products nearest to the code moved there.

        The code is moved from its own cluster i to each other cluster j. "transport" moves it by the optimal-transport
        map between the Gaussians of the two clusters, z ↦ c_j + A (z − c_i), and ranks hubs (products that are near
        to all designs) lower. "shift" moves it by centre_j − centre_i, the paper's Eq. 3 (which prints the difference
        the other way round).

        Args:
            code: as in `similar`.
            k: as in `similar`, from each cluster.
            method: how the code is moved, "transport" or "shift"; or a method of `similar`; or both, as "shift:mean".
                The defaults are "transport" and "likelihood".
            metric: as in `similar`.
            tau: as in `similar`.
            where: as in `similar`.
            by: with "category" there is one entry for each category except the most frequent of cluster i, with
                products of that category only, from the clusters where it is the most frequent.
            exclude: as in `similar`.

        Returns:
            Recommendations, a list of Recommendation in the order of the clusters, or of the categories, largest
            first; for a batch, a list of `b` of them.

        Raises:
            BadCode, BadCount, BadOption: as in `similar`.
        """
        return self.query_engine.recommend(code, k, method, metric=metric, tau=tau, where=where, by=by, exclude=exclude)

    def condition(
        self, code: ArrayLike, fixed: Collection[int], *, directions: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return a code near real products: its free latents follow the fixed ones.

        They become their conditional mean under the Gaussian mixture of the catalogue; see
        `latent/conditional_mean.py`.

        Args:
            code: `(n,)`.
            fixed: the latents that keep their values.
            directions: `(d, n)`, or one `(n,)`; what the code has along each of them is kept too, as after a move of
                an attribute slider.

        Returns:
            float32 `(n,)`.

        Raises:
            BadCode: the code or a direction has another shape, or is not finite.
            BadOption: a latent that there is not.
        """
        return self.query_engine.condition(code, fixed, directions=directions)

    def closeness(
        self, method: Method, score: float, metric: Metric = "euclidean", *, tau: float | None = None
    ) -> Closeness:
        """Return a match's score in words, relative to how near the shop's products lie to each other.

        Args:
            method: as given to `similar`.
            score: of the match.
            metric: as given to `similar`.
            tau: as given to `similar`.

        Returns:
            "almost the same", "very close", "close", "related" or "distant".

        Raises:
            BadOption: an unknown method or metric, or a negative tau.
            ShopIncomplete, StaleError, SchemaError: there is no current map.
        """
        return self.query_engine.closeness(method, score, metric, tau=tau)

    def typicality(self, code: ArrayLike) -> Typicality:
        """Return how typical a code `(n,)` is of the shop. Raises BadCode, and what `map` raises."""
        return self.query_engine.locate(code)[0]

    def position_of(self, code: ArrayLike) -> tuple[float, float]:
        """Return the position of a code `(n,)` on the map, from 0 to 1, interpolated between its nearest products.

        Raises BadCode, and what `map` raises.
        """
        return self.query_engine.locate(code)[1]

    def filter_mask(self, where: Filter) -> NDArray[np.bool_]:
        """Return which products pass a filter, `(N,)`.

        Args:
            where: by attribute, or "category": a list of values, one of which fits; {"min": …, "max": …}, either of
                them, for numbers; or {"not": [values]}. All attributes must fit. A product that lacks an attribute
                fits only a "not". Filters combine: {"any": [filters]}, {"all": [filters]}, {"not": filter}.

        Raises:
            BadOption: an attribute that no product has, or a value of another kind.
        """
        return self.catalogue.columns.mask(where)

    @cached_property
    def facets(self) -> list[Facet]:
        """The attributes suitable for filters, category first; colours with swatches once the map is made."""
        try:
            swatches = self.map.swatches
        except ShopError:
            swatches = dict[str, dict[str, str]]()
        return self.catalogue.columns.facets(swatches)

    def category_average(self, category: str) -> NDArray[np.float32]:
        """Return the mean code of a category's products, `(n,)`. Raises UnknownCategory."""
        rows = [row for row, name in enumerate(self.catalogue.categories) if name == category]
        if not rows:
            raise UnknownCategory(
                f"The shop has no category {category!r}.",
                remedy=f"Choose one of {', '.join(list(self.catalogue.counts())[:20])}.",
            )
        return self.encodings.code[rows].mean(axis=0, dtype=np.float64).astype(np.float32)

    def cut_out(self, photo: NDArray[np.uint8]) -> CutOut:
        """Cut a product out of a photo, uint8 `(h, w, 3)`, and place it as the shop's photos do.

        If the background is not plain enough, the photo is only fitted to the frame. Raises PhotoError, and what `map`
        raises.
        """
        return cut_out(photo, self.frame, self.map.background, self.map.extent)


class _ShopContext:
    """The SearchContext of an open shop, computed from its parts on first use."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @property
    def tau(self) -> float:
        return self._shop.tau

    @property
    def latent_dim(self) -> int:
        return self._shop.latent_dim

    @property
    def product_count(self) -> int:
        return len(self._shop)

    @property
    def clusters(self) -> Clusters:
        return self._shop.clusters

    @property
    def category_counts(self) -> CategoryCounts:
        return self._category_counts

    @property
    def cluster_moments(self) -> ClusterMoments:
        return self._cluster_moments

    @property
    def reference_codes(self) -> ReferenceCodes:
        return self._reference_codes

    @cached_property
    def _category_counts(self) -> CategoryCounts:
        shop = self._shop
        return CategoryCounts.of(shop.assignments, shop.catalogue.categories, len(shop.clusters))

    @cached_property
    def _cluster_moments(self) -> ClusterMoments:
        shop = self._shop
        return ClusterMoments.of(shop.assignments, shop.encodings.mean, shop.encodings.code, len(shop.clusters))

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        return self._shop.catalogue.columns.kinds

    @property
    def thresholds(self) -> dict[str, list[float]]:
        return self._shop.map.thresholds

    @property
    def neighbour_distances(self) -> list[float]:
        return self._shop.map.neighbour_distances

    @cached_property
    def _reference_codes(self) -> ReferenceCodes:
        return ReferenceCodes.of(self._shop.catalogue.ids, self._shop.encodings.code)

    @property
    def code_bounds(self) -> NDArray[np.float32]:
        return self._shop.code_bounds
