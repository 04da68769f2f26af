"""Changes to a shop that is built: put and remove products, use another model, and refresh what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from modiste.errors import PHOTO_REASONS, BadOption, PhotoError, ShopError, SourceError
from modiste.images.photo import Photo, read_photo
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.incremental_update import REBUILD_SHARE, clusters_changed, update_shop
from modiste.pipeline.ingest import InMemorySource, ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.storage.location import read_manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import catalogue_summary
from modiste.vae.config import ModelConfig

DerivedStage = Literal["encodings", "clusters", "sliders", "map"]
DERIVED_STAGES: tuple[DerivedStage, ...] = get_args(DerivedStage)
Step = Literal["update", DerivedStage]
"""A step that refreshes a shop: an incremental update, or a stage that is built from all products."""


def put_products(
    path: str | Path, products: Sequence[Record], *, decode_photo: Callable[[bytes], Photo] = read_photo
) -> dict[str, int]:
    """Add products to the shop at `path`, or replace those with the same ids.

    The encodings, clusters and map are stale until `refresh_shop` or `update_shop` has run.

    Args:
        path: the shop's directory or URL.
        products: with their photos.
        decode_photo: decodes the bytes of a photo.

    Returns:
        {"added", "changed", "unchanged"}.

    Raises:
        PhotoError: a photo was rejected; the other products were stored.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    source = read_manifest(path).catalogue.get("source", "given")
    try:
        summary = ingest(InMemorySource(products, source), path, decode_photo=decode_photo)
    except SourceError as error:  # the shop was empty and still is
        raise PhotoError(error.message, remedy=error.remedy) from None
    if rejected := summary.rejected:
        reason, count = rejected.most_common(1)[0]
        raise PhotoError(
            f"{count} of {len(products)} photos were rejected: {reason}.",
            remedy="Send a JPEG, PNG or WebP that the shop does not have under another id.",
            reason=reason if reason in PHOTO_REASONS else "unreadable",
        )
    return {"added": summary.added, "changed": summary.changed, "unchanged": summary.unchanged}


def remove_products(path: str | Path, ids: Sequence[str]) -> int:
    """Remove products from the shop at `path`, and return how many are left.

    The encodings, clusters and map are stale until `refresh_shop` has run.

    Raises:
        UnknownProduct: the shop has no product with one of the ids; nothing was removed.
        BadOption: no product would be left.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="catalogue") as shop:
        for each in ids:
            shop.catalogue.row(each)
        if len(set(ids)) == len(shop.catalogue):
            raise BadOption("A shop without products cannot be served.", remedy="Keep at least one product.")
        if shop.manifest.model is not None:
            shop.store.remember_photos(shop.manifest.model)
        shop.store.delete(list(ids))
        return _update_counts(shop)


def _update_counts(shop: Shop) -> int:
    """Record the products in the manifest, inside `open_for_writing`, and return their number."""
    summary = catalogue_summary(shop.store)
    shop.manifest.with_changes(catalogue=shop.manifest.catalogue | summary).save(shop.files.root)
    return int(summary["count"])


def use_model(path: str | Path, model_id: str) -> ModelConfig:
    """Use another model that was trained for the shop at `path`; `refresh_shop` then rebuilds the stages after it.

    Raises:
        BadOption: the shop has no such model.
        SchemaError: the model's files are damaged.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="catalogue") as shop:
        models = model_ids(shop.files)
        if model_id not in models:
            raise BadOption(
                f"The shop has no model {model_id[:80]!r}.", remedy=f"Use one of {', '.join(models) or 'none'}."
            )
        config = ModelConfig.load(shop.files.model(model_id))
        encodings = {"model": model_id, "catalogue_hash": shop.store.hash(), "count": len(shop.catalogue)}
        try:
            is_encoded = shop.store.read_encodings(model_id).catalogue_hash == encodings["catalogue_hash"]
        except ShopError:
            is_encoded = False
        training = {"preset": config.preset, "latent": config.latent}
        changes: dict[str, Any] = {
            "model": model_id,
            "training": training,
            "encodings": encodings if is_encoded else {},
        }
        shop.manifest.with_changes(**changes).save(shop.files.root)
    return config


def model_ids(files: ShopPaths) -> list[str]:
    """Return the ids of a shop's complete models."""
    ids: list[str] = []
    for folder in sorted(files.models.glob("*")) if files.models.is_dir() else []:
        with suppress(ShopError):
            if (folder / "config.json").is_file() and ModelConfig.load(folder).model_id == folder.name:
                ids.append(folder.name)
    return ids


def refresh_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> list[Step]:
    """Refresh the stages of the shop at `path` after its products or its model have changed.

    `update_shop` updates encodings, clusters, index and map for the changed products. A stage that cannot be updated is
    built from all products, clusters with the same options as before; so are clusters and map after more than
    REBUILD_SHARE of the products have changed. Sliders are built only if there are none. If the call is killed, the
    next one continues.

    Returns:
        The steps that ran.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    steps: list[Step] = []
    while (step := next_step(path)) is not None:
        run_step(path, step, threads=threads, on_progress=on_progress)
        steps.append(step)
    return steps


def next_step(path: str | Path) -> Step | None:
    """Return the next step that refreshes the shop at `path`; None if it is current.

    Raises ShopNotFound, ShopIncomplete or SchemaError without a shop or a model.
    """
    return pending_step(Shop.open(path, need="model"))


def pending_step(shop: Shop) -> Step | None:
    """Return the next step for an open shop, without reading its loaded parts again."""
    if shop.store.is_earlier or not shop.store.has_snapshot or shop.manifest.catalogue.get("hash") != shop.store.hash():
        return "update"
    for stage in DERIVED_STAGES:
        try:
            getattr(shop, stage)
        except ShopError:
            return stage
    max_changed = REBUILD_SHARE * len(shop.catalogue)
    if clusters_changed(shop) > max_changed:
        return "clusters"
    return "map" if shop.map.changed > max_changed else None


def run_step(path: str | Path, step: Step, *, threads: int = 1, on_progress: Progress | None = None) -> None:
    """Run a step, clusters with the same options as before. Raises what the stage raises."""
    options = read_manifest(path).clusters
    k = None if options.get("method") == "category" else options.get("k")

    def encode() -> None:
        if update_shop(path, threads=threads, on_progress=on_progress):
            with suppress(ShopError):  # the stored encodings or their index may be damaged
                Shop.open(path, need="encodings")
                return
        encode_shop(path, threads=threads, on_progress=on_progress)

    steps: dict[Step, Callable[[], Any]] = {
        "update": lambda: update_shop(path, threads=threads, on_progress=on_progress),
        "encodings": encode,
        "clusters": lambda: cluster_shop(path, k=k, features=options.get("on", "code"), method=options.get("method")),
        "sliders": lambda: make_sliders(path, threads=threads, on_progress=on_progress),
        "map": lambda: make_map(path, on_progress=on_progress),
    }
    steps[step]()
