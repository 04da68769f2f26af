"""The product that the studio opens with: colourful, and drawn well, so that the first look is a good one."""

from __future__ import annotations

import numpy as np

from modiste.latent.measures import measures
from modiste.shop.sampling import photos_of, sample_rows
from modiste.shop.shop import Shop

TRIED = 96  # products
BEST = 3  # the colour decides among the best-drawn third


def first_product(shop: Shop, seed: int = 0) -> str:
    """The id of a product of the largest category: of some, the most colourful of the third that is drawn best.

    The average of a catalogue would be drawn blurred and grey, and so are products that are much like it.
    """
    counts = shop.catalogue.counts()
    largest = max(counts, key=lambda name: counts[name])
    rows = np.flatnonzero(np.array(shop.catalogue.categories) == largest)
    rows = rows[sample_rows(len(rows), TRIED, seed)]
    ids = [shop.catalogue.ids[row] for row in rows]
    drawn = shop.engine.decode(shop.encodings.code[rows])
    missed = np.square(drawn.astype(np.float32) - photos_of(shop.store, ids)).mean(axis=(1, 2, 3))
    good = np.argsort(missed, kind="stable")[: max(1, len(rows) // BEST)]
    return ids[good[measures(drawn[good])["saturation"].argmax()]]
