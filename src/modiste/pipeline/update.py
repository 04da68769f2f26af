"""Change a shop that is built: put and remove products, use another model, and bring up to date what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from modiste.errors import (
    BadOption,
    PhotoError,
    ShopError,
    SourceError,
)
from modiste.images.photo import Photo, read_photo
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.incremental import REBUILD_SHARE, clusters_changed, update_shop
from modiste.pipeline.ingest import InMemorySource, ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.shop.loading import Stage
from modiste.shop.shop import Shop
from modiste.sources.record import Record
from modiste.storage.location import read_manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import catalogue_summary
from modiste.vae.config import ModelConfig

DERIVED_STAGES: tuple[Stage, ...] = ("encodings", "clusters", "sliders", "map")
Step = Literal["update", Stage]
"""What brings a shop up to date: an incremental update, or a stage that is built from all products."""


def put_products(
    path: str | Path, products: Sequence[Record], *, decode_photo: Callable[[bytes], Photo] = read_photo
) -> dict[str, int]:
    """Bring products into the shop at `path`, new or in the place of those with the same ids, for good.

    What was made of the catalogue does not fit it then, until `refresh_shop` or `update_shop` has run. `read` makes
    pixels of a photo's bytes.

    Returns:
        {"added", "changed", "unchanged"}.

    Raises:
        PhotoError: a photo is refused; those of the other products came in.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    source = read_manifest(path).catalogue.get("source", "given")
    try:
        summary = ingest(InMemorySource(products, source), path, decode_photo=decode_photo)
    except SourceError as error:  # the shop had no product before, and has none now
        raise PhotoError(error.message, remedy=error.remedy) from None
    if refused := summary.rejected:
        reason, count = refused.most_common(1)[0]
        raise PhotoError(
            f"{count} of {len(products)} photos were refused: {reason}.",
            remedy="Send a JPEG, PNG or WebP that the shop does not have under another id.",
            reason=reason,
        )
    return {"added": summary.added, "changed": summary.changed, "unchanged": summary.unchanged}


def remove_products(path: str | Path, ids: Sequence[str]) -> int:
    """Take products out of the shop at `path`, for good; returns how many are left.

    What was made of the catalogue does not fit it then, until `refresh_shop` has run.

    Raises:
        UnknownProduct: the shop has no product of an id; nothing was taken out.
        BadOption: none would be left.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="catalogue") as shop:
        for each in ids:
            shop.catalogue.row(each)
        if len(set(ids)) == len(shop.catalogue):
            raise BadOption("A shop without products cannot be served.", remedy="Keep one at least.")
        if shop.manifest.model is not None:
            shop.store.remember_photos(shop.manifest.model)
        shop.store.delete(list(ids))
        return _update_counts(shop)


def _update_counts(shop: Shop) -> int:
    """Let the manifest say what is in the store now, inside `writing`; returns how many products."""
    found = catalogue_summary(shop.store)
    shop.manifest.with_changes(catalogue=shop.manifest.catalogue | found).save(shop.files.root)
    return int(found["count"])


def use_model(path: str | Path, model_id: str) -> ModelConfig:
    """Make a model that was trained for the shop at `path` the one in use; `refresh_shop` makes what follows from it.

    Raises:
        BadOption: the shop has no such model.
        SchemaError: its files are damaged.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="catalogue") as shop:
        known = model_ids(shop.files)
        if model_id not in known:
            raise BadOption(
                f"The shop has no model {model_id[:80]!r}.",
                remedy=f"Use one of {', '.join(known) or 'none'}.",
            )
        config = ModelConfig.load(shop.files.model(model_id))
        encoded = {"model": model_id, "catalogue_hash": shop.store.hash(), "count": len(shop.catalogue)}
        try:
            fits = shop.store.read_encodings(model_id).catalogue_hash == encoded["catalogue_hash"]
        except ShopError:
            fits = False
        training = {"preset": config.preset, "latent": config.latent}
        changes: dict[str, Any] = {
            "model": model_id,
            "training": training,
            "encodings": encoded if fits else {},
        }
        shop.manifest.with_changes(**changes).save(shop.files.root)
    return config


def model_ids(files: ShopPaths) -> list[str]:
    """The ids of the models that a shop has, whole ones."""
    found: list[str] = []
    for folder in sorted(files.models.glob("*")) if files.models.is_dir() else []:
        with suppress(ShopError):
            if (folder / "config.json").is_file() and ModelConfig.load(folder).model_id == folder.name:
                found.append(folder.name)
    return found


def refresh_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> list[Step]:
    """Bring the shop at `path` up to date with its products and its model. Killed, the same call continues.

    Products that have changed are carried through encodings, clusters, index and map by `update_shop`. A stage that
    cannot be carried over is built from all products, clusters as they were asked for; so are clusters and map after
    more than REBUILD_SHARE of the products have changed. Sliders are built only where there are none.

    Returns:
        The steps that ran.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    done: list[Step] = []
    while (step := next_step(path)) is not None:
        run_step(path, step, threads=threads, on_progress=on_progress)
        done.append(step)
    return done


def next_step(path: str | Path) -> Step | None:
    """Return what brings the shop at `path` up to date next; None if it is. The model is never at fault.

    Raises ShopNotFound, ShopIncomplete, SchemaError where there is no shop, or no model.
    """
    return pending_step(Shop.open(path, need="model"))


def pending_step(shop: Shop) -> Step | None:
    """Return the same for an open shop, of which what is loaded already is not read again."""
    if (
        shop.store.is_earlier
        or not shop.store.has_snapshot
        or shop.manifest.catalogue.get("hash") != shop.store.hash()
    ):
        return "update"
    for stage in DERIVED_STAGES:
        try:
            getattr(shop, stage)
        except ShopError:
            return stage
    most = REBUILD_SHARE * len(shop.catalogue)
    if clusters_changed(shop) > most:
        return "clusters"
    return "map" if shop.map.changed > most else None


def run_step(path: str | Path, step: Step, *, threads: int = 1, on_progress: Progress | None = None) -> None:
    """Do what `next_step` returned; clusters as they were asked for. Raises what that stage raises."""
    asked = read_manifest(path).clusters
    k = None if asked.get("method") == "category" else asked.get("k")

    def encode() -> None:
        if update_shop(path, threads=threads, on_progress=on_progress):
            with suppress(ShopError):  # what is stored may be damaged, or the index of it
                Shop.open(path, need="encodings")
                return
        encode_shop(path, threads=threads, on_progress=on_progress)

    steps: dict[Step, Callable[[], Any]] = {
        "update": lambda: update_shop(path, threads=threads, on_progress=on_progress),
        "encodings": encode,
        "clusters": lambda: cluster_shop(
            path, k=k, features=asked.get("on", "code"), method=asked.get("method")
        ),
        "sliders": lambda: make_sliders(path, threads=threads, on_progress=on_progress),
        "map": lambda: make_map(path, on_progress=on_progress),
    }
    steps[step]()
