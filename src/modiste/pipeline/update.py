"""Changing a shop that is built: products come, change and go, another model is used, and what follows is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modiste.errors import (
    BadOption,
    PhotoError,
    ShopError,
    SourceError,
)
from modiste.images.photo import Photo, read_photo
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.shop.loading import Stage
from modiste.shop.shop import Shop
from modiste.sources.record import Record, Rejection
from modiste.storage.location import read_manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import catalogue_summary
from modiste.vae.config import ModelConfig

DERIVED_STAGES: tuple[Stage, ...] = (
    "encodings",
    "clusters",
    "sliders",
    "map",
)  # in this order, after the count of products


@dataclass(frozen=True)
class InMemorySource:
    """A source of products that are at hand."""

    products: Sequence[Record]
    name: str = "given"

    def count(self) -> int:
        """How many."""
        return len(self.products)

    def records(self) -> Iterator[Record | Rejection]:
        """The products."""
        yield from self.products


def put_products(
    path: str | Path, products: Sequence[Record], *, decode_photo: Callable[[bytes], Photo] = read_photo
) -> dict[str, int]:
    """Bring products into the shop at `path`, new or in the place of those with the same ids, for good.

    What was made of the catalogue does not fit it then, until `refresh_shop` has run. `read` makes pixels of a photo's
    bytes.

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


def refresh_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> list[Stage]:
    """Make anew what does not fit the shop at `path` any more: encodings, clusters as they were asked for, sliders,
    map. Killed, the same call goes on where it stopped.

    Returns:
        The stages that ran.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    done: list[Stage] = []
    while (stage := stale_stage(path)) is not None:
        rebuild_stage(path, stage, threads=threads, on_progress=on_progress)
        done.append(stage)
    return done


def stale_stage(path: str | Path) -> Stage | None:
    """The first stage that is missing or does not fit; None where all is well. The model is never at fault.

    Raises ShopNotFound, ShopIncomplete, SchemaError where there is no shop, or no model.
    """
    shop = Shop.open(path, need="model")
    if shop.manifest.catalogue.get("hash") != shop.store.hash():
        return "catalogue"
    for stage in DERIVED_STAGES:
        try:
            Shop.open(path, need=stage)
        except ShopError:
            return stage
    return None


def rebuild_stage(
    path: str | Path, stage: Stage, *, threads: int = 1, on_progress: Progress | None = None
) -> None:
    """Make a stage anew that `stale_stage` named; clusters as they were asked for. Raises what that stage raises."""
    asked = read_manifest(path).clusters
    k = None if asked.get("method") == "category" else asked.get("k")
    makers: dict[Stage, Callable[[], Any]] = {
        "catalogue": lambda: _recount_products(path),
        "encodings": lambda: encode_shop(path, threads=threads, on_progress=on_progress),
        "clusters": lambda: cluster_shop(
            path, k=k, features=asked.get("on", "code"), method=asked.get("method")
        ),
        "sliders": lambda: make_sliders(path, threads=threads, on_progress=on_progress),
        "map": lambda: make_map(path, on_progress=on_progress),
    }
    makers[stage]()


def _recount_products(path: str | Path) -> None:
    """What was killed between the store and the manifest left the second behind."""
    with open_for_writing(path, need="catalogue") as shop:
        _update_counts(shop)
