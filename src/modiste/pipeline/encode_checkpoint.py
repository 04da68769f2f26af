"""EncodingCheckpoint: the finished part of an encoding on disk, so that an interrupted one can continue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.storage.atomic import PARTIAL_SUFFIX, atomic_file, remove_path
from modiste.storage.error_translation import storage_errors
from modiste.storage.paths import ShopPaths


class EncodingCheckpoint:
    """Mean and std of `count` products by one model, `n` numbers each, in a memory-mapped file beside the model.

    Rows that are not encoded yet are NaN. The name of the file contains a hash of the photos.
    """

    def __init__(self, files: ShopPaths, model_id: str, photos_hash: str, count: int, latent_dim: int) -> None:
        """Open the file, or create it. Raises StorageError."""
        self.path = files.model(model_id) / f"encodings-{photos_hash[:16]}{PARTIAL_SUFFIX}"
        for other in self.path.parent.glob(f"encodings-*{PARTIAL_SUFFIX}"):
            if other != self.path:
                remove_path(other)
        shape = (2, count, latent_dim)
        with storage_errors(f"Writing {self.path}"):
            if not self.path.exists() or self.path.stat().st_size != 4 * np.prod(shape):
                self._create(shape)
            self._arrays: NDArray[np.float32] = np.memmap(self.path, np.float32, "r+", shape=shape)

    def _create(self, shape: tuple[int, int, int]) -> None:
        """Write the whole file at once, so that a full disk is an error here and no signal while rows are written."""
        row = np.full(shape[2], np.nan, np.float32).tobytes()
        with atomic_file(self.path, durable=False) as partial, partial.open("wb") as file:
            for _ in range(2 * (shape[1] // 4096)):
                file.write(row * 4096)
            file.write(row * (2 * (shape[1] % 4096)))

    @property
    def mean(self) -> NDArray[np.float32]:
        """Means, `(count, n)`."""
        return self._arrays[0]

    @property
    def std(self) -> NDArray[np.float32]:
        """Stds, `(count, n)`."""
        return self._arrays[1]

    def has(self, rows: slice) -> bool:
        """Return whether all of some rows are encoded."""
        return bool(np.isfinite(self._arrays[:, rows]).all())

    def write(self, start: int, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        """Store the rows from `start` on."""
        self._arrays[0, start : start + len(mean)] = mean
        self._arrays[1, start : start + len(std)] = std

    def remove(self) -> None:
        """Remove the file once the encodings are in the store."""
        remove_path(self.path)
