"""Loading each stage of a shop, with a check that it was made from the current stage before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError, ShopIncomplete, StaleError
from modiste.latent.clusters import Clusters
from modiste.latent.sliders import Sliders
from modiste.parallel import MapFn, sequential
from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex
from modiste.shop.catalogue_map import CatalogueMap
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.products import Products
from modiste.storage.json_files import read_json
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.vae.config import ModelConfig

Stage = Literal["catalogue", "model", "encodings", "clusters", "sliders", "map"]
STAGES: tuple[Stage, ...] = ("catalogue", "model", "encodings", "clusters", "sliders", "map")


@dataclass(frozen=True)
class EncodingArrays:
    """The posteriors and fixed-epsilon codes of all products, float32 `(N, n)` each, in the order of Products."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]


def load_model(files: ShopPaths, manifest: Manifest) -> ModelConfig:
    """Load the configuration of the model in use.

    Raises:
        ShopIncomplete: no model was trained, or its files are missing.
        SchemaError: the model is damaged.
        StaleError: the model was trained for another frame.
    """
    remedy = f"Run `modiste train --shop {files.location}`."
    if manifest.model is None:
        raise ShopIncomplete(f"The shop at {files.location} has no model yet.", remedy=remedy)
    config = ModelConfig.load(files.model(manifest.model))
    if config.model_id != manifest.model:
        raise SchemaError(f"The directory of model {manifest.model} contains model {config.model_id}.", remedy=remedy)
    if config.frame != manifest.frame:
        raise StaleError(
            f"The model draws {_format_size(config.frame)}, the shop's photos are {_format_size(manifest.frame)}.",
            remedy=remedy,
        )
    return config


def load_encodings(
    files: ShopPaths,
    manifest: Manifest,
    store: ProductStore,
    products: Products,
    model: ModelConfig,
    *,
    use_index: bool = True,
) -> EncodingArrays:
    """Load the encodings of the current catalogue by the model in use.

    Raises ShopIncomplete if there are no encodings, and StaleError if they were made by another model, or from another
    catalogue.
    """
    remedy = f"Run `modiste encode --shop {files.location}`."
    made_by = manifest.encodings.get("model")
    if made_by is None:
        raise ShopIncomplete(f"The shop at {files.location} is not encoded yet.", remedy=remedy)
    if made_by != model.model_id:
        raise StaleError(
            f"The encodings were made by model {made_by}; the shop's model is {model.model_id}.", remedy=remedy
        )
    encodings = None
    if use_index:
        encodings = read_indexed_encodings(files, manifest, store, model.model_id, len(products))
    if encodings is None:
        rows = store.read_encodings(model.model_id)
        if rows.catalogue_hash != store.hash():
            raise StaleError("The catalogue has changed since it was encoded.", remedy=remedy)
        order = np.argsort(np.array(rows.ids, dtype=object), kind="stable")
        encodings = EncodingArrays(*(np.ascontiguousarray(part[order]) for part in (rows.mean, rows.std, rows.code)))
    mean, std, code = encodings.mean, encodings.std, encodings.code
    epsilon = np.asarray(model.epsilon, np.float32)
    if mean.shape != (len(products), model.latent) or not np.allclose(mean + std * epsilon, code, atol=1e-3):
        raise StaleError(f"The encodings, {mean.shape}, do not belong to model {model.model_id}.", remedy=remedy)
    return encodings


def read_indexed_encodings(
    files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str, count: int
) -> EncodingArrays | None:
    """Return the encodings of all products from the index file; None if that is missing, damaged or stale."""
    blocks = Blocks.open(files.index(model_id), index_fingerprint(files, manifest, store, model_id))
    if blocks is None or not blocks.covers_rows(count):
        return None
    vectors = blocks.products()
    order = np.argsort(vectors.rows)
    return EncodingArrays(vectors.mean[order], vectors.std[order], vectors.code[order])


def load_clusters(files: ShopPaths, manifest: Manifest, store: ProductStore) -> Clusters:
    """Load the clusters of the current encodings.

    Raises:
        ShopIncomplete: there are no clusters.
        SchemaError: the file is damaged.
        StaleError: they were made from other encodings.
    """
    remedy = f"Run `modiste cluster --shop {files.location}`."
    if manifest.model is None or not manifest.clusters:
        raise ShopIncomplete(f"The shop at {files.location} is not clustered yet.", remedy=remedy)
    path = files.clusters(manifest.model)
    try:
        raw: Any = read_json(path)
        built_from = (raw["model"], raw["catalogue_hash"])
        clusters = Clusters.from_dict(raw["clusters"])
    except FileNotFoundError:
        raise ShopIncomplete(f"{path} is missing.", remedy=remedy) from None
    except (OSError, ValueError, KeyError, TypeError, SchemaError) as error:
        raise SchemaError(f"{path} is damaged: {error}.", remedy=remedy) from None
    if built_from != (manifest.model, store.hash()):
        raise StaleError("The clusters were made from other encodings.", remedy=remedy)
    return clusters


def load_sliders(files: ShopPaths, model: ModelConfig) -> Sliders:
    """Load the sliders of the model in use.

    Raises:
        ShopIncomplete: there is no file.
        SchemaError: the file is damaged, or its edits are invalid.
        StaleError: the file belongs to another model.
    """
    path, remedy = files.sliders(model.model_id), f"Run `modiste sliders --shop {files.location}`."
    try:
        sliders = Sliders.from_dict(_read_json(path, remedy))
    except SchemaError as error:
        raise SchemaError(
            f"{path}: {error.message}",
            remedy=f"Correct it, or write it again: `modiste sliders --shop {files.location}`.",
        ) from None
    if sliders.model_id != model.model_id or len(sliders.latents) != model.latent:
        raise StaleError(
            f"{path} has {len(sliders.latents)} latents of model {sliders.model_id}; "
            f"the shop's model is {model.model_id} with {model.latent}.",
            remedy=remedy,
        )
    return sliders


def load_map(files: ShopPaths, store: ProductStore, products: Products, model: ModelConfig) -> CatalogueMap:
    """Load the map of the current catalogue.

    Raises:
        ShopIncomplete: there is no file.
        SchemaError: the file is damaged.
        StaleError: the map was made by another model, or from another catalogue.
    """
    path, remedy = files.map(model.model_id), f"Run `modiste sliders --shop {files.location}`."
    raw: Any = _read_json(path, remedy)
    try:
        catalogue_map = CatalogueMap.from_dict(raw)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error.message}", remedy=remedy) from None
    if (raw.get("model"), raw.get("catalogue_hash")) != (model.model_id, store.hash()):
        raise StaleError("The catalogue has changed since its map was made.", remedy=remedy)
    if len(catalogue_map.positions) != len(products):
        raise SchemaError(
            f"{path} has {len(catalogue_map.positions)} positions for {len(products)} products.", remedy=remedy
        )
    return catalogue_map


def assign_clusters(
    clusters: Clusters, categories: Sequence[str], encodings: EncodingArrays, map_fn: MapFn = sequential
) -> NDArray[np.intp]:
    """Return the cluster of each of `N` products, `(N,)`; `map_fn` runs the parts of the work."""
    if clusters.method == "category":
        numbers = {name: number for number, name in enumerate(clusters.labels)}
        return np.array([numbers[name] for name in categories], np.intp)
    points = encodings.mean if clusters.features == "mean" else encodings.code
    return np.asarray(clusters.assign(points, map_fn), np.intp)


def build_index(
    ids: Sequence[str], encodings: EncodingArrays, assignments: NDArray[np.intp], tau: float, threads: int = 1
) -> LatentIndex:
    """Build an index in memory from `N` ids, their encodings and their clusters `(N,)`."""
    mean, std, code = encodings.mean, encodings.std, encodings.code
    return LatentIndex(ids, mean, std, code, assignments, tau=tau, threads=threads)


def _read_json(path: Path, remedy: str) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise ShopIncomplete(f"{path} is missing.", remedy=remedy) from None
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path} is damaged: {error}.", remedy=remedy) from None


def _format_size(frame: tuple[int, int]) -> str:
    return f"{frame[1]}x{frame[0]}"
