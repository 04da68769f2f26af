"""`map.json`: the catalogue in two dimensions, and what was measured on it."""

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
REMEDY = "Build it again with `modiste sliders --shop DIR`."


@dataclass(frozen=True, eq=False)
class CatalogueMap:
    """The catalogue in two dimensions, and what was measured on it.

    Attributes:
        positions: float32 `(N, 2)` from 0 to 1, rows as in the shop's catalogue; similar products are near each other.
        swatches: the "#rrggbb" of each colour word, by attribute.
        thresholds: see `similarity_words`.
        neighbour_distances: see `similarity_words`.
        background: the RGB background of the shop's typical photo.
        extent: the larger of the height and width of its foreground, as a share of the frame's.
        opening_product: the id of the product that the studio opens with.
        changed: the number of products added, removed or given another photo since the whole map was made.
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
        """Return the map as JSON, positions to four decimals, which is finer than any screen."""
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
        """Parse what `to_dict` returned. Raises SchemaError with the reason."""
        try:
            fields = cast("dict[str, Any]", raw)
            if fields["schema"] != SCHEMA:
                raise ValueError(f"it has schema {fields['schema']!r}")
            positions = np.array([fields["x"], fields["y"]], np.float64).T
            if positions.ndim != 2 or not ((positions >= 0) & (positions <= 1)).all():
                raise ValueError("a position is not from 0 to 1")
            swatches = {
                str(name): {str(word): str(colour) for word, colour in colours.items()}
                for name, colours in fields["swatches"].items()
            }
            thresholds = {
                similarity_words.threshold_key(*scoring): _parse_numbers(
                    fields["thresholds"][similarity_words.threshold_key(*scoring)], len(similarity_words.QUANTILES)
                )
                for scoring in similarity_words.SCORINGS
            }
            red, green, blue = (int(value) for value in fields["background"])
            extent = _parse_numbers([fields["extent"]], 1)[0]
            if not all(0 <= value <= 255 for value in (red, green, blue)):
                raise ValueError("the background is not a colour")
            return cls(
                positions.astype(np.float32),
                swatches,
                thresholds,
                _parse_numbers(fields["loneliness"], 101),
                (red, green, blue),
                extent,
                str(fields["first"]),
                int(fields.get("changed", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise SchemaError(f"The map is damaged: {error}.", remedy=REMEDY) from None


def write_map(path: Path, built_from: dict[str, str], catalogue_map: CatalogueMap) -> None:
    """Write the map and what it was built from, atomically. Raises StorageError."""
    write_file(path, to_checked_json_bytes(built_from | catalogue_map.to_dict()))


def _parse_numbers(raw: Any, count: int) -> list[float]:
    numbers = np.array(raw, np.float64)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"expected {count} numbers, not {str(raw)[:60]}")
    return numbers.tolist()
