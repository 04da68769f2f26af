"""Looking a shop over: every part is read and held against what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from modiste.errors import (
    ShopBusy,
    ShopError,
    ShopIncomplete,
    ShopNotFound,
    StaleError,
    StorageError,
)
from modiste.latent.clusters import Clusters
from modiste.pipeline.doctor.faults import (
    COPY,
    Fault,
    faults_of_index,
    faults_of_products,
    faults_of_snapshot,
)
from modiste.progress import Progress
from modiste.shop.sampling import photos_of, sample_rows
from modiste.shop.shop import Shop
from modiste.storage.locks import one_writer
from modiste.storage.manifest import Manifest
from modiste.storage.paths import UNFINISHED, ShopFiles
from modiste.storage.product_store import ProductStore
from modiste.vae.config import NETWORKS, ModelConfig

SAMPLE = 32  # products that are encoded again
CLOSE = 1e-2  # by how much their means may differ: machines round differently, damage is far above
WEIGHTS = "model.safetensors"
T = TypeVar("T")


def leftovers(files: ShopFiles) -> list[Path]:
    """What processes that were killed have left unfinished. Only to be removed while no other process writes."""
    return sorted(path for path in files.root.rglob("*") if path.name.endswith(UNFINISHED))


def examine_shop(root: Path, on_progress: Progress | None = None) -> list[Fault]:
    """Everything that is wrong with the shop at `root`, in the order in which its parts are made.

    What was made from a part that is broken, or not there, is not looked at. Raises ShopNotFound, StorageError.
    """
    return _Examination(ShopFiles(root), on_progress).run()


class _Examination:
    """One look at a shop."""

    def __init__(self, files: ShopFiles, on_progress: Progress | None) -> None:
        self.files, self.on_progress = files, on_progress
        self.found: list[Fault] = []

    def run(self) -> list[Fault]:
        manifest = self._read("shop", "shop.json", True, lambda: Manifest.load(self.files.root))
        self.found += self._unfinished()
        if manifest is None:
            return self.found
        store = self._read("products", "store", True, lambda: self._products(manifest))
        self.found += self._models(manifest)
        if store is not None and not any(fault.part == "products" for fault in self.found):
            self._stages(Shop(self.files, manifest, store, 1, derived=False))
        return self.found

    def _read(self, part: str, where: str, made: bool, look: Callable[[], T]) -> T | None:
        """What `look` gives; None, and a fault, where that cannot be. `made` says whether it should be there."""
        try:
            return look()
        except ShopNotFound:
            raise
        except ShopError as error:
            broken = made or not isinstance(error, ShopIncomplete)
            self.found.append(Fault(part, where, error.message, error.remedy, broken))
        return None

    def _unfinished(self) -> Iterator[Fault]:
        try:
            with one_writer(self.files.root):
                left = leftovers(self.files)
        except ShopBusy as error:
            says = "Another process is writing to the shop: what it has not finished may look wrong."
            yield Fault("shop", ".", says, error.remedy, broken=False)
            return
        except StorageError:  # where nobody can write, nobody does
            left = leftovers(self.files)
        for path in left:
            says = "A process that was killed has left it unfinished; nothing reads it."
            remedy = "Remove it: `modiste doctor --shop DIR --repair`."
            yield Fault("leftover", self._within(path), says, remedy, broken=False)

    def _products(self, manifest: Manifest) -> ProductStore:
        store = ProductStore.open(self.files.store)
        store.refresh()  # the table itself, not its snapshot
        self.found += faults_of_products(store, manifest, self.on_progress)
        self.found += faults_of_snapshot(store)
        return store

    def _models(self, manifest: Manifest) -> Iterator[Fault]:
        """Every model that is kept, also those of before: designs that were shared belong to them."""
        directories = sorted(self.files.models.iterdir()) if self.files.models.is_dir() else []
        for directory in directories:
            name = directory.name
            if name.startswith((".", "run-")) or name == "prepared" or not directory.is_dir():
                continue
            broken = name == manifest.model
            try:
                recorded = ModelConfig.load(directory).files
            except ShopError as error:
                yield Fault("model", self._within(directory), error.message, COPY, broken)
                continue
            for each, start in (
                {WEIGHTS: name} | {each: recorded.get(each, "") for each in NETWORKS}
            ).items():
                if (says := _unlike(directory / each, start)) is not None:
                    yield Fault("model", self._within(directory / each), says, COPY, broken)

    def _stages(self, shop: Shop) -> None:
        """The stages in their order, up to the first that is not there."""
        said, files, place = shop.manifest, self.files, self.files.place
        model_id = said.model or "MODEL"
        if self._read("model", "shop.json", said.model is not None, lambda: shop.model) is None:
            return
        if self._read("model", f"models/{model_id}", True, lambda: shop.engine) is None:
            return
        where = f"store/encodings-{model_id}.lance"
        if self._read("encodings", where, bool(said.encodings), lambda: shop.encodings) is None:
            return
        if (says := _encoded_otherwise(shop)) is not None:
            self.found.append(
                Fault("encodings", where, says, f"`modiste encode --shop {place}`; or: {COPY}", True)
            )
        where = self._within(files.clusters(model_id))
        if self._read("clusters", where, bool(said.clusters), lambda: _clustered(shop)) is not None:
            self.found += faults_of_index(shop)
        self._read("sliders", self._within(files.sliders(model_id)), False, lambda: shop.sliders)
        self._read("map", self._within(files.map(model_id)), False, lambda: shop.map)

    def _within(self, path: Path) -> str:
        return path.relative_to(self.files.root).as_posix()


def _unlike(path: Path, start: str) -> str | None:
    """What is wrong with a file whose SHA-256 begins with `start`; None where nothing is."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "It is missing."
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    return None if digest.startswith(start) else "Its bytes are not those that training wrote."


def _encoded_otherwise(shop: Shop) -> str | None:
    """What is wrong with encodings that can be read: the encoder is asked again about some products."""
    held = shop.encodings
    if sorted(shop.store.read_encodings(shop.model.model_id).ids) != shop.catalogue.ids:
        return "They are of other products than the store has."
    if not (held.std > 0).all():
        return "A deviation is not above 0."
    rows = sample_rows(len(shop.catalogue), SAMPLE, 0)
    mean, _ = shop.engine.encode(photos_of(shop.store, [shop.catalogue.ids[row] for row in rows]))
    if not np.allclose(mean, held.mean[rows], atol=CLOSE):
        return "The encoder says otherwise of the photos now: it, they or the photos are damaged."
    return None


def _clustered(shop: Shop) -> Clusters:
    """The clusters, once manifest, model and products agree on them. Raises what `Shop.clusters` does."""
    told, clusters = shop.manifest.clusters, shop.clusters
    labels = list(clusters.labels)
    agree = {"model": shop.manifest.model, "catalogue_hash": shop.store.hash(), "labels": labels}
    tags = set(shop.catalogue.categories) if clusters.method == "category" else set[str]()
    if (
        clusters.centres.shape[1] != shop.model.latent
        or not agree.items() <= told.items()
        or not tags <= set(labels)
    ):
        raise StaleError(
            "The clusters are not those that shop.json names, or not of this model and its products.",
            remedy=f"Cluster it with `modiste cluster --shop {shop.path}`.",
        )
    return clusters
