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
from modiste.images.measurements import measure_photos
from modiste.latent.attribute_directions import attribute_directions
from modiste.latent.slider_checks import (
    LOW_PRIORITY_SLIDERS,
    MEASURED_SLIDERS,
    PROBE_ROUNDS,
    DirectionCheck,
    measure_slopes,
)
from modiste.latent.slider_names import name_latents
from modiste.latent.sliders import Sliders, hash_ranges
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress, report
from modiste.search.index import LatentIndex
from modiste.shop.sampling import load_photos, sample_rows
from modiste.shop.shop import Shop
from modiste.storage.atomic import write_file
from modiste.storage.json_files import write_json

MEASURED_PHOTOS = 2000  # photos: enough for a regression on some 16 numbers
BATCH_PHOTOS = 64
# When a product came is nothing that a picture shows; hue goes round and does not grow along a line.
INVISIBLE_ATTRIBUTES = ("year", "season", "month", "date", "hue")
NEIGHBOURS = 8  # products near a design that say what kind of thing it is


def make_sliders(
    path: str | Path, *, seed: int = 0, threads: int = 1, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Name the sliders of the encoded shop at `path` and write `sliders.json`.

    A file that was edited by hand is first copied to `sliders.json.bak`.

    Returns:
        {"model", "render_id", "file", "copy": where the edited file was copied, or None}

    Raises:
        ShopIncomplete, StaleError: there are no encodings, or they are not of the catalogue as it is.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the sliders before are kept.
    """
    with open_for_writing(path, need="encodings", threads=threads) as shop:
        model_id, held = shop.model.model_id, shop.encodings
        file = shop.files.sliders(model_id)
        first, copy = _previous_sliders(file, model_id)
        rows = sample_rows(len(shop.catalogue), MEASURED_PHOTOS, seed).tolist()
        total = shop.model.latent + len(rows) // BATCH_PHOTOS + PROBE_ROUNDS + 2

        def told(before: int) -> Callable[[int], None]:
            return lambda done: report(on_progress, "sliders", before + done, total)

        report(on_progress, "sliders", 0, total)
        index = LatentIndex(shop.catalogue.ids, held.mean, held.std, held.code)
        near = min(NEIGHBOURS, len(index))

        def nearest(codes: NDArray[np.float32]) -> NDArray[np.intp]:
            return index.nearest(codes, near, "fixed-epsilon")[0]

        attributes = slider_attributes(shop)
        latents = name_latents(
            shop.onnx_model.decode,
            held.mean,
            held.std,
            kinds={name: values for name, values in attributes.items() if _is_product_kind(name, values)},
            nearest=nearest,
            seed=seed,
            on_latent=told(0),
        )
        known = {name: values for name, values in attributes.items() if name not in INVISIBLE_ATTRIBUTES}
        known |= _measure_photos(shop, rows, told(shop.model.latent))
        slopes = measure_slopes(
            shop.onnx_model.decode, held.mean, seed=seed, on_round=told(total - PROBE_ROUNDS - 1)
        )
        judge = DirectionCheck(
            shop.onnx_model.decode, nearest, held.mean, held.code, known, slopes, seed=seed + 1
        )
        made = Sliders(
            model_id,
            latents,
            attribute_directions(
                held.code,
                known,
                slopes=slopes,
                low_priority=LOW_PRIORITY_SLIDERS,
                find_worst=judge.find_worst,
            ),
        )
        made = replace(made, ranges_id=first or hash_ranges(made.ranges))
        written = made.to_dict()
        write_json(file, {"as_made": _content_hash(written)} | written)
        report(on_progress, "sliders", total, total)
    return {
        "model": model_id,
        "render_id": made.render_id,
        "file": str(file),
        "copy": None if copy is None else str(copy),
    }


def _previous_sliders(file: Path, model_id: str) -> tuple[str, Path | None]:
    """The ranges first measured for the model, where they are known; and the copy of a file edited by hand."""
    if not file.is_file():
        return "", None
    data, copy = file.read_bytes(), None
    first, edited = "", True
    try:
        raw: Any = json.loads(data)
        held = Sliders.from_dict(raw)
        first = held.ranges_id if held.model_id == model_id else ""
        edited = raw.pop("as_made", None) != _content_hash(raw)
    except (ValueError, SchemaError):
        pass  # edited, and wrongly
    if edited:
        copy = file.with_name(f"{file.name}.bak")
        write_file(copy, data)
    return first, copy


def _content_hash(content: dict[str, Any]) -> str:
    """Tells whether a file is as it was made: the hash of all the rest of it."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def photos_in_rows(shop: Shop, rows: Iterable[int]) -> NDArray[np.uint8]:
    """The photos of the products in some rows, uint8 `(b, H, W, 3)`."""
    return load_photos(shop.store, [shop.catalogue.ids[row] for row in rows])


def _measure_photos(
    shop: Shop, rows: list[int], on_batch: Callable[[int], None]
) -> dict[str, list[float | None]]:
    """What can be measured on the photos in `rows`; None for the other products."""
    found: dict[str, list[float | None]] = {}
    for name in MEASURED_SLIDERS:
        found[name] = [None] * len(shop.catalogue)
    for start in range(0, len(rows), BATCH_PHOTOS):
        on_batch(start // BATCH_PHOTOS + 1)
        part = rows[start : start + BATCH_PHOTOS]
        measured = measure_photos(photos_in_rows(shop, part))
        for name, values in found.items():
            for row, value in zip(part, measured[name].tolist(), strict=True):
                values[row] = value
    return found


def slider_attributes(shop: Shop) -> dict[str, list[Any]]:
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


def _is_product_kind(name: str, values: list[Any]) -> bool:
    """Whether an attribute says what kind of thing a product is: words, and not of its colour, which is measured."""
    return "colo" not in name.lower() and any(isinstance(value, str) for value in values)
