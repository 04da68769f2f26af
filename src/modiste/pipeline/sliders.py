"""The sliders stage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError
from modiste.images.measurements import measures
from modiste.latent.attribute_directions import attribute_directions
from modiste.latent.slider_checks import (
    LATE,
    ROUNDS,
    SHOWN,
    Judge,
    probe,
)
from modiste.latent.slider_names import name_latents
from modiste.latent.sliders import Sliders, ranges_id
from modiste.pipeline.write_session import opened_for_writing
from modiste.progress import Progress, tell
from modiste.search.index import LatentIndex
from modiste.shop.sampling import photos_of, sample_rows
from modiste.shop.shop import Shop
from modiste.storage.atomic import write_whole
from modiste.storage.json_files import write_json

MEASURED = 2000  # photos: enough for a regression on some 16 numbers
BATCH = 64
# When a product came is nothing that a picture shows; hue goes round and does not grow along a line.
UNSEEN = ("year", "season", "month", "date", "hue")
NEAR = 8  # products near a design that say what kind of thing it is


def make_sliders(
    path: str | Path, *, seed: int = 0, threads: int = 1, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Name the sliders of the encoded shop at `path` and write `sliders.json`.

    A file that was edited by hand is first copied to `sliders.json.bak`.

    Returns:
        {"model", "frames", "file", "copy": where the edited file was copied, or None}

    Raises:
        ShopIncomplete, StaleError: there are no encodings, or they are not of the catalogue as it is.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the sliders before are kept.
    """
    with opened_for_writing(path, need="encodings", threads=threads) as shop:
        model_id, held = shop.model.model_id, shop.encodings
        file = shop.files.sliders(model_id)
        first, copy = _before(file, model_id)
        rows = sample_rows(len(shop.catalogue), MEASURED, seed).tolist()
        total = shop.model.latent + len(rows) // BATCH + ROUNDS + 2

        def told(before: int) -> Callable[[int], None]:
            return lambda done: tell(on_progress, "sliders", before + done, total)

        tell(on_progress, "sliders", 0, total)
        index = LatentIndex(shop.catalogue.ids, held.mean, held.std, held.code)
        near = min(NEAR, len(index))

        def nearest(codes: NDArray[np.float32]) -> NDArray[np.intp]:
            return index.nearest(codes, near, "fixed-epsilon")[0]

        attributes = attributes_of(shop)
        latents = name_latents(
            shop.engine.decode,
            held.mean,
            held.std,
            kinds={name: values for name, values in attributes.items() if _is_kind(name, values)},
            nearest=nearest,
            seed=seed,
            on_latent=told(0),
        )
        known = {name: values for name, values in attributes.items() if name not in UNSEEN}
        known |= _measured(shop, rows, told(shop.model.latent))
        slopes = probe(shop.engine.decode, held.mean, seed=seed, on_round=told(total - ROUNDS - 1))
        judge = Judge(shop.engine.decode, nearest, held.mean, held.code, known, slopes, seed=seed + 1)
        made = Sliders(
            model_id,
            latents,
            attribute_directions(held.code, known, measured=slopes, late=LATE, worst=judge.worst),
        )
        made = replace(made, ranges_id=first or ranges_id(made.ranges))
        written = made.to_dict()
        write_json(file, {"as_made": _digest(written)} | written)
        tell(on_progress, "sliders", total, total)
    return {
        "model": model_id,
        "frames": made.frames,
        "file": str(file),
        "copy": None if copy is None else str(copy),
    }


def _before(file: Path, model_id: str) -> tuple[str, Path | None]:
    """The ranges first measured for the model, where they are known; and the copy of a file edited by hand."""
    if not file.is_file():
        return "", None
    data, copy = file.read_bytes(), None
    first, edited = "", True
    try:
        raw: Any = json.loads(data)
        held = Sliders.from_dict(raw)
        first = held.ranges_id if held.model_id == model_id else ""
        edited = raw.pop("as_made", None) != _digest(raw)
    except (ValueError, SchemaError):
        pass  # edited, and wrongly
    if edited:
        copy = file.with_name(f"{file.name}.bak")
        write_whole(copy, data)
    return first, copy


def _digest(written: dict[str, Any]) -> str:
    """Tells whether a file is as it was made: the hash of all the rest of it."""
    text = json.dumps(written, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def photos_in_rows(shop: Shop, rows: Iterable[int]) -> NDArray[np.uint8]:
    """The photos of the products in some rows, uint8 `(b, H, W, 3)`."""
    return photos_of(shop.store, [shop.catalogue.ids[row] for row in rows])


def _measured(shop: Shop, rows: list[int], on_batch: Callable[[int], None]) -> dict[str, list[float | None]]:
    """What can be measured on the photos in `rows`; None for the other products."""
    found: dict[str, list[float | None]] = {}
    for name in SHOWN:
        found[name] = [None] * len(shop.catalogue)
    for start in range(0, len(rows), BATCH):
        on_batch(start // BATCH + 1)
        part = rows[start : start + BATCH]
        measured = measures(photos_in_rows(shop, part))
        for name, values in found.items():
            for row, value in zip(part, measured[name].tolist(), strict=True):
                values[row] = value
    return found


def attributes_of(shop: Shop) -> dict[str, list[Any]]:
    """The attributes fit to slide along: those fit to filter by."""
    columns = shop.catalogue.columns
    found: dict[str, list[Any]] = {}
    for facet in columns.facets({}):
        column = columns.by_name[facet.name]
        if facet.kind == "number":
            found[facet.name] = [None if np.isnan(value) else value for value in column.data.tolist()]
        else:
            found[facet.name] = [
                column.words[place] if place >= 0 else None for place in column.data.tolist()
            ]
    return found


def _is_kind(name: str, values: list[Any]) -> bool:
    """Whether an attribute says what kind of thing a product is: words, and not of its colour, which is measured."""
    return "colo" not in name.lower() and any(isinstance(value, str) for value in values)
