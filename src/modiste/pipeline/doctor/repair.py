"""Mending a shop: what is derived is made again, what was left unfinished goes; the truth is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modiste.errors import ShopError, ShopIncomplete, StaleError
from modiste.pipeline.doctor.check import check_shop, find_leftovers
from modiste.pipeline.doctor.faults import Fault
from modiste.pipeline.index import index_shop
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.pipeline.update import Step, next_step, run_step
from modiste.progress import Progress
from modiste.shop.shop import Shop
from modiste.storage.atomic import remove_path
from modiste.storage.location import (
    parse_location,
    read_manifest,
    read_path,
    write_path,
)
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ObjectStore
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore


def check_and_repair(
    path: str | Path, *, repair: bool = False, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Read everything in the shop at `path` and say what is wrong; with `repair`, mend what is safe and look again.

    Repair removes what killed processes have left, compacts the products' table, and makes again what is derived:
    snapshot, index, map, and sliders where there are none. What was made of products or with a model that are no longer
    those of the shop is made anew, clusters as they were asked for: a change that was broken off ends so. Products and
    models are never changed, nor encodings, clusters and sliders that are damaged or were edited by hand.

    Returns:
        {"shop", "bytes", "freed": bytes that repair gave back, "faults": [{"part", "where", "says", "remedy",
        "broken", "mended"}], "sound": whether nothing broken is left}

    Raises:
        ShopNotFound: there is no shop.
        ShopBusy: repair was asked for, and another process is writing to the shop.
        StorageError: the disk refused.
    """
    place = parse_location(path)
    first = left = check_shop(read_path(place, include_training=True), on_progress)
    before = after = _total_bytes(place)
    if repair:
        _repair(place, first, on_progress)
        left, after = check_shop(read_path(place, include_training=True), on_progress), _total_bytes(place)
    kept = {(fault.part, fault.where) for fault in left}
    mended = [fault for fault in first if (fault.part, fault.where) not in kept]
    faults = [asdict(fault) | {"mended": False} for fault in left]
    faults += [asdict(fault) | {"mended": True} for fault in mended]
    sound = not any(fault.broken for fault in left)
    return {
        "shop": str(place),
        "bytes": after,
        "freed": max(0, before - after),
        "faults": faults,
        "sound": sound,
    }


def _repair(place: Path | str, faults: Sequence[Fault], on_progress: Progress | None) -> None:
    parts = {fault.part for fault in faults}
    with write_path(place, create=True) as root:  # also where shop.json cannot be read
        files = ShopPaths(root)
        for path in find_leftovers(files):
            remove_path(path)
        if parts & {"shop", "products"}:
            return  # what is derived from damaged products would be damaged as well
        store = ProductStore.open(files.store)
        store.compact()
        store.save_snapshot()
        model_id = Manifest.load(root).model
        unnamed = model_id is not None and not files.sliders(model_id).exists()
    if "model" not in parts:
        _rebuild_outdated(place, on_progress)
    if "sliders" in parts and unnamed:
        make_sliders(place, on_progress=on_progress)
    if "map" in parts:
        make_map(place, on_progress=on_progress)
    if "index" in parts:
        index_shop(place)


def _rebuild_outdated(place: Path | str, on_progress: Progress | None) -> None:
    """Make anew, one after the other, the stages that something has changed under; before one that is damaged, stop."""
    with suppress(ShopError):  # what it is, the second look says
        while (step := next_step(place)) is not None and _is_outdated(place, step):
            run_step(place, step, on_progress=on_progress)


def _is_outdated(place: Path | str, step: Step) -> bool:
    """Whether a stage is of other products or another model, or there is none yet in a shop that was once whole."""
    if step == "update":
        return True
    try:
        Shop.open(place, need=step)
    except StaleError:
        return True
    except ShopIncomplete:
        return bool(read_manifest(place).clusters)
    except ShopError:
        return False
    return True  # it fits, and so many products have changed that it is built again


def _total_bytes(place: Path | str) -> int:
    if isinstance(place, str):
        return sum(each.size for each in ObjectStore(place).list())
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
