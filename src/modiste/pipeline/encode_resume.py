"""Kept: posteriors on disk while a catalogue is being encoded, so that whoever is stopped goes on where it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.storage.atomic import PARTIAL_SUFFIX, atomic_file, remove_path
from modiste.storage.paths import ShopPaths
from modiste.storage.refusals import storage_errors


class EncodingCheckpoint:
    """Mean and std of `count` products by one model, `n` numbers each, in a file beside the model.

    A row that is not done is not a number. The file's name has a hash of the photos that are encoded.
    """

    def __init__(
        self, files: ShopPaths, model_id: str, photos_hash: str, count: int, latent_dim: int
    ) -> None:
        """Opens the file, or makes it. Raises StorageError."""
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
        """Whether all of some rows are done."""
        return bool(np.isfinite(self._arrays[:, rows]).all())

    def write(self, start: int, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        """Keep the rows from `start` on."""
        self._arrays[0, start : start + len(mean)] = mean
        self._arrays[1, start : start + len(std)] = std

    def remove(self) -> None:
        """The encodings are in the store: the file is not needed any more."""
        remove_path(self.path)
