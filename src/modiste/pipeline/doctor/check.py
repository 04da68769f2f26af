"""Looking a shop over: every part is read and held against what it was made from."""

from __future__ import annotations

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
    RESTORE_REMEDY,
    Fault,
    check_index,
    check_products,
    check_snapshot,
)
from modiste.progress import Progress
from modiste.shop.sampling import load_photos, sample_rows
from modiste.shop.shop import Shop
from modiste.storage.checksums import file_sha256
from modiste.storage.locks import write_lock
from modiste.storage.manifest import Manifest
from modiste.storage.paths import UNFINISHED_SUFFIXES, ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.vae.config import NETWORK_FILES, ModelConfig

SAMPLE_PRODUCTS = 32  # products that are encoded again
MEAN_TOLERANCE = 1e-2  # by how much their means may differ: machines round differently, damage is far above
WEIGHTS_FILE = "model.safetensors"
T = TypeVar("T")


def find_leftovers(files: ShopPaths) -> list[Path]:
    """What processes that were killed have left unfinished. Only to be removed while no other process writes."""
    return sorted(path for path in files.root.rglob("*") if path.name.endswith(UNFINISHED_SUFFIXES))


def check_shop(root: Path, on_progress: Progress | None = None) -> list[Fault]:
    """Everything that is wrong with the shop at `root`, in the order in which its parts are made.

    What was made from a part that is broken, or not there, is not looked at. Raises ShopNotFound, StorageError.
    """
    return _ShopCheck(ShopPaths(root), on_progress).run()


class _ShopCheck:
    """One look at a shop."""

    def __init__(self, files: ShopPaths, on_progress: Progress | None) -> None:
        self.files, self.on_progress = files, on_progress
        self.faults: list[Fault] = []

    def run(self) -> list[Fault]:
        manifest = self._load("shop", "shop.json", True, lambda: Manifest.load(self.files.root))
        self.faults += self._check_leftovers()
        if manifest is None:
            return self.faults
        store = self._load("products", "store", True, lambda: self._check_products(manifest))
        self.faults += self._check_models(manifest)
        if store is not None and not any(fault.part == "products" for fault in self.faults):
            self._check_stages(Shop(self.files, manifest, store, 1, use_index=False))
        return self.faults

    def _load(self, part: str, where: str, expected: bool, load: Callable[[], T]) -> T | None:
        """What `look` gives; None, and a fault, where that cannot be. `made` says whether it should be there."""
        try:
            return load()
        except ShopNotFound:
            raise
        except ShopError as error:
            broken = expected or not isinstance(error, ShopIncomplete)
            self.faults.append(Fault(part, where, error.message, error.remedy, broken))
        return None

    def _check_leftovers(self) -> Iterator[Fault]:
        try:
            with write_lock(self.files.root):
                left = find_leftovers(self.files)
        except ShopBusy as error:
            says = "Another process is writing to the shop: what it has not finished may look wrong."
            yield Fault("shop", ".", says, error.remedy, broken=False)
            return
        except StorageError:  # where nobody can write, nobody does
            left = find_leftovers(self.files)
        for path in left:
            says = "A process that was killed has left it unfinished; nothing reads it."
            remedy = "Remove it: `modiste doctor --shop DIR --repair`."
            yield Fault("leftover", self._relative(path), says, remedy, broken=False)

    def _check_products(self, manifest: Manifest) -> ProductStore:
        store = ProductStore.open(self.files.store)
        store.refresh()  # the table itself, not its snapshot
        self.faults += check_products(store, manifest, self.on_progress)
        self.faults += check_snapshot(store)
        return store

    def _check_models(self, manifest: Manifest) -> Iterator[Fault]:
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
                yield Fault("model", self._relative(directory), error.message, RESTORE_REMEDY, broken)
                continue
            for each, start in (
                {WEIGHTS_FILE: name} | {each: recorded.get(each, "") for each in NETWORK_FILES}
            ).items():
                if (says := _file_fault(directory / each, start)) is not None:
                    yield Fault("model", self._relative(directory / each), says, RESTORE_REMEDY, broken)

    def _check_stages(self, shop: Shop) -> None:
        """The stages in their order, up to the first that is not there."""
        said, files, place = shop.manifest, self.files, self.files.location
        model_id = said.model or "MODEL"
        if self._load("model", "shop.json", said.model is not None, lambda: shop.model) is None:
            return
        if self._load("model", f"models/{model_id}", True, lambda: shop.onnx_model) is None:
            return
        where = f"store/encodings-{model_id}.lance"
        if self._load("encodings", where, bool(said.encodings), lambda: shop.encodings) is None:
            return
        if (says := _encoding_fault(shop)) is not None:
            self.faults.append(
                Fault(
                    "encodings", where, says, f"`modiste encode --shop {place}`; or: {RESTORE_REMEDY}", True
                )
            )
        where = self._relative(files.clusters(model_id))
        if self._load("clusters", where, bool(said.clusters), lambda: _load_clusters(shop)) is not None:
            self.faults += check_index(shop)
        self._load("sliders", self._relative(files.sliders(model_id)), False, lambda: shop.sliders)
        self._load("map", self._relative(files.map(model_id)), False, lambda: shop.map)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.files.root).as_posix()


def _file_fault(path: Path, digest_start: str) -> str | None:
    """What is wrong with a file whose SHA-256 begins with `start`; None where nothing is."""
    try:
        digest = file_sha256(path)
    except FileNotFoundError:
        return "It is missing."
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    return None if digest.startswith(digest_start) else "Its bytes are not those that training wrote."


def _encoding_fault(shop: Shop) -> str | None:
    """What is wrong with encodings that can be read: the encoder is asked again about some products."""
    held = shop.encodings
    if sorted(shop.store.read_encodings(shop.model.model_id).ids) != shop.catalogue.ids:
        return "They are of other products than the store has."
    if not (held.std > 0).all():
        return "A deviation is not above 0."
    rows = sample_rows(len(shop.catalogue), SAMPLE_PRODUCTS, 0)
    mean, _ = shop.onnx_model.encode(load_photos(shop.store, [shop.catalogue.ids[row] for row in rows]))
    if not np.allclose(mean, held.mean[rows], atol=MEAN_TOLERANCE):
        return "The encoder says otherwise of the photos now: it, they or the photos are damaged."
    return None


def _load_clusters(shop: Shop) -> Clusters:
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
