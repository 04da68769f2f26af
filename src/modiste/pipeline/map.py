"""The map stage, and the opening product."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modiste.images.measurements import measure_photos
from modiste.images.photo import background_colour
from modiste.latent.map_layout import project_2d
from modiste.pipeline.sliders import photos_in_rows
from modiste.pipeline.swatches import measure_swatches
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress, report
from modiste.search.index import LatentIndex
from modiste.shop.catalogue_map import CatalogueMap, write_map
from modiste.shop.sampling import load_photos, sample_rows
from modiste.shop.shop import Shop
from modiste.shop.similarity_words import measure_neighbour_distances, measure_thresholds

TYPICAL_PHOTOS = 200  # from which the typical background and extent are measured
CANDIDATES = 96  # for the opening product
BEST_ONE_IN = 3  # the most colourful of the best-drawn third is chosen


def make_map(path: str | Path, *, seed: int = 0, on_progress: Progress | None = None) -> CatalogueMap:
    """Make the map of the encoded shop at `path`, and write `map.json`.

    Raises:
        ShopIncomplete, StaleError: there are no encodings, or they are not of the current catalogue.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed; the previous map is kept.
    """
    with open_for_writing(path, need="encodings") as shop:
        encodings, total = shop.encodings, 5
        report(on_progress, "map", 0, total)
        swatches = measure_swatches(shop.catalogue.columns, lambda rows: photos_in_rows(shop, rows), seed)
        report(on_progress, "map", 1, total)
        background, extent = _typical_photo(shop, seed)
        index = LatentIndex(shop.catalogue.ids, encodings.mean, encodings.std, encodings.code)
        thresholds = measure_thresholds(index, encodings.code)
        distances = measure_neighbour_distances(index, encodings.code, encodings.std)
        report(on_progress, "map", 2, total)
        opening_id = opening_product(shop, seed)
        report(on_progress, "map", 3, total)
        positions = project_2d(encodings.code, seed)
        catalogue_map = CatalogueMap(positions, swatches, thresholds, distances, background, extent, opening_id)
        built_from = {"model": shop.model.model_id, "catalogue_hash": shop.store.hash()}
        write_map(shop.files.map(shop.model.model_id), built_from, catalogue_map)
        report(on_progress, "map", total, total)
    return catalogue_map


def _typical_photo(shop: Shop, seed: int) -> tuple[tuple[int, int, int], float]:
    """Return the median background and the median extent of the foreground of a sample of photos."""
    photos = photos_in_rows(shop, sample_rows(len(shop.catalogue), TYPICAL_PHOTOS, seed))
    background = np.median([background_colour(photo) for photo in photos], axis=0)
    sizes = measure_photos(photos)
    extent = np.median(np.maximum(sizes["height"], sizes["width"]))
    red, green, blue = (int(value) for value in background)
    return (red, green, blue), float(extent)


def opening_product(shop: Shop, seed: int = 0) -> str:
    """Return the id of the product that the studio opens with.

    Of a sample of the largest category, it is the most colourful of the third that the model reconstructs best. Average
    products are drawn blurred and grey.
    """
    counts = shop.catalogue.counts()
    largest = max(counts, key=lambda name: counts[name])
    rows = np.flatnonzero(np.array(shop.catalogue.categories) == largest)
    rows = rows[sample_rows(len(rows), CANDIDATES, seed)]
    ids = [shop.catalogue.ids[row] for row in rows]
    reconstructions = shop.onnx_model.decode(shop.encodings.code[rows])
    errors = np.square(reconstructions.astype(np.float32) - load_photos(shop.store, ids)).mean(axis=(1, 2, 3))
    best = np.argsort(errors, kind="stable")[: max(1, len(rows) // BEST_ONE_IN)]
    return ids[best[measure_photos(reconstructions[best])["saturation"].argmax()]]
