"""The description of a shop that `modiste info` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modiste.errors import ShopError
from modiste.shop.loading import STAGES
from modiste.shop.shop import Shop


def describe_shop(path: str | Path) -> dict[str, Any]:
    """Return counts, names and, for each stage, "ready" or its error with the remedy.

    Raises ShopNotFound, ShopIncomplete or SchemaError if the shop cannot be opened at all.
    """
    shop = Shop.open(path, need="catalogue")
    stages: dict[str, str] = {}
    for stage in STAGES:
        try:
            getattr(shop, stage)
        except ShopError as error:
            stages[stage] = str(error)
        else:
            stages[stage] = "ready"
    info: dict[str, Any] = {
        "products": len(shop.catalogue),
        "categories": shop.catalogue.counts(),
        "size": f"{shop.frame[1]}x{shop.frame[0]}",
        "background": shop.manifest.background,
        "source": shop.manifest.catalogue.get("source"),
        "stages": stages,
    }
    if stages["model"] == "ready":
        has_changed = shop.model.catalogue_hash != shop.store.hash()
        info["model"] = {"id": shop.model.model_id, "preset": shop.model.preset, "latent": shop.model.latent}
        info["model"]["trained_on"] = "an earlier catalogue" if has_changed else "this catalogue"
    if stages["clusters"] == "ready":
        info["clusters"] = {
            f"{number} {label}": int((shop.assignments == number).sum())
            for number, label in enumerate(shop.clusters.labels)
        }
    return info
