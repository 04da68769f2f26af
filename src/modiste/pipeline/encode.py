"""The encoding stage: writes mean, std and fixed-epsilon code of every product to the store, in one commit."""

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
from modiste.latent.fixed_epsilon import fixed_epsilon_code
from modiste.parallel import Executor, ThreadExecutor, ordered_map
from modiste.pipeline.encode_checkpoint import EncodingCheckpoint
from modiste.pipeline.index import write_index
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress, report
from modiste.shop.shop import Shop
from modiste.storage.product_store import ProductStore
from modiste.vae.onnx import OnnxModel

BATCH_PHOTOS = 32  # through the model at once: they fit in a core's cache
CHUNK_PHOTOS = 4 * BATCH_PHOTOS  # for a worker at once
SLICE_PHOTOS = 8 * CHUNK_PHOTOS  # read from the store at once

EncodedChunk = tuple[int, NDArray[np.float32], NDArray[np.float32]]


def encode_shop(
    path: str | Path, *, threads: int = 1, executor: Executor | None = None, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Encode every product of the shop at `path` with its model. An interrupted call continues where it stopped.

    Args:
        path: the shop's directory or URL.
        threads: the number of threads, without `executor`.
        executor: workers that encode instead of this process.
        on_progress: called with the progress.

    Returns:
        {"model", "catalogue_hash", "count"}

    Raises:
        BadOption: threads is below 1.
        ShopIncomplete: there is no model.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed; the previous encodings are kept.
        RayClusterError: the executor's workers are lost.
    """
    if threads < 1:
        raise BadOption(f"threads is {threads}.", remedy="Give 1 or more threads.")
    with open_for_writing(path, need="model") as shop:
        model, ids = shop.model, shop.catalogue.ids
        catalogue_hash = shop.store.hash()
        checkpoint = encode_photos(
            shop, ids, catalogue_hash, threads=threads, executor=executor, on_progress=on_progress
        )
        codes = fixed_epsilon_code(checkpoint.mean, checkpoint.std, np.asarray(model.epsilon, np.float32))
        shop.store.write_encodings(model.model_id, ids, checkpoint.mean, checkpoint.std, codes)
        checkpoint.remove()
        summary = {"model": model.model_id, "catalogue_hash": catalogue_hash, "count": len(ids)}
        shop.manifest.with_changes(encodings=summary).save(shop.files.root)
        with suppress(ShopError):  # if there are current clusters
            write_index(Shop.open(shop.files.root, use_index=False))
    return summary


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

    The result's rows are in the order of `ids`. After an interruption, a call with the same hash of the photos
    continues. `executor` are workers that encode instead of `threads` of this process. Raises StorageError if the disk
    failed, and RayClusterError if the executor's workers are lost.
    """
    _ = shop.onnx_model  # raises if the model is damaged
    model = shop.model
    checkpoint = EncodingCheckpoint(shop.files, model.model_id, photos_hash, len(ids), model.latent)
    report(on_progress, "encode", 0, len(ids))
    chunks = _chunks_to_encode(shop.store, ids, checkpoint)
    for start, mean, std in (executor or ThreadExecutor(threads)).map(
        _make_encoder, _model_files(shop.files.model(model.model_id)), chunks
    ):
        checkpoint.write(start, mean, std)
        report(on_progress, "encode", start + len(mean), len(ids))
    return checkpoint


def _chunks_to_encode(
    store: ProductStore, ids: Sequence[str], checkpoint: EncodingCheckpoint
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield first row and JPEGs of each chunk that is not encoded yet, read one slice ahead."""
    slices = [slice(first, min(first + SLICE_PHOTOS, len(ids))) for first in range(0, len(ids), SLICE_PHOTOS)]
    with ThreadPoolExecutor(1) as reader:
        loaded = ordered_map(
            (rows for rows in slices if not checkpoint.has(rows)),
            lambda rows: (rows.start, reader.submit(store.photos, ids[rows])),
            lambda pending: (pending[0], pending[1].result()),
            lambda: 2,
        )
        for first, jpegs in loaded:
            for offset in range(0, len(jpegs), CHUNK_PHOTOS):
                yield first + offset, jpegs[offset : offset + CHUNK_PHOTOS]


def _model_files(directory: Path) -> dict[str, bytes]:
    """Return the files of a model that a worker needs."""
    return {name: (directory / name).read_bytes() for name in ("config.json", "encoder.onnx", "decoder.onnx")}


def _make_encoder(files: dict[str, bytes]) -> Callable[[tuple[int, Sequence[bytes]]], EncodedChunk]:
    """Make the function that encodes a chunk: from its first row and JPEGs to the row, mean and std, `(b, n)` each."""
    with tempfile.TemporaryDirectory(prefix="modiste-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        model = OnnxModel.load(folder)

    def encode(chunk: tuple[int, Sequence[bytes]]) -> EncodedChunk:
        start, jpegs = chunk
        return start, *encode_jpegs(model, jpegs)

    return encode


def encode_jpegs(model: OnnxModel, jpegs: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and std, `(b, n)` each, of one or more stored photos."""
    parts = [
        model.encode(np.stack([decode_jpeg(jpeg) for jpeg in jpegs[start : start + BATCH_PHOTOS]]))
        for start in range(0, len(jpegs), BATCH_PHOTOS)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
