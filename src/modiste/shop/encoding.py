"""The encoding stage: mean, std and fixed-epsilon code of every product, into the store, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from modiste.catalogue.photo import decode_jpeg
from modiste.errors import BadOption, ShopError
from modiste.latent.posterior import fixed_epsilon_code
from modiste.shop.indexing import write_index
from modiste.shop.progress import Progress, tell
from modiste.shop.shop import Shop
from modiste.shop.writing import opened_for_writing

BATCH = 32  # photos at once in a thread: what a core's cache holds
SLICE = 1024  # products read at once from the store


def encode_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> dict[str, Any]:
    """Encode every product of the shop at `path` with its model; returns {"model", "catalogue_hash", "count"}.

    Raises:
        BadOption: threads below 1.
        ShopIncomplete: there is no model.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the encodings before are kept.
    """
    if threads < 1:
        raise BadOption(f"threads is {threads}.", remedy="Give 1 or more.")
    with (
        opened_for_writing(path, need="model") as shop,
        ThreadPoolExecutor(threads) as pool,
        ThreadPoolExecutor(1) as reader,
    ):
        model, engine, ids = shop.model, shop.engine, shop.catalogue.ids
        catalogue_hash = shop.store.hash()
        means = np.empty((len(ids), model.latent), np.float32)
        stds = np.empty_like(means)

        def work(start: int, jpegs: Sequence[bytes]) -> int:
            photos = np.stack([decode_jpeg(jpeg) for jpeg in jpegs])
            stop = start + len(jpegs)
            means[start:stop], stds[start:stop] = engine.encode(photos)
            return stop

        tell(on_progress, "encode", 0, len(ids))
        # Each thread takes batches from JPEG to code by itself; the store is read one slice ahead of them.
        coming = reader.submit(shop.store.photos, ids[:SLICE])
        for first in range(0, len(ids), SLICE):
            held = coming.result()
            coming = reader.submit(shop.store.photos, ids[first + SLICE : first + 2 * SLICE])
            starts = range(0, len(held), BATCH)
            jobs = [pool.submit(work, first + at, held[at : at + BATCH]) for at in starts]
            for job in jobs:
                tell(on_progress, "encode", job.result(), len(ids))
        codes = fixed_epsilon_code(means, stds, np.asarray(model.epsilon, np.float32))
        shop.store.write_encodings(model.model_id, ids, means, stds, codes)
        made = {"model": model.model_id, "catalogue_hash": catalogue_hash, "count": len(ids)}
        shop.manifest.with_(encodings=made).save(shop.files.root)
        with suppress(ShopError):  # where the clusters fit the encodings still, or again
            write_index(Shop.open(shop.files.root, derived=False))
    return made
