"""Prepared photos: what training reads of a catalogue, made once into files that are mapped, whatever its size."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
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
from modiste.vae.training.network import body_ratio, body_size, downscale

CACHE_VERSION = 1
BATCH_PHOTOS = 256
# Each descriptor with its parts: how many numbers, and their deviation in all. In the error, edges count four times
# as much as the outline, the histogram four times as much as the mean colour.
DESCRIPTORS = ((shape_descriptors, ((2592, 1.0), (300, 0.5))), (colour_descriptors, ((384, 1.0), (6, 0.5))))
DESCRIPTOR_SIZE = sum(size for _, parts in DESCRIPTORS for size, _ in parts)

DecodePhotos = Callable[[Sequence[bytes]], npt.NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class DatasetCache:
    """A catalogue as training reads it, mapped from files.

    `bodies` are the photos at the body's size, uint8 `(N, h, w, 3)`; `jpegs` all JPEGs one behind the other, photo i
    from `ends[i - 1]` to `ends[i]`; `looks` the descriptors, float16 `(N, 2892 + 390)`, shape first, each part about
    its mean over the training rows and of the deviation, in all its numbers together, that LOOKS says: a code that
    knows nothing leaves an error of 1.25 of each descriptor. None for a preset that does not use them.
    """

    bodies: npt.NDArray[np.uint8]
    jpegs: npt.NDArray[np.uint8]
    jpeg_ends: npt.NDArray[np.int64]
    descriptors: npt.NDArray[np.float16] | None

    def jpeg(self, row: int) -> bytes:
        """One photo as stored."""
        start = int(self.jpeg_ends[row - 1]) if row else 0
        return self.jpegs[start : int(self.jpeg_ends[row])].tobytes()

    @classmethod
    def open(cls, directory: Path) -> DatasetCache:
        """What `prepare` made. Raises OSError, ValueError where it is missing or damaged."""

        def held(name: str) -> Any:
            # Copy on write: torch asks for arrays that could be written to.
            return np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False)

        described = (directory / "looks.npy").exists()
        jpegs = np.memmap(directory / "jpegs", np.uint8, "r")
        return cls(held("bodies"), jpegs, held("ends"), held("looks") if described else None)


def open_or_build_cache(
    photos: Sequence[bytes],
    frame: tuple[int, int],
    decode: DecodePhotos,
    directory: Path,
    key: str,
    train_rows: npt.NDArray[np.int64] | None,
    on_progress: Callable[[int], None],
) -> DatasetCache:
    """Decode JPEGs, shrink and describe them into `directory`, or find that done there for the same `key`.

    Memory holds a batch at a time. A process that is killed leaves nothing that the next one would take for whole.

    Args:
        photos: `N` JPEGs; read by slices.
        decode: JPEGs to uint8 `(b, H, W, 3)`.
        key: names the photos and how they are prepared.
        train_rows: the rows that descriptors are centred by; None for no descriptors.
    """
    said = json.dumps({"version": CACHE_VERSION, "key": key, "described": train_rows is not None})
    mark = directory / "prepared.json"
    if mark.exists() and mark.read_text() == said:
        on_progress(len(photos))
        return DatasetCache.open(directory)
    shutil.rmtree(directory, ignore_errors=True)
    partial = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_arrays(photos, frame, decode, partial, train_rows, on_progress)
        (partial / mark.name).write_text(said)
        partial.replace(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return DatasetCache.open(directory)


def cache_key(ids: Sequence[str], catalogue_hash: str, frame: tuple[int, int]) -> str:
    """Names what is prepared: the products, their photos, and the size."""
    said = json.dumps([list(ids), catalogue_hash, list(frame)])
    return hashlib.sha256(said.encode()).hexdigest()


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
    looks = (
        None
        if train_rows is None
        else _new_array(directory / "looks.npy", np.float16, (count, DESCRIPTOR_SIZE))
    )
    ends: list[int] = []
    with (directory / "jpegs").open("wb") as jpegs, ThreadPoolExecutor(2) as pool:
        for start in range(0, count, BATCH_PHOTOS):
            held = photos[start : start + BATCH_PHOTOS]
            for jpeg in held:
                jpegs.write(jpeg)
                ends.append(jpegs.tell())
            small = downscale(pixels_to_tensor(decode(held)), ratio).mul(255.0).round_().to(torch.uint8)
            part = small.permute(0, 2, 3, 1).numpy()
            bodies[start : start + BATCH_PHOTOS] = part
            if looks is not None:
                blocks = [part[first : first + 64] for first in range(0, len(part), 64)]
                told = list(pool.map(lambda block: np.hstack([of(block) for of, _ in DESCRIPTORS]), blocks))
                looks[start : start + BATCH_PHOTOS] = np.concatenate(told)
            on_progress(start + len(held))
    np.save(directory / "ends.npy", np.array(ends, np.int64))
    bodies.flush()
    if looks is not None and train_rows is not None:
        _standardize(looks, train_rows)
        looks.flush()


def _standardize(looks: npt.NDArray[np.float16], train_rows: npt.NDArray[np.int64]) -> None:
    """Bring each part about its mean over the training rows, and to the deviation that LOOKS says; in place."""
    total, squares = np.zeros(DESCRIPTOR_SIZE), np.zeros(DESCRIPTOR_SIZE)
    for start in range(0, len(train_rows), 4 * BATCH_PHOTOS):
        held = looks[train_rows[start : start + 4 * BATCH_PHOTOS]].astype(np.float64)
        total += held.sum(axis=0)
        squares += np.square(held).sum(axis=0)
    mean = total / len(train_rows)
    variance = np.maximum(squares / len(train_rows) - mean**2, 0.0)
    scale, start = np.empty(DESCRIPTOR_SIZE), 0
    for _, parts in DESCRIPTORS:
        for size, deviation in parts:
            part = slice(start, start + size)
            scale[part] = deviation / np.sqrt(variance[part].sum() + 1e-12)
            start += size
    for start in range(0, len(looks), 4 * BATCH_PHOTOS):
        part = slice(start, start + 4 * BATCH_PHOTOS)
        looks[part] = (looks[part].astype(np.float32) - mean) * scale


def _new_array(path: Path, kind: Any, shape: tuple[int, ...]) -> Any:
    return np.lib.format.open_memmap(path, "w+", kind, shape)


def pixels_to_tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 `(b, h, w, 3)` to float32 `(b, 3, h, w)` in [0, 1]; channels last, as the pixels already lie."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(255.0)


def split_descriptors(looks: npt.NDArray[np.float16]) -> tuple[Tensor, Tensor]:
    """Descriptors `(b, 2892 + 390)` as training has them: of shape and of colour, float32."""
    held = torch.from_numpy(looks).float()
    return held[:, :SHAPE_SIZE], held[:, SHAPE_SIZE:]
