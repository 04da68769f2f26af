"""What a shop holds and which of its stages can be used, for people and for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modiste.errors import ShopError
from modiste.shop.loading import STAGES
from modiste.shop.shop import Shop


def describe_shop(path: str | Path) -> dict[str, Any]:
    """Counts, names and, for each stage, "ready" or what is wrong with its remedy.

    Raises:
        ShopNotFound, ShopIncomplete, SchemaError: the shop cannot be opened at all.
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
    held: dict[str, Any] = {
        "products": len(shop.catalogue),
        "categories": shop.catalogue.counts(),
        "size": f"{shop.frame[1]}x{shop.frame[0]}",
        "background": shop.manifest.background,
        "source": shop.manifest.catalogue.get("source"),
        "stages": stages,
    }
    if stages["model"] == "ready":
        grown = shop.model.catalogue_hash != shop.store.hash()
        held["model"] = {"id": shop.model.model_id, "preset": shop.model.preset, "latent": shop.model.latent}
        held["model"]["trained_on"] = "an earlier catalogue" if grown else "this catalogue"
    if stages["clusters"] == "ready":
        held["clusters"] = {
            f"{number} {label}": int((shop.assignments == number).sum())
            for number, label in enumerate(shop.clusters.labels)
        }
    return held
