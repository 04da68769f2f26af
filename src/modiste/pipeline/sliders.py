"""The sliders stage: names each slider by what it changes, and writes `sliders.json`."""

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

MEASURED_PHOTOS = 2000  # enough for a regression on some 16 numbers
BATCH_PHOTOS = 64
# A photo does not show when a product was added, and hue is an angle, which does not grow along a line.
INVISIBLE_ATTRIBUTES = ("year", "season", "month", "date", "hue")
NEIGHBOURS = 8  # of a design, whose attributes tell its kind


def make_sliders(
    path: str | Path, *, seed: int = 0, threads: int = 1, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Name the sliders of the encoded shop at `path` and write `sliders.json`.

    A file edited by hand is first copied to `sliders.json.bak`.

    Returns:
        {"model", "render_id", "file", "copy": the path of the copy, or None}

    Raises:
        ShopIncomplete, StaleError: there are no encodings, or they are not of the current catalogue.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed; the previous sliders are kept.
    """
    with open_for_writing(path, need="encodings", threads=threads) as shop:
        model_id, encodings = shop.model.model_id, shop.encodings
        file = shop.files.sliders(model_id)
        previous_ranges_id, copy = _previous_sliders(file, model_id)
        rows = sample_rows(len(shop.catalogue), MEASURED_PHOTOS, seed).tolist()
        total = shop.model.latent + len(rows) // BATCH_PHOTOS + PROBE_ROUNDS + 2

        def report_after(before: int) -> Callable[[int], None]:
            return lambda done: report(on_progress, "sliders", before + done, total)

        report(on_progress, "sliders", 0, total)
        index = LatentIndex(shop.catalogue.ids, encodings.mean, encodings.std, encodings.code)
        k = min(NEIGHBOURS, len(index))

        def nearest(codes: NDArray[np.float32]) -> NDArray[np.intp]:
            return index.nearest(codes, k, "fixed-epsilon")[0]

        attributes = slider_attributes(shop)
        latents = name_latents(
            shop.onnx_model.decode,
            encodings.mean,
            encodings.std,
            kinds={name: values for name, values in attributes.items() if _is_product_kind(name, values)},
            nearest=nearest,
            seed=seed,
            on_latent=report_after(0),
        )
        targets = {name: values for name, values in attributes.items() if name not in INVISIBLE_ATTRIBUTES}
        targets |= _measure_photos(shop, rows, report_after(shop.model.latent))
        slopes = measure_slopes(
            shop.onnx_model.decode, encodings.mean, seed=seed, on_round=report_after(total - PROBE_ROUNDS - 1)
        )
        check = DirectionCheck(
            shop.onnx_model.decode, nearest, encodings.mean, encodings.code, targets, slopes, seed=seed + 1
        )
        directions = attribute_directions(
            encodings.code, targets, slopes=slopes, low_priority=LOW_PRIORITY_SLIDERS, find_worst=check.find_worst
        )
        sliders = Sliders(model_id, latents, directions)
        sliders = replace(sliders, ranges_id=previous_ranges_id or hash_ranges(sliders.ranges))
        content = sliders.to_dict()
        write_json(file, {"as_made": _content_hash(content)} | content)
        report(on_progress, "sliders", total, total)
    return {
        "model": model_id,
        "render_id": sliders.render_id,
        "file": str(file),
        "copy": None if copy is None else str(copy),
    }


def _previous_sliders(file: Path, model_id: str) -> tuple[str, Path | None]:
    """Return the ranges id of the model's previous sliders, or "", and the copy made of a file edited by hand."""
    if not file.is_file():
        return "", None
    data, copy = file.read_bytes(), None
    ranges_id, is_edited = "", True
    try:
        raw: Any = json.loads(data)
        previous = Sliders.from_dict(raw)
        ranges_id = previous.ranges_id if previous.model_id == model_id else ""
        is_edited = raw.pop("as_made", None) != _content_hash(raw)
    except (ValueError, SchemaError):
        pass  # the edits are invalid
    if is_edited:
        copy = file.with_name(f"{file.name}.bak")
        write_file(copy, data)
    return ranges_id, copy


def _content_hash(content: dict[str, Any]) -> str:
    """Return the hash of a file's content, which shows whether the file was edited."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def photos_in_rows(shop: Shop, rows: Iterable[int]) -> NDArray[np.uint8]:
    """Load the photos of the products in some rows, uint8 `(b, H, W, 3)`."""
    return load_photos(shop.store, [shop.catalogue.ids[row] for row in rows])


def _measure_photos(shop: Shop, rows: list[int], on_batch: Callable[[int], None]) -> dict[str, list[float | None]]:
    """Measure the photos in `rows`; the values of other products are None."""
    values_by_name: dict[str, list[float | None]] = {}
    for name in MEASURED_SLIDERS:
        values_by_name[name] = [None] * len(shop.catalogue)
    for start in range(0, len(rows), BATCH_PHOTOS):
        on_batch(start // BATCH_PHOTOS + 1)
        batch = rows[start : start + BATCH_PHOTOS]
        measurements = measure_photos(photos_in_rows(shop, batch))
        for name, values in values_by_name.items():
            for row, value in zip(batch, measurements[name].tolist(), strict=True):
                values[row] = value
    return values_by_name


def slider_attributes(shop: Shop) -> dict[str, list[Any]]:
    """Return the attributes suitable for sliders, which are those suitable for filters."""
    columns = shop.catalogue.columns
    attributes: dict[str, list[Any]] = {}
    for facet in columns.facets({}):
        column = columns.by_name[facet.name]
        if facet.kind == "number":
            attributes[facet.name] = [None if np.isnan(value) else value for value in column.data.tolist()]
        else:
            attributes[facet.name] = [
                column.words[position] if position >= 0 else None for position in column.data.tolist()
            ]
    return attributes


def _is_product_kind(name: str, values: list[Any]) -> bool:
    """Return whether an attribute names a kind of product: it has words, but not for the colour, which is measured."""
    return "colo" not in name.lower() and any(isinstance(value, str) for value in values)
