"""The encoding stage: mean, std and fixed-epsilon code of every product, into the store, all at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadOption, ShopError
from modiste.images.photo import decode_jpeg
from modiste.latent.posterior import fixed_epsilon_code
from modiste.parallel import Fleet, Here, in_order
from modiste.pipeline.encode_resume import Kept
from modiste.pipeline.index import write_index
from modiste.pipeline.write_session import opened_for_writing
from modiste.progress import Progress, tell
from modiste.shop.shop import Shop
from modiste.storage.product_store import ProductStore
from modiste.vae.onnx import Engine

BATCH = 32  # photos at once through the model: what a core's cache holds
PIECE = 4 * BATCH  # that a worker gets at once
SLICE = 8 * PIECE  # products read at once from the store

Posteriors = tuple[int, NDArray[np.float32], NDArray[np.float32]]


def encode_shop(
    path: str | Path, *, threads: int = 1, fleet: Fleet | None = None, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Encode every product of the shop at `path` with its model; returns {"model", "catalogue_hash", "count"}.

    Stopped, it goes on where it was. By `fleet`, workers elsewhere encode, in the place of threads of this process.

    Raises:
        BadOption: threads below 1.
        ShopIncomplete: there is no model.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused; the encodings before are kept.
        ClusterError: the fleet's workers are lost.
    """
    if threads < 1:
        raise BadOption(f"threads is {threads}.", remedy="Give 1 or more.")
    with opened_for_writing(path, need="model") as shop:
        _ = shop.engine  # is whole, or says what of it is not
        model, ids = shop.model, shop.catalogue.ids
        catalogue_hash = shop.store.hash()
        kept = Kept(shop.files, model.model_id, catalogue_hash, len(ids), model.latent)
        tell(on_progress, "encode", 0, len(ids))
        pieces = _missing(shop.store, ids, kept)
        done = (fleet or Here(threads)).each(_encoder, _files_of(shop.files.model(model.model_id)), pieces)
        for start, mean, std in done:
            kept.keep(start, mean, std)
            tell(on_progress, "encode", start + len(mean), len(ids))
        codes = fixed_epsilon_code(kept.mean, kept.std, np.asarray(model.epsilon, np.float32))
        shop.store.write_encodings(model.model_id, ids, kept.mean, kept.std, codes)
        kept.remove()
        made = {"model": model.model_id, "catalogue_hash": catalogue_hash, "count": len(ids)}
        shop.manifest.with_(encodings=made).save(shop.files.root)
        with suppress(ShopError):  # where the clusters fit the encodings still, or again
            write_index(Shop.open(shop.files.root, derived=False))
    return made


def _missing(store: ProductStore, ids: Sequence[str], kept: Kept) -> Iterator[tuple[int, list[bytes]]]:
    """The pieces of the catalogue that are not encoded: the first row and the JPEGs of each, read a slice ahead."""
    slices = [slice(first, min(first + SLICE, len(ids))) for first in range(0, len(ids), SLICE)]
    with ThreadPoolExecutor(1) as reader:
        held = in_order(
            (rows for rows in slices if not kept.has(rows)),
            lambda rows: (rows.start, reader.submit(store.photos, ids[rows])),
            lambda read: (read[0], read[1].result()),
            lambda: 2,
        )
        for first, jpegs in held:
            for at in range(0, len(jpegs), PIECE):
                yield first + at, jpegs[at : at + PIECE]


def _files_of(directory: Path) -> dict[str, bytes]:
    """A model's files that encoding needs, as they travel to workers."""
    return {name: (directory / name).read_bytes() for name in ("config.json", "encoder.onnx", "decoder.onnx")}


def _encoder(files: dict[str, bytes]) -> Callable[[tuple[int, Sequence[bytes]]], Posteriors]:
    """What encodes a piece: from JPEGs to mean and std, `(b, n)` each, beside the row of the first."""
    with tempfile.TemporaryDirectory(prefix="modiste-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        engine = Engine.load(folder)

    def encode(piece: tuple[int, Sequence[bytes]]) -> Posteriors:
        start, jpegs = piece
        parts = [
            engine.encode(np.stack([decode_jpeg(jpeg) for jpeg in jpegs[at : at + BATCH]]))
            for at in range(0, len(jpegs), BATCH)
        ]
        return start, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    return encode
