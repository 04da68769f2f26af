"""The encoding stage: mean, std and fixed-epsilon code of every product, into the store, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from modiste.catalogue.photo import decode_jpeg
from modiste.latent.posterior import fixed_epsilon_code
from modiste.shop.progress import Progress, tell
from modiste.shop.writing import opened_for_writing

BATCH = 256


def encode_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> dict[str, Any]:
    """Encode every product of the shop at `path` with its model; returns {"model", "catalogue_hash", "count"}.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the encodings before are kept.
    """
    with (
        opened_for_writing(path, need="model", threads=threads) as shop,
        ThreadPoolExecutor(2, thread_name_prefix="encode") as pool,
    ):
        model, engine, ids = shop.model, shop.engine, shop.catalogue.ids
        catalogue_hash = shop.store.hash()
        means = np.empty((len(ids), model.latent), np.float32)
        stds = np.empty_like(means)
        tell(on_progress, "encode", 0, len(ids))
        for start in range(0, len(ids), BATCH):
            stop = min(start + BATCH, len(ids))
            photos = np.stack(list(pool.map(decode_jpeg, shop.store.photos(ids[start:stop]))))
            means[start:stop], stds[start:stop] = engine.encode(photos)
            tell(on_progress, "encode", stop, len(ids))
        codes = fixed_epsilon_code(means, stds, np.asarray(model.epsilon, np.float32))
        shop.store.write_encodings(model.model_id, ids, means, stds, codes)
        made = {"model": model.model_id, "catalogue_hash": catalogue_hash, "count": len(ids)}
        shop.manifest.with_(encodings=made).save(shop.path)
    return made
