"""The map stage, and the opening product."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modiste.images.measurements import measure_photos
from modiste.images.photo import background_colour
from modiste.latent.projection import project_2d
from modiste.pipeline.sliders import photos_in_rows
from modiste.pipeline.swatches import measure_swatches
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress, report
from modiste.search.index import LatentIndex
from modiste.shop.catalogue_map import CatalogueMap, write_map
from modiste.shop.sampling import load_photos, sample_rows
from modiste.shop.shop import Shop
from modiste.shop.similarity_words import measure_neighbour_distances, measure_thresholds

TYPICAL_PHOTOS = 200  # photos that say what the typical one is like


def make_map(path: str | Path, *, seed: int = 0, on_progress: Progress | None = None) -> CatalogueMap:
    """Lay out the catalogue of the encoded shop at `path`, measure it and write `map.json`.

    Raises:
        ShopIncomplete, StaleError: there are no encodings, or they are not of the catalogue as it is.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the map before is kept.
    """
    with open_for_writing(path, need="encodings") as shop:
        held, total = shop.encodings, 5
        report(on_progress, "map", 0, total)
        swatches = measure_swatches(shop.catalogue.columns, lambda rows: photos_in_rows(shop, rows), seed)
        report(on_progress, "map", 1, total)
        background, extent = _typical_photo(shop, seed)
        index = LatentIndex(shop.catalogue.ids, held.mean, held.std, held.code)
        thresholds, loneliness = (
            measure_thresholds(index, held.code),
            measure_neighbour_distances(index, held.code, held.std),
        )
        report(on_progress, "map", 2, total)
        first = opening_product(shop, seed)
        report(on_progress, "map", 3, total)
        positions = project_2d(held.code, seed)
        made = CatalogueMap(positions, swatches, thresholds, loneliness, background, extent, first)
        made_from = {"model": shop.model.model_id, "catalogue_hash": shop.store.hash()}
        write_map(shop.files.map(shop.model.model_id), made_from, made)
        report(on_progress, "map", total, total)
    return made


def _typical_photo(shop: Shop, seed: int) -> tuple[tuple[int, int, int], float]:
    """Median background, and median of the larger extent of the foreground, of some photos."""
    photos = photos_in_rows(shop, sample_rows(len(shop.catalogue), TYPICAL_PHOTOS, seed))
    background = np.median([background_colour(photo) for photo in photos], axis=0)
    sizes = measure_photos(photos)
    extent = np.median(np.maximum(sizes["height"], sizes["width"]))
    red, green, blue = (int(value) for value in background)
    return (red, green, blue), float(extent)


CANDIDATES = 96  # products
BEST_ONE_IN = 3  # the colour decides among the best-drawn third


def opening_product(shop: Shop, seed: int = 0) -> str:
    """The id of a product of the largest category: of some, the most colourful of the third that is drawn best.

    The average of a catalogue would be drawn blurred and grey, and so are products that are much like it.
    """
    counts = shop.catalogue.counts()
    largest = max(counts, key=lambda name: counts[name])
    rows = np.flatnonzero(np.array(shop.catalogue.categories) == largest)
    rows = rows[sample_rows(len(rows), CANDIDATES, seed)]
    ids = [shop.catalogue.ids[row] for row in rows]
    drawn = shop.onnx_model.decode(shop.encodings.code[rows])
    missed = np.square(drawn.astype(np.float32) - load_photos(shop.store, ids)).mean(axis=(1, 2, 3))
    good = np.argsort(missed, kind="stable")[: max(1, len(rows) // BEST_ONE_IN)]
    return ids[good[measure_photos(drawn[good])["saturation"].argmax()]]
