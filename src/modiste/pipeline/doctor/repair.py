"""The repair of a shop: rebuilds derived parts and removes unfinished files. Products and models are never changed."""

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
from modiste.pipeline.product_changes import Step, next_step, run_step
from modiste.pipeline.sliders import make_sliders
from modiste.progress import Progress
from modiste.shop.shop import Shop
from modiste.storage.atomic import remove_path
from modiste.storage.location import parse_location, read_manifest, read_path, write_path
from modiste.storage.manifest import Manifest
from modiste.storage.object_store import ObjectStore
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore


def check_and_repair(path: str | Path, *, repair: bool = False, on_progress: Progress | None = None) -> dict[str, Any]:
    """Check every part of the shop at `path`; with `repair`, repair what is safe and check again.

    Repair removes the unfinished files of killed processes, compacts the products' table, and rebuilds the snapshot,
    the index, the map, and missing sliders. It also rebuilds stages that were made from other products or with another
    model, with the same clustering options, which completes an interrupted change. It never changes products, models,
    or damaged or edited encodings, clusters and sliders.

    Returns:
        {"shop", "bytes", "freed": bytes freed by the repair, "faults": [{"part", "where", "message", "remedy",
        "broken", "repaired"}], "intact": whether nothing broken is left}

    Raises:
        ShopNotFound: there is no shop.
        ShopBusy: another process is writing to the shop, with `repair`.
        StorageError: the disk failed.
    """
    location = parse_location(path)
    before_faults = faults_left = check_shop(read_path(location, include_training=True), on_progress)
    bytes_before = bytes_after = _total_bytes(location)
    if repair:
        _repair(location, before_faults, on_progress)
        faults_left = check_shop(read_path(location, include_training=True), on_progress)
        bytes_after = _total_bytes(location)
    left = {(fault.part, fault.where) for fault in faults_left}
    repaired = [fault for fault in before_faults if (fault.part, fault.where) not in left]
    faults = [asdict(fault) | {"repaired": False} for fault in faults_left]
    faults += [asdict(fault) | {"repaired": True} for fault in repaired]
    return {
        "shop": str(location),
        "bytes": bytes_after,
        "freed": max(0, bytes_before - bytes_after),
        "faults": faults,
        "intact": not any(fault.broken for fault in faults_left),
    }


def _repair(location: Path | str, faults: Sequence[Fault], on_progress: Progress | None) -> None:
    parts = {fault.part for fault in faults}
    with write_path(location, create=True) as root:  # works without a readable shop.json
        files = ShopPaths(root)
        for path in find_leftovers(files):
            remove_path(path)
        if parts & {"shop", "products"}:
            return  # parts derived from damaged products would be damaged too
        store = ProductStore.open(files.store)
        store.compact()
        store.save_snapshot()
        model_id = Manifest.load(root).model
        has_no_sliders = model_id is not None and not files.sliders(model_id).exists()
    if "model" not in parts:
        _rebuild_outdated(location, on_progress)
    if "sliders" in parts and has_no_sliders:
        make_sliders(location, on_progress=on_progress)
    if "map" in parts:
        make_map(location, on_progress=on_progress)
    if "index" in parts:
        index_shop(location)


def _rebuild_outdated(location: Path | str, on_progress: Progress | None) -> None:
    """Rebuild outdated stages in order; stop at one that is damaged."""
    with suppress(ShopError):  # the second check reports it
        while (step := next_step(location)) is not None and _is_outdated(location, step):
            run_step(location, step, on_progress=on_progress)


def _is_outdated(location: Path | str, step: Step) -> bool:
    """Return whether a stage is of other products or another model, or is missing in a shop that was complete."""
    if step == "update":
        return True
    try:
        Shop.open(location, need=step)
    except StaleError:
        return True
    except ShopIncomplete:
        return bool(read_manifest(location).clusters)
    except ShopError:
        return False
    return True  # it is current, but so many products have changed that it is rebuilt


def _total_bytes(location: Path | str) -> int:
    if isinstance(location, str):
        return sum(each.size for each in ObjectStore(location).list())
    return sum(path.stat().st_size for path in location.rglob("*") if path.is_file())
