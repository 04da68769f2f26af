"""`map.json`: what is derived from catalogue and model together, for looking around in the shop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError
from modiste.shop import similarity_words
from modiste.storage.atomic import write_file
from modiste.storage.json_files import to_checked_json_bytes

SCHEMA = 1
REMEDY = "Make it anew with `modiste sliders --shop DIR`."


@dataclass(frozen=True, eq=False)
class CatalogueMap:
    """The catalogue on a plane, and how it is read.

    `positions` float32 `(N, 2)` from 0 to 1, rows as in the shop's catalogue, those that are alike beside each other;
    `swatches` the "#rrggbb" of each colour word by attribute; `thresholds` and `loneliness` see `closeness`;
    `background` RGB and `extent`, the larger of the foreground's height and width as a share of the frame's, are those
    of the shop's typical photo; `first` is the id of the product that the studio opens with. `changed` counts the
    products that were added, removed or have another photo since all were laid out.
    """

    positions: NDArray[np.float32]
    swatches: dict[str, dict[str, str]]
    thresholds: dict[str, list[float]]
    neighbour_distances: list[float]
    background: tuple[int, int, int]
    extent: float
    opening_product: str
    changed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON; positions to four decimals, finer than any screen."""
        x, y = np.round(self.positions.astype(np.float64), 4).T.tolist()
        return {
            "schema": SCHEMA,
            "x": x,
            "y": y,
            "swatches": self.swatches,
            "thresholds": self.thresholds,
            "loneliness": self.neighbour_distances,
            "background": list(self.background),
            "extent": self.extent,
            "first": self.opening_product,
            "changed": self.changed,
        }

    @classmethod
    def from_dict(cls, raw: Any) -> CatalogueMap:
        """The map that `to_dict` wrote. Raises SchemaError, saying what is wrong."""
        try:
            given = cast("dict[str, Any]", raw)
            if given["schema"] != SCHEMA:
                raise ValueError(f"it has schema {given['schema']!r}")
            positions = np.array([given["x"], given["y"]], np.float64).T
            if positions.ndim != 2 or not ((positions >= 0) & (positions <= 1)).all():
                raise ValueError("a position is not from 0 to 1")
            swatches = {
                str(name): {str(word): str(colour) for word, colour in colours.items()}
                for name, colours in given["swatches"].items()
            }
            thresholds = {
                similarity_words.threshold_key(*asked): _parse_numbers(
                    given["thresholds"][similarity_words.threshold_key(*asked)],
                    len(similarity_words.QUANTILES),
                )
                for asked in similarity_words.SCORINGS
            }
            red, green, blue = (int(value) for value in given["background"])
            extent = _parse_numbers([given["extent"]], 1)[0]
            if not all(0 <= value <= 255 for value in (red, green, blue)):
                raise ValueError("the background is no colour")
            return cls(
                positions.astype(np.float32),
                swatches,
                thresholds,
                _parse_numbers(given["loneliness"], 101),
                (red, green, blue),
                extent,
                str(given["first"]),
                int(given.get("changed", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise SchemaError(f"The map is damaged: {error}.", remedy=REMEDY) from None


def write_map(path: Path, built_from: dict[str, str], catalogue_map: CatalogueMap) -> None:
    """Write the map with what it was made from, whole or not at all. Raises StorageError."""
    write_file(path, to_checked_json_bytes(built_from | catalogue_map.to_dict()))


def _parse_numbers(raw: Any, count: int) -> list[float]:
    numbers = np.array(raw, np.float64)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{count} numbers were expected, not {str(raw)[:60]}")
    return numbers.tolist()
