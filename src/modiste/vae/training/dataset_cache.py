"""A memory-mapped cache of a catalogue's photos and descriptors, as training reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modiste.images.descriptors import SHAPE_SIZE, colour_descriptors, shape_descriptors
from modiste.storage.atomic import atomic_dir, remove_path
from modiste.vae.training.network import body_ratio, body_size, downscale

CACHE_VERSION = 1
BATCH_PHOTOS = 256
# Each descriptor with its parts: their sizes, and the standard deviation of each part as a whole. In the error, edges
# count four times as much as the outline, and the histogram four times as much as the mean colour.
DESCRIPTORS = ((shape_descriptors, ((2592, 1.0), (300, 0.5))), (colour_descriptors, ((384, 1.0), (6, 0.5))))
DESCRIPTOR_SIZE = sum(size for _, parts in DESCRIPTORS for size, _ in parts)

DecodePhotos = Callable[[Sequence[bytes]], npt.NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class DatasetCache:
    """A catalogue's memory-mapped photos and descriptors.

    `bodies` are the photos at the body's size, uint8 `(N, h, w, 3)`; `jpegs` the concatenated JPEGs, photo i from
    `jpeg_ends[i - 1]` to `jpeg_ends[i]`; `descriptors` those of shape, then those of colour, float16 `(N, 2892 + 390)`,
    or None for a preset that does not use them. Each part of a descriptor is centred on the training rows and scaled to
    the deviation in DESCRIPTORS, so a code without information has an error of 1.25 for each descriptor.
    """

    bodies: npt.NDArray[np.uint8]
    jpegs: npt.NDArray[np.uint8]
    jpeg_ends: npt.NDArray[np.int64]
    descriptors: npt.NDArray[np.float16] | None

    def jpeg(self, row: int) -> bytes:
        """Return one photo's JPEG."""
        start = int(self.jpeg_ends[row - 1]) if row else 0
        return self.jpegs[start : int(self.jpeg_ends[row])].tobytes()

    @classmethod
    def open(cls, directory: Path) -> DatasetCache:
        """Open a complete cache. Raises OSError, ValueError if it is missing or damaged."""

        def load(name: str) -> Any:
            # Copy on write: torch expects writable arrays.
            return np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False)

        has_descriptors = (directory / "looks.npy").exists()
        jpegs = np.memmap(directory / "jpegs", np.uint8, "r")
        return cls(load("bodies"), jpegs, load("ends"), load("looks") if has_descriptors else None)


def open_or_build_cache(
    photos: Sequence[bytes],
    frame: tuple[int, int],
    decode: DecodePhotos,
    directory: Path,
    key: str,
    train_rows: npt.NDArray[np.int64] | None,
    on_progress: Callable[[int], None],
) -> DatasetCache:
    """Open the cache in `directory` if it has this `key`; otherwise build it.

    One batch is in memory at a time: `photos`, `N` JPEGs, are read by slices, and `decode` returns uint8
    `(b, H, W, 3)`. A killed process leaves no cache that looks complete. `key` identifies the photos and their size.
    Descriptors are centred on `train_rows`; None for no descriptors. `on_progress` is called with the number of photos
    that are done.
    """
    header = json.dumps({"version": CACHE_VERSION, "key": key, "described": train_rows is not None})
    header_file = directory / "prepared.json"
    if header_file.exists() and header_file.read_text() == header:
        on_progress(len(photos))
        return DatasetCache.open(directory)
    remove_path(directory)  # first, to free its disk space
    with atomic_dir(directory, durable=False) as partial:
        _write_arrays(photos, frame, decode, partial, train_rows, on_progress)
        (partial / header_file.name).write_text(header)
    return DatasetCache.open(directory)


def cache_key(ids: Sequence[str], catalogue_hash: str, frame: tuple[int, int]) -> str:
    """Return a key for the products, their photos and the frame."""
    return hashlib.sha256(json.dumps([list(ids), catalogue_hash, list(frame)]).encode()).hexdigest()


def _write_arrays(
    photos: Sequence[bytes],
    frame: tuple[int, int],
    decode: DecodePhotos,
    directory: Path,
    train_rows: npt.NDArray[np.int64] | None,
    on_progress: Callable[[int], None],
) -> None:
    count, ratio = len(photos), body_ratio(frame)
    bodies = _new_array(directory / "bodies.npy", np.uint8, (count, *body_size(frame), 3))
    descriptors = (
        None if train_rows is None else _new_array(directory / "looks.npy", np.float16, (count, DESCRIPTOR_SIZE))
    )
    ends: list[int] = []
    with (directory / "jpegs").open("wb") as jpegs, ThreadPoolExecutor(2) as pool:
        for start in range(0, count, BATCH_PHOTOS):
            batch = photos[start : start + BATCH_PHOTOS]
            for jpeg in batch:
                jpegs.write(jpeg)
                ends.append(jpegs.tell())
            small = downscale(pixels_to_tensor(decode(batch)), ratio).mul(255.0).round_().to(torch.uint8)
            pixels = small.permute(0, 2, 3, 1).numpy()
            bodies[start : start + BATCH_PHOTOS] = pixels
            if descriptors is not None:
                blocks = [pixels[first : first + 64] for first in range(0, len(pixels), 64)]
                parts = pool.map(lambda block: np.hstack([of(block) for of, _ in DESCRIPTORS]), blocks)
                descriptors[start : start + BATCH_PHOTOS] = np.concatenate(list(parts))
            on_progress(start + len(batch))
    np.save(directory / "ends.npy", np.array(ends, np.int64))
    bodies.flush()
    if descriptors is not None and train_rows is not None:
        _standardize(descriptors, train_rows)
        descriptors.flush()


def _standardize(descriptors: npt.NDArray[np.float16], train_rows: npt.NDArray[np.int64]) -> None:
    """Centre each part on the training rows and scale it to the deviation in DESCRIPTORS, in place."""
    total, squares = np.zeros(DESCRIPTOR_SIZE), np.zeros(DESCRIPTOR_SIZE)
    for start in range(0, len(train_rows), 4 * BATCH_PHOTOS):
        batch = descriptors[train_rows[start : start + 4 * BATCH_PHOTOS]].astype(np.float64)
        total += batch.sum(axis=0)
        squares += np.square(batch).sum(axis=0)
    mean = total / len(train_rows)
    variance = np.maximum(squares / len(train_rows) - mean**2, 0.0)
    scale, start = np.empty(DESCRIPTOR_SIZE), 0
    for _, parts in DESCRIPTORS:
        for size, deviation in parts:
            part = slice(start, start + size)
            scale[part] = deviation / np.sqrt(variance[part].sum() + 1e-12)
            start += size
    for start in range(0, len(descriptors), 4 * BATCH_PHOTOS):
        part = slice(start, start + 4 * BATCH_PHOTOS)
        descriptors[part] = (descriptors[part].astype(np.float32) - mean) * scale


def _new_array(path: Path, kind: Any, shape: tuple[int, ...]) -> Any:
    return np.lib.format.open_memmap(path, "w+", kind, shape)


def pixels_to_tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """Convert uint8 `(b, h, w, 3)` to float32 `(b, 3, h, w)` in [0, 1], in channels-last memory order."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(255.0)


def split_descriptors(descriptors: npt.NDArray[np.float16]) -> tuple[Tensor, Tensor]:
    """Split descriptors `(b, 2892 + 390)` into those of shape and those of colour, float32."""
    both = torch.from_numpy(descriptors).float()
    return both[:, :SHAPE_SIZE], both[:, SHAPE_SIZE:]
