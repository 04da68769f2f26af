"""Independence of a shop's sliders, from each other and from all attributes except their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from modiste.errors import ShopError
from modiste.evaluate.bootstrap import Tree
from modiste.evaluate.disentanglement import disentanglement_scores, pairwise_information, total_correlation
from modiste.images.measurements import MEASUREMENT_NAMES, measure_photos
from modiste.latent.sliders import AttributeSlider
from modiste.pipeline.sliders import INVISIBLE_ATTRIBUTES, slider_attributes
from modiste.shop.sampling import load_photos, sample_rows
from modiste.shop.shop import Shop

MAX_PRODUCTS = 3000  # products in the sample
BATCH_PHOTOS = 64
ACTIVE_NATS = 0.1  # a latent with more is active


def slider_independence(shop: Shop, seed: int = 0) -> Tree:
    """Measure the information that latents share, and the disentanglement of latents and attribute directions.

    Returns:
        `total_correlation` and `pairwise_information` of the products' means, in nats; `active`, the number of latents
        with more than 0.1 nats; `disentanglement.<latents|directions>.{dci_disentanglement, dci_completeness, mig,
        sap}`. The factors of the latents are the catalogue's attributes, and those of the directions are what the
        attribute sliders change. A part is None if there are fewer than two factors.
    """
    mean = shop.encodings.mean
    rows = sample_rows(len(mean), MAX_PRODUCTS, seed)
    known = {
        name: [values[row] for row in rows]
        for name, values in slider_attributes(shop).items()
        if name not in INVISIBLE_ATTRIBUTES and _varies([values[row] for row in rows])
    }
    codes = mean[rows]
    return {
        "total_correlation": total_correlation(codes),
        "pairwise_information": pairwise_information(codes),
        "active": sum(value > ACTIVE_NATS for value in shop.model.kl_per_latent),
        "disentanglement": {
            "latents": disentanglement_scores(codes, known, seed) if len(known) > 1 else None,
            "directions": _direction_scores(shop, codes, rows, known, seed),
        },
    }


def _direction_scores(
    shop: Shop, codes: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], known: dict[str, list[Any]], seed: int
) -> dict[str, float] | None:
    try:
        sliders = shop.sliders.attributes
    except ShopError:
        return None
    shown = _photo_measurements(shop, rows) if any(each.attribute in MEASUREMENT_NAMES for each in sliders) else {}
    targets: dict[str, list[Any]] = {}
    axes: list[tuple[float, ...]] = []
    for each in sliders:
        values = _target_values(each, shown if each.attribute in shown else known)
        if values is not None:
            targets[each.name] = values
            axes.append(each.direction)
    if len(axes) < 2:
        return None
    return disentanglement_scores(codes.astype(np.float64) @ np.array(axes).T, targets, seed)


def _target_values(slider: AttributeSlider, known: dict[str, list[Any]]) -> list[Any] | None:
    """Return what a slider changes, for each product: the number, or whether the attribute has the slider's value."""
    values = known.get(slider.attribute)
    if values is None or slider.value is None:
        return values
    return [None if value is None else str(value) == slider.value for value in values]


def _photo_measurements(shop: Shop, rows: np.ndarray[Any, Any]) -> dict[str, list[Any]]:
    """Return all measurements of the photos of the products in `rows`."""
    parts = [
        measure_photos(load_photos(shop.store, [shop.catalogue.ids[row] for row in rows[start : start + BATCH_PHOTOS]]))
        for start in range(0, len(rows), BATCH_PHOTOS)
    ]
    return {name: np.concatenate([part[name] for part in parts]).tolist() for name in MEASUREMENT_NAMES}


def _varies(values: list[Any]) -> bool:
    return len({value for value in values if value is not None}) > 1
