"""A damaged map raises SchemaError."""

from __future__ import annotations

from typing import Any

import pytest

from modiste.errors import SchemaError
from modiste.shop.catalogue_map import CatalogueMap
from modiste.shop.shop import Shop

DAMAGE: list[dict[str, Any]] = [
    {"schema": 2},
    {"x": [0.5]},
    {"x": [1.5] * 90},
    {"x": [10**400] * 90},
    {"x": [1e300] * 90},
    {"x": [float("nan")] * 90},
    {"background": [255, 255]},
    {"background": [1e300, 0, 0]},
    {"background": [float("inf"), 0, 0]},
    {"background": [0, 0, 256]},
    {"extent": 10**400},
    {"loneliness": [10**400] * 101},
    {"swatches": {"colour": []}},
    {"thresholds": None},
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_map_raises_schema_error(built: Any, damage: dict[str, Any]) -> None:
    good = Shop.open(built, need="map").map.to_dict()
    assert CatalogueMap.from_dict(good).to_dict() == good
    with pytest.raises(SchemaError, match="map is damaged"):
        CatalogueMap.from_dict(good | damage)


@pytest.mark.parametrize("raw", [None, [], "", 3, {}])
def test_json_of_another_shape_raises_schema_error(raw: Any) -> None:
    with pytest.raises(SchemaError, match="map is damaged"):
        CatalogueMap.from_dict(raw)
