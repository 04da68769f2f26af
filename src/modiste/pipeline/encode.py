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
from modiste.parallel import Executor, ThreadExecutor, ordered_map
from modiste.pipeline.encode_resume import EncodingCheckpoint
from modiste.pipeline.index import write_index
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress, report
from modiste.shop.shop import Shop
from modiste.storage.product_store import ProductStore
from modiste.vae.onnx import OnnxModel

BATCH_PHOTOS = 32  # photos at once through the model: what a core's cache holds
CHUNK_PHOTOS = 4 * BATCH_PHOTOS  # that a worker gets at once
SLICE_PHOTOS = 8 * CHUNK_PHOTOS  # products read at once from the store

EncodedChunk = tuple[int, NDArray[np.float32], NDArray[np.float32]]


def encode_shop(
    path: str | Path,
    *,
    threads: int = 1,
    executor: Executor | None = None,
    on_progress: Progress | None = None,
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
    with open_for_writing(path, need="model") as shop:
        model, ids = shop.model, shop.catalogue.ids
        catalogue_hash = shop.store.hash()
        kept = encode_photos(
            shop, ids, catalogue_hash, threads=threads, executor=executor, on_progress=on_progress
        )
        codes = fixed_epsilon_code(kept.mean, kept.std, np.asarray(model.epsilon, np.float32))
        shop.store.write_encodings(model.model_id, ids, kept.mean, kept.std, codes)
        kept.remove()
        made = {"model": model.model_id, "catalogue_hash": catalogue_hash, "count": len(ids)}
        shop.manifest.with_changes(encodings=made).save(shop.files.root)
        with suppress(ShopError):  # where the clusters fit the encodings still, or again
            write_index(Shop.open(shop.files.root, use_index=False))
    return made


def encode_photos(
    shop: Shop,
    ids: Sequence[str],
    photos_hash: str,
    *,
    threads: int = 1,
    executor: Executor | None = None,
    on_progress: Progress | None = None,
) -> EncodingCheckpoint:
    """Encode the photos of some products, for a stage that holds the shop and stores the result.

    Args:
        ids: of the products, in the order of the result's rows.
        photos_hash: a hash of the photos; stopped, the next call with the same hash continues from there.

    Raises:
        StorageError: the disk refused.
        ClusterError: the fleet's workers are lost.
    """
    _ = shop.onnx_model  # is whole, or says what of it is not
    model = shop.model
    kept = EncodingCheckpoint(shop.files, model.model_id, photos_hash, len(ids), model.latent)
    report(on_progress, "encode", 0, len(ids))
    pieces = _chunks_to_encode(shop.store, ids, kept)
    for start, mean, std in (executor or ThreadExecutor(threads)).map(
        _make_encoder, _model_files(shop.files.model(model.model_id)), pieces
    ):
        kept.write(start, mean, std)
        report(on_progress, "encode", start + len(mean), len(ids))
    return kept


def _chunks_to_encode(
    store: ProductStore, ids: Sequence[str], checkpoint: EncodingCheckpoint
) -> Iterator[tuple[int, list[bytes]]]:
    """The pieces of the catalogue that are not encoded: the first row and the JPEGs of each, read a slice ahead."""
    slices = [slice(first, min(first + SLICE_PHOTOS, len(ids))) for first in range(0, len(ids), SLICE_PHOTOS)]
    with ThreadPoolExecutor(1) as reader:
        held = ordered_map(
            (rows for rows in slices if not checkpoint.has(rows)),
            lambda rows: (rows.start, reader.submit(store.photos, ids[rows])),
            lambda read: (read[0], read[1].result()),
            lambda: 2,
        )
        for first, jpegs in held:
            for at in range(0, len(jpegs), CHUNK_PHOTOS):
                yield first + at, jpegs[at : at + CHUNK_PHOTOS]


def _model_files(directory: Path) -> dict[str, bytes]:
    """A model's files that encoding needs, as they travel to workers."""
    return {name: (directory / name).read_bytes() for name in ("config.json", "encoder.onnx", "decoder.onnx")}


def _make_encoder(files: dict[str, bytes]) -> Callable[[tuple[int, Sequence[bytes]]], EncodedChunk]:
    """What encodes a piece: from JPEGs to mean and std, `(b, n)` each, beside the row of the first."""
    with tempfile.TemporaryDirectory(prefix="modiste-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        engine = OnnxModel.load(folder)

    def encode(piece: tuple[int, Sequence[bytes]]) -> EncodedChunk:
        start, jpegs = piece
        return start, *encode_jpegs(engine, jpegs)

    return encode


def encode_jpegs(
    engine: OnnxModel, jpegs: Sequence[bytes]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and std, `(b, n)` each, of photos as the store has them, one or more."""
    parts = [
        engine.encode(np.stack([decode_jpeg(jpeg) for jpeg in jpegs[at : at + BATCH_PHOTOS]]))
        for at in range(0, len(jpegs), BATCH_PHOTOS)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
