"""The check of a shop: every part is read and compared with what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from modiste.errors import ShopBusy, ShopError, ShopIncomplete, ShopNotFound, StaleError, StorageError
from modiste.latent.clusters import Clusters
from modiste.pipeline.doctor.faults import RESTORE_REMEDY, Fault, check_index, check_products, check_snapshot
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
MEAN_TOLERANCE = 1e-2  # machines round differently; damage makes far larger differences
WEIGHTS_FILE = "model.safetensors"
T = TypeVar("T")


def find_leftovers(files: ShopPaths) -> list[Path]:
    """Return the unfinished files of killed processes. Remove them only while no other process writes."""
    return sorted(path for path in files.root.rglob("*") if path.name.endswith(UNFINISHED_SUFFIXES))


def check_shop(root: Path, on_progress: Progress | None = None) -> list[Fault]:
    """Return the faults of the shop at `root`, in the order in which its parts are made.

    Parts made from a broken or missing part are not checked. Raises ShopNotFound, StorageError.
    """
    return _ShopCheck(ShopPaths(root), on_progress).run()


class _ShopCheck:
    """One check of a shop."""

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
        """Return what `load` returns; if it fails, add a fault and return None. A missing `expected` part is broken."""
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
                leftovers = find_leftovers(self.files)
        except ShopBusy as error:
            message = "Another process is writing to the shop; its unfinished files may be reported as faults."
            yield Fault("shop", ".", message, error.remedy, broken=False)
            return
        except StorageError:  # a shop that cannot be written to has no writer
            leftovers = find_leftovers(self.files)
        for path in leftovers:
            message = "A killed process left it unfinished; nothing reads it."
            remedy = "Remove it: `modiste doctor --shop DIR --repair`."
            yield Fault("leftover", self._relative(path), message, remedy, broken=False)

    def _check_products(self, manifest: Manifest) -> ProductStore:
        store = ProductStore.open(self.files.store)
        store.refresh()  # the table itself, not its snapshot
        self.faults += check_products(store, manifest, self.on_progress)
        self.faults += check_snapshot(store)
        return store

    def _check_models(self, manifest: Manifest) -> Iterator[Fault]:
        """Check every model, also earlier ones, because shared designs belong to them."""
        directories = sorted(self.files.models.iterdir()) if self.files.models.is_dir() else []
        for directory in directories:
            name = directory.name
            if name.startswith((".", "run-")) or name == "prepared" or not directory.is_dir():
                continue
            is_broken = name == manifest.model
            try:
                digests = ModelConfig.load(directory).files
            except ShopError as error:
                yield Fault("model", self._relative(directory), error.message, RESTORE_REMEDY, is_broken)
                continue
            for each, digest_start in (
                {WEIGHTS_FILE: name} | {each: digests.get(each, "") for each in NETWORK_FILES}
            ).items():
                if (message := _file_fault(directory / each, digest_start)) is not None:
                    yield Fault("model", self._relative(directory / each), message, RESTORE_REMEDY, is_broken)

    def _check_stages(self, shop: Shop) -> None:
        """Check the stages in order, up to the first that is missing."""
        manifest, files = shop.manifest, self.files
        model_id = manifest.model or "MODEL"
        if self._load("model", "shop.json", manifest.model is not None, lambda: shop.model) is None:
            return
        if self._load("model", f"models/{model_id}", True, lambda: shop.onnx_model) is None:
            return
        where = f"store/encodings-{model_id}.lance"
        if self._load("encodings", where, bool(manifest.encodings), lambda: shop.encodings) is None:
            return
        if (message := _encoding_fault(shop)) is not None:
            self.faults.append(
                Fault(
                    "encodings", where, message, f"`modiste encode --shop {files.location}`; or: {RESTORE_REMEDY}", True
                )
            )
        where = self._relative(files.clusters(model_id))
        if self._load("clusters", where, bool(manifest.clusters), lambda: _load_clusters(shop)) is not None:
            self.faults += check_index(shop)
        self._load("sliders", self._relative(files.sliders(model_id)), False, lambda: shop.sliders)
        self._load("map", self._relative(files.map(model_id)), False, lambda: shop.map)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.files.root).as_posix()


def _file_fault(path: Path, digest_start: str) -> str | None:
    """Return the fault of a file whose SHA-256 must begin with `digest_start`, or None."""
    try:
        digest = file_sha256(path)
    except FileNotFoundError:
        return "It is missing."
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    return None if digest.startswith(digest_start) else "Its content differs from what training wrote."


def _encoding_fault(shop: Shop) -> str | None:
    """Return the fault of readable encodings, or None; some products are encoded again for comparison."""
    encodings = shop.encodings
    if sorted(shop.store.read_encodings(shop.model.model_id).ids) != shop.catalogue.ids:
        return "They are of other products than those in the store."
    if not (encodings.std > 0).all():
        return "A standard deviation is not above 0."
    rows = sample_rows(len(shop.catalogue), SAMPLE_PRODUCTS, 0)
    mean, _ = shop.onnx_model.encode(load_photos(shop.store, [shop.catalogue.ids[row] for row in rows]))
    if not np.allclose(mean, encodings.mean[rows], atol=MEAN_TOLERANCE):
        return "The encoder gives other values for the photos: the model, the encodings or the photos are damaged."
    return None


def _load_clusters(shop: Shop) -> Clusters:
    """Return the clusters. Raises what `Shop.clusters` raises, and StaleError if they do not match the manifest."""
    recorded, clusters = shop.manifest.clusters, shop.clusters
    labels = list(clusters.labels)
    expected = {"model": shop.manifest.model, "catalogue_hash": shop.store.hash(), "labels": labels}
    categories = set(shop.catalogue.categories) if clusters.method == "category" else set[str]()
    if (
        clusters.centres.shape[1] != shop.model.latent
        or not expected.items() <= recorded.items()
        or not categories <= set(labels)
    ):
        raise StaleError(
            "The clusters are not those recorded in shop.json, or not of this model and its products.",
            remedy=f"Run `modiste cluster --shop {shop.path}`.",
        )
    return clusters
