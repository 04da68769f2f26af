"""The map's opening product."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modiste.images.measurements import measure_photos
from modiste.pipeline.map import opening_product
from modiste.shop.shop import Shop


def test_opening_product_is_colourful_and_of_the_largest_category(built: Path) -> None:
    shop = Shop.open(built)
    opening_row = shop.catalogue.row(opening_product(shop))
    counts = shop.catalogue.counts()
    largest = max(counts, key=lambda name: counts[name])
    assert shop.catalogue.categories[opening_row] == largest
    rows = [row for row, name in enumerate(shop.catalogue.categories) if name == largest]
    colour = measure_photos(shop.onnx_model.decode(shop.encodings.code[rows]))["saturation"]
    assert colour[rows.index(opening_row)] > np.median(colour)
    assert shop.map.opening_product == shop.catalogue.ids[opening_row]
