"""What a shop has been built up to, and whether each stage still fits the one before: wrong answers stop here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError, ShopIncomplete, StaleError
from modiste.latent.clusters import Clusters
from modiste.latent.sliders import Sliders
from modiste.parallel import MapFn, sequential
from modiste.shop.catalogue_map import CatalogueMap
from modiste.shop.index_files import EncodingArrays, read_indexed_encodings
from modiste.shop.products import Products
from modiste.storage.json_files import read_json
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.vae.config import ModelConfig

Stage = Literal["catalogue", "model", "encodings", "clusters", "sliders", "map"]
STAGES: tuple[Stage, ...] = ("catalogue", "model", "encodings", "clusters", "sliders", "map")


def load_model(files: ShopPaths, manifest: Manifest) -> ModelConfig:
    """The configuration of the model in use.

    Raises:
        ShopIncomplete: none was trained, or its files are gone.
        SchemaError: it is damaged.
        StaleError: it was trained for another frame.
    """
    remedy = f"Train one with `modiste train --shop {files.location}`."
    if manifest.model is None:
        raise ShopIncomplete(f"The shop at {files.location} has no model yet.", remedy=remedy)
    config = ModelConfig.load(files.model(manifest.model))
    if config.model_id != manifest.model:
        raise SchemaError(
            f"The directory of model {manifest.model} holds model {config.model_id}.", remedy=remedy
        )
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
    """The encodings that the model in use made of the catalogue as it is now.

    Raises:
        ShopIncomplete: nothing was encoded yet.
        StaleError: made by another model, or of another catalogue.
    """
    remedy = f"Encode it with `modiste encode --shop {files.location}`."
    made_by = manifest.encodings.get("model")
    if made_by is None:
        raise ShopIncomplete(f"The shop at {files.location} is not encoded yet.", remedy=remedy)
    if made_by != model.model_id:
        raise StaleError(
            f"The encodings were made by model {made_by}; the shop's model is {model.model_id}.",
            remedy=remedy,
        )
    args = (files, manifest, store, model.model_id, len(products))
    held = read_indexed_encodings(*args) if use_index else None
    if held is None:
        found = store.read_encodings(model.model_id)
        if found.catalogue_hash != store.hash():
            raise StaleError("The catalogue has changed since it was encoded.", remedy=remedy)
        order = np.argsort(np.array(found.ids, dtype=object), kind="stable")
        held = EncodingArrays(
            *(np.ascontiguousarray(part[order]) for part in (found.mean, found.std, found.code))
        )
    mean, std, code = held.mean, held.std, held.code
    epsilon = np.asarray(model.epsilon, np.float32)
    if mean.shape != (len(products), model.latent) or not np.allclose(mean + std * epsilon, code, atol=1e-3):
        raise StaleError(
            f"The encodings, {mean.shape}, do not belong to model {model.model_id}.", remedy=remedy
        )
    return held


def load_clusters(files: ShopPaths, manifest: Manifest, store: ProductStore) -> Clusters:
    """The clusters of the encodings in use.

    Raises:
        ShopIncomplete: not clustered yet.
        SchemaError: the file is damaged.
        StaleError: made from other encodings.
    """
    remedy = f"Cluster it with `modiste cluster --shop {files.location}`."
    if manifest.model is None or not manifest.clusters:
        raise ShopIncomplete(f"The shop at {files.location} is not clustered yet.", remedy=remedy)
    path = files.clusters(manifest.model)
    try:
        raw: Any = read_json(path)
        made_from = (raw["model"], raw["catalogue_hash"])
        clusters = Clusters.from_dict(raw["clusters"])
    except FileNotFoundError:
        raise ShopIncomplete(f"{path} is missing.", remedy=remedy) from None
    except (OSError, ValueError, KeyError, TypeError, SchemaError) as error:
        raise SchemaError(f"{path} is damaged: {error}.", remedy=remedy) from None
    if made_from != (manifest.model, store.hash()):
        raise StaleError("The clusters were made from other encodings.", remedy=remedy)
    return clusters


def load_sliders(files: ShopPaths, model: ModelConfig) -> Sliders:
    """The sliders of the model in use.

    Raises:
        ShopIncomplete: not made yet.
        SchemaError: the file is damaged, or wrongly edited.
        StaleError: it is of another model.
    """
    path, remedy = files.sliders(model.model_id), f"Make it with `modiste sliders --shop {files.location}`."
    try:
        sliders = Sliders.from_dict(_read_json(path, remedy))
    except SchemaError as error:
        raise SchemaError(
            f"{path}: {error.message}",
            remedy=f"Mend it, or make it anew: `modiste sliders --shop {files.location}`.",
        ) from None
    if sliders.model_id != model.model_id or len(sliders.latents) != model.latent:
        raise StaleError(
            f"{path} has {len(sliders.latents)} latents of model {sliders.model_id}; "
            f"the shop's model is {model.model_id} with {model.latent}.",
            remedy=remedy,
        )
    return sliders


def load_map(files: ShopPaths, store: ProductStore, products: Products, model: ModelConfig) -> CatalogueMap:
    """The map of the catalogue as it is now.

    Raises:
        ShopIncomplete: not made yet.
        SchemaError: the file is damaged.
        StaleError: made by another model, or of another catalogue.
    """
    path, remedy = files.map(model.model_id), f"Make it with `modiste sliders --shop {files.location}`."
    raw: Any = _read_json(path, remedy)
    try:
        made = CatalogueMap.from_dict(raw)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error.message}", remedy=remedy) from None
    if (raw.get("model"), raw.get("catalogue_hash")) != (model.model_id, store.hash()):
        raise StaleError("The catalogue has changed since its map was made.", remedy=remedy)
    if len(made.positions) != len(products):
        raise SchemaError(
            f"{path} has {len(made.positions)} positions for {len(products)} products.", remedy=remedy
        )
    return made


def assign_clusters(
    clusters: Clusters, categories: Sequence[str], encodings: EncodingArrays, map_fn: MapFn = sequential
) -> NDArray[np.intp]:
    """Return the cluster of each of `N` products, `(N,)`; `map_fn` runs the parts of the work."""
    if clusters.method == "category":
        numbers = {name: number for number, name in enumerate(clusters.labels)}
        return np.array([numbers[name] for name in categories], np.intp)
    points = encodings.mean if clusters.features == "mean" else encodings.code
    return np.asarray(clusters.assign(points, map_fn), np.intp)


def _read_json(path: Path, remedy: str) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise ShopIncomplete(f"{path} is missing.", remedy=remedy) from None
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path} is damaged: {error}.", remedy=remedy) from None


def _format_size(frame: tuple[int, int]) -> str:
    return f"{frame[1]}x{frame[0]}"
