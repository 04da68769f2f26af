"""How independent a shop's sliders are: of each other, and of all but the one attribute that they are for."""

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

MAX_PRODUCTS = 3000  # products that it is measured on
BATCH_PHOTOS = 64
ACTIVE_NATS = 0.1  # nats


def slider_independence(shop: Shop, seed: int = 0) -> Tree:
    """What the latents share, and how well they and the attribute directions are told apart by attributes.

    Returns:
        `total_correlation` and `pairwise_information` of the products' means, in nats; `active`, how many latents carry
        more than 0.1 nats; `disentanglement.<latents|directions>.{dci_disentanglement, dci_completeness, mig, sap}`,
        by the catalogue's attributes for the latents, and by what each attribute slider is named for for the
        directions. Without attributes, or sliders, that part is None.
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
    """What a slider is named for, of each product: the attribute's number, or whether it has the value."""
    held = known.get(slider.attribute)
    if held is None or slider.value is None:
        return held
    return [None if value is None else str(value) == slider.value for value in held]


def _photo_measurements(shop: Shop, rows: np.ndarray[Any, Any]) -> dict[str, list[Any]]:
    """Everything that can be measured on the photos of the products in `rows`."""
    parts = [
        measure_photos(load_photos(shop.store, [shop.catalogue.ids[row] for row in rows[start : start + BATCH_PHOTOS]]))
        for start in range(0, len(rows), BATCH_PHOTOS)
    ]
    return {name: np.concatenate([part[name] for part in parts]).tolist() for name in MEASUREMENT_NAMES}


def _varies(values: list[Any]) -> bool:
    return len({value for value in values if value is not None}) > 1
