"""Photos as training reads them: split, subsample, and batches of pixels and descriptors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from modiste.errors import BadOption, TrainingError
from modiste.images.photo import decode_jpeg
from modiste.vae.training.dataset_cache import open_or_build_cache, pixels_to_tensor, split_descriptors

VALIDATION_SHARE = 0.05
MAX_VALIDATION_PHOTOS = 1000
MIN_PRODUCTS = 8
# A default run makes about eight passes over so many photos; with more, it would see each less often.
MAX_TRAINING_PHOTOS = 32_000


def hash_ranks(ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return a pseudo-random number for each product, `(N,)`, that depends only on its id."""
    hashes = (int.from_bytes(hashlib.sha256(id_.encode()).digest()[:8], "big") for id_ in ids)
    return np.fromiter(hashes, np.uint64, len(ids))


def subsample(ids: Sequence[str], max_photos: int | None = None) -> Sequence[str]:
    """Return the ids of the products to train on, in their order.

    They have the lowest hash ranks; `split_rows` takes the lowest of these for validation. So when the catalogue grows,
    only new products replace chosen ones. At most `max_photos` are returned, MAX_TRAINING_PHOTOS if None. Raises
    BadOption if `max_photos` is below MIN_PRODUCTS.
    """
    max_photos = MAX_TRAINING_PHOTOS if max_photos is None else max_photos
    if max_photos < MIN_PRODUCTS:
        raise BadOption(f"photos is {max_photos}.", remedy=f"Give {MIN_PRODUCTS} or more.")
    if len(ids) <= max_photos:
        return ids
    return [ids[int(row)] for row in np.sort(np.argpartition(hash_ranks(ids), max_photos - 1)[:max_photos])]


def split_rows(ids: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows to train on and the rows to validate on.

    A product's side depends only on its id, so that the split is stable when the catalogue grows. Raises TrainingError
    if there are fewer than 8 products.
    """
    if len(ids) < MIN_PRODUCTS:
        raise TrainingError(
            f"The catalogue has {len(ids)} products; training needs at least {MIN_PRODUCTS}.",
            remedy="Ingest more photos.",
        )
    count = min(MAX_VALIDATION_PHOTOS, max(2, round(VALIDATION_SHARE * len(ids))))
    order = np.argsort(hash_ranks(ids), kind="stable")
    return np.sort(order[count:]), np.sort(order[:count])


class PhotoDataset:
    """The photos of a catalogue as batches of pixels and descriptors, from a memory-mapped `DatasetCache`."""

    def __init__(
        self,
        photos: Sequence[bytes],
        frame: tuple[int, int],
        on_progress: Callable[[int], None],
        directory: Path,
        key: str,
        *,
        train_rows: npt.NDArray[np.int64] | None = None,
    ) -> None:
        """Open the cache in `directory`, or build it from JPEGs; with `train_rows`, descriptors are computed.

        Raises TrainingError if a photo does not have the frame's size.
        """
        self.frame = frame
        self.pool = ThreadPoolExecutor(2, thread_name_prefix="photos")
        self.cache = open_or_build_cache(photos, frame, self._decode_all, directory, key, train_rows, on_progress)
        self.bodies = self.cache.bodies

    def descriptors(self, rows: Any) -> tuple[Tensor, Tensor]:
        """Return descriptors of shape and of colour, float32 `(b, 2892)` and `(b, 390)`."""
        assert self.cache.descriptors is not None
        return split_descriptors(self.cache.descriptors[rows])

    def read_photos(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return photos of the frame's size, uint8 `(b, H, W, 3)`."""
        return self._decode_all([self.cache.jpeg(row) for row in rows])

    def _decode_all(self, jpegs: Sequence[bytes]) -> npt.NDArray[np.uint8]:
        return np.stack(list(self.pool.map(self._decode, jpegs)))

    def _decode(self, jpeg: bytes) -> npt.NDArray[np.uint8]:
        pixels = decode_jpeg(jpeg)
        if pixels.shape[:2] != self.frame:
            raise TrainingError(
                f"A photo is {pixels.shape[1]}x{pixels.shape[0]}; the frame is {self.frame[1]}x{self.frame[0]}.",
                remedy="Run `modiste ingest` again.",
            )
        return pixels

    def read_bodies(self, rows: Any) -> Tensor:
        """Return photos of the body's size, float32 `(b, 3, h, w)` in [0, 1], channels last."""
        return pixels_to_tensor(self.bodies[rows])

    def batches(self, rows: Sequence[npt.NDArray[np.int64]], *, full: bool) -> Iterator[Tensor | None]:
        """Yield the full frames of each batch of rows, `(b, 3, H, W)`, read one batch ahead; None if not `full`."""
        if not full:
            yield from (None for _ in rows)
            return
        with ThreadPoolExecutor(1) as reader:
            future = reader.submit(self.read_photos, rows[0]) if rows else None
            for next_rows in [*rows[1:], None]:
                assert future is not None
                pixels = future.result()
                if next_rows is not None:
                    future = reader.submit(self.read_photos, next_rows)
                yield pixels_to_tensor(pixels)
