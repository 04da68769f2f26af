"""Mending a shop: what is derived is made again, what was left unfinished goes; the truth is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modiste.shop.examining import examine_shop, leftovers
from modiste.shop.faults import Fault
from modiste.shop.files import ShopFiles, remove
from modiste.shop.indexing import index_shop
from modiste.shop.manifest import Manifest
from modiste.shop.places import place_of, to_read, to_write
from modiste.shop.progress import Progress
from modiste.shop.sliding import make_map, make_sliders
from modiste.store.objects import Objects
from modiste.store.products import ProductStore


def look_over(
    path: str | Path, *, repair: bool = False, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Read everything in the shop at `path` and say what is wrong; with `repair`, mend what is safe and look again.

    Repair removes what killed processes have left, compacts the products' table, and makes again what is derived:
    snapshot, index, map, and sliders where there are none. A graph that does not fit is removed, since building one
    takes long. Products, encodings, models, clusters and sliders edited by hand are never changed.

    Returns:
        {"shop", "bytes", "freed": bytes that repair gave back, "faults": [{"part", "where", "says", "remedy",
        "broken", "mended"}], "sound": whether nothing broken is left}

    Raises:
        ShopNotFound: there is no shop.
        ShopBusy: repair was asked for, and another process is writing to the shop.
        StorageError: the disk refused.
    """
    place = place_of(path)
    first = left = examine_shop(to_read(place, whole=True), on_progress)
    before = after = _size(place)
    if repair:
        _mend(place, first, on_progress)
        left, after = examine_shop(to_read(place, whole=True), on_progress), _size(place)
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


def _mend(place: Path | str, faults: Sequence[Fault], on_progress: Progress | None) -> None:
    parts = {fault.part for fault in faults}
    with to_write(place, anew=True) as root:  # also where shop.json cannot be read
        files = ShopFiles(root)
        for path in leftovers(files):
            remove(path)
        if parts & {"shop", "products"}:
            return  # what is derived from damaged products would be damaged as well
        store = ProductStore.open(files.store)
        store.compact()
        store.keep_snapshot()
        model_id = Manifest.load(root).model
        if "graph" in parts and model_id is not None:
            remove(files.graph(model_id))
        unnamed = model_id is not None and not files.sliders(model_id).exists()
    if "sliders" in parts and unnamed:
        make_sliders(place, on_progress=on_progress)
    if "map" in parts:
        make_map(place, on_progress=on_progress)
    if "index" in parts:
        index_shop(place)


def _size(place: Path | str) -> int:
    if isinstance(place, str):
        return sum(each.bytes for each in Objects(place).list())
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
