"""Shop: the one object that the command line, the HTTP API and notebooks ask."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.catalogue.photo import check_photo, decode_jpeg, fit_photo
from modiste.errors import BadCount, BadOption
from modiste.latent.arithmetic import shift
from modiste.latent.clusters import Clusters
from modiste.latent.posterior import Posterior, check_code, fixed_epsilon_code
from modiste.model.config import ModelConfig
from modiste.model.engine import Engine
from modiste.search.index import METHODS, METRICS, LatentIndex
from modiste.shop import stages
from modiste.shop.answers import Match, Matches, Recommendation, Recommendations
from modiste.shop.files import ShopFiles, writing
from modiste.shop.manifest import Manifest
from modiste.shop.products import Products
from modiste.shop.stages import STAGES, Encodings, Stage
from modiste.store.products import ProductStore

Method = Literal["likelihood", "fixed-epsilon", "mean"]
Metric = Literal["euclidean", "manhattan"]
Scope = Literal["cluster", "catalogue"]
SCOPES: tuple[str, ...] = ("cluster", "catalogue")


class Shop:
    """A shop on disk, open for questions.

    `n` is the number of latents, `(H, W)` the frame, `N` the number of products. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

    def __init__(self, files: ShopFiles, manifest: Manifest, store: ProductStore, threads: int) -> None:
        self.files = files
        self.manifest = manifest
        self.store = store
        self._threads = threads

    @classmethod
    def open(cls, path: str | Path, *, need: Stage = "clusters", threads: int = 1) -> Shop:
        """Open the shop at `path`, built at least up to the stage `need`; the model runs on `threads` threads.

        Raises:
            ShopNotFound: there is no shop.
            ShopIncomplete: a stage up to `need` is missing; the remedy names the command that makes it.
            StaleError: a stage was built from something that has changed since.
            SchemaError: a file is damaged or of another version.
        """
        root = stages.shop_root(path)
        files = ShopFiles(root)
        manifest = Manifest.load(root)
        shop = cls(files, manifest, ProductStore.open(files.store), threads)
        # Touching each stage loads and checks it.
        for stage in STAGES[: STAGES.index(need) + 1]:
            getattr(shop, stage)
        return shop

    @property
    def path(self) -> Path:
        """The shop's directory."""
        return self.files.root

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
        return stages.load_encodings(self.files, self.manifest, self.store, self.catalogue, self.model)

    @cached_property
    def clusters(self) -> Clusters:
        """Centres and labels. Raises ShopIncomplete, StaleError, SchemaError."""
        return stages.load_clusters(self.files, self.manifest, self.store)

    @cached_property
    def assignments(self) -> NDArray[np.intp]:
        """The cluster of every product, `(N,)`, rows as in `catalogue`."""
        basis = self.encodings.mean if self.clusters.on == "mean" else self.encodings.code
        return np.asarray(self.clusters.assign(basis), np.intp)

    @cached_property
    def _cluster_sizes(self) -> NDArray[np.intp]:
        """How many products each cluster has, `(k,)`."""
        return np.bincount(self.assignments, minlength=len(self.clusters)).astype(np.intp)

    @cached_property
    def index(self) -> LatentIndex:
        """Exact nearest products, rows as in `catalogue`."""
        held = self.encodings
        return LatentIndex(self.catalogue.ids, held.mean, held.std, held.code, cluster=self.assignments)

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
        mean, std = self.engine.encode(fitted)
        if one:
            mean, std = mean[0], std[0]
        return Posterior(mean, std, fixed_epsilon_code(mean, std, np.asarray(self.model.epsilon, np.float32)))

    def decode(self, code: ArrayLike) -> NDArray[np.uint8]:
        """The product that a code draws, uint8 `(H, W, 3)`; of a batch, `(b, H, W, 3)`. Raises BadCode."""
        checked = check_code(code, self.model.latent)
        drawn = self.engine.decode(np.atleast_2d(checked))
        return drawn[0] if checked.ndim == 1 else drawn

    def random_design(self, seed: int | None = None) -> NDArray[np.float32]:
        """A new design, `(n,)`: a draw from the posterior of a product drawn at random. The same for a seed."""
        random = np.random.default_rng(seed)
        row = int(random.integers(len(self.catalogue)))
        noise = random.standard_normal(self.model.latent).astype(np.float32)
        return self.encodings.mean[row] + self.encodings.std[row] * noise

    def cluster_of(self, code: ArrayLike) -> Any:
        """The cluster of a code, an int; of a batch, `(b,)`. Raises BadCode."""
        checked = check_code(code, self.model.latent)
        found = np.asarray(self.clusters.assign(np.atleast_2d(checked)), np.intp)
        return int(found[0]) if checked.ndim == 1 else found

    def similar(
        self,
        code: ArrayLike,
        k: int = 10,
        method: Method = "likelihood",
        scope: Scope = "cluster",
        *,
        metric: Metric = "euclidean",
        tau: float = 0.0,
        exclude: Collection[str] = (),
    ) -> list[Any]:
        """The `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            k: how many; fewer come where the cluster has fewer.
            method: "likelihood" ranks by log q(code | product) (the paper's Eq. 2); "fixed-epsilon" and "mean" by the
                distance to the products' fixed-epsilon codes or means.
            scope: "cluster" looks only in the code's own cluster, "catalogue" everywhere.
            metric: of the distance, "euclidean" or "manhattan"; the likelihood has none.
            tau: how uncertain the code itself is, for the likelihood: each σ² becomes σ² + tau².
            exclude: ids to leave out, such as the product that the code came from.

        Returns:
            Matches, a list of Match; for a batch, a list of `b` of them.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1 or over the number of products.
            BadOption: an unknown method, metric or scope, or a negative tau.
        """
        codes = check_code(code, self.model.latent)
        self._check_question(k, method, metric, tau)
        if scope not in SCOPES:
            raise BadOption(f"No scope {scope!r}.", remedy=f"Choose one of {', '.join(SCOPES)}.")
        batch = np.atleast_2d(codes)
        own = np.asarray(self.clusters.assign(batch), np.intp) if scope == "cluster" else None
        answers = [
            self._nearest(
                each, k, method, metric, tau, None if own is None else int(own[row]), frozenset(exclude)
            )
            for row, each in enumerate(batch)
        ]
        return answers[0] if codes.ndim == 1 else answers

    def recommend(
        self,
        code: ArrayLike,
        k: int = 3,
        method: Method = "likelihood",
        *,
        metric: Metric = "euclidean",
        tau: float = 0.0,
    ) -> list[Any]:
        """What goes with a code: for each other cluster j, its `k` products nearest to code + (centre_j − centre_i).

        i is the code's own cluster; the difference points towards the other cluster (the paper's Eq. 3 prints it the
        other way round). Arguments and errors are those of `similar`.

        Returns:
            Recommendations, a list of Recommendation in the order of the clusters; for a batch, a list of `b` of them.
        """
        codes = check_code(code, self.model.latent)
        self._check_question(k, method, metric, tau)
        answers: list[Recommendations] = []
        for each in np.atleast_2d(codes):
            own = self.cluster_of(each)
            answer = Recommendations()
            for other, label in enumerate(self.clusters.labels):
                if other != own:
                    there = shift(each, self.clusters.centres[own], self.clusters.centres[other])
                    matches = self._nearest(there, k, method, metric, tau, other, frozenset())
                    answer.append(Recommendation(other, label, matches))
            answers.append(answer)
        return answers[0] if codes.ndim == 1 else answers

    def _nearest(
        self,
        code: NDArray[np.float32],
        k: int,
        method: Method,
        metric: Metric,
        tau: float,
        cluster: int | None,
        exclude: frozenset[str],
    ) -> Matches:
        among = len(self.catalogue) if cluster is None else int(self._cluster_sizes[cluster])
        wanted = min(k + len(exclude), among)
        if wanted == 0:
            return Matches()
        found, scores = self.index.nearest(
            code, wanted, method=method, metric=metric, tau=tau, cluster=cluster
        )
        pairs = zip(np.ravel(found).tolist(), np.ravel(scores).tolist(), strict=True)
        kept = [(row, score) for row, score in pairs if self.catalogue.ids[row] not in exclude]
        return Matches(self._match(row, score) for row, score in kept[:k])

    def _match(self, row: int, score: float) -> Match:
        held = self.catalogue
        return Match(
            held.ids[row],
            held.categories[row],
            int(self.assignments[row]),
            score,
            held.attributes(row),
            self.jpeg,
        )

    def _check_question(self, k: int, method: str, metric: str, tau: float) -> None:
        if not 1 <= k <= len(self.catalogue):
            raise BadCount(
                f"k is {k}; the shop has {len(self.catalogue)} products.",
                remedy=f"Give a k from 1 to {len(self.catalogue)}.",
            )
        for name, value, allowed in (("method", method, METHODS), ("metric", metric, METRICS)):
            if value not in allowed:
                raise BadOption(f"No {name} {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        if not 0.0 <= tau < float("inf"):
            raise BadOption(f"tau is {tau}.", remedy="Give 0 or more.")


@contextmanager
def opened_for_writing(path: str | Path, *, need: Stage, threads: int = 1) -> Generator[Shop, None, None]:
    """The shop at `path`, held for one writing stage. Raises what Shop.open raises, and ShopBusy."""
    root = stages.shop_root(path)
    Manifest.load(root)  # where there is no shop, nothing is made
    with writing(root):
        yield Shop.open(root, need=need, threads=threads)
