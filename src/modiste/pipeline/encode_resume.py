"""Kept: posteriors on disk while a catalogue is being encoded, so that whoever is stopped goes on where it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modiste.storage.atomic import PARTIAL, remove
from modiste.storage.paths import ShopFiles
from modiste.storage.refusals import disk_errors


class Kept:
    """Mean and std of `count` products by one model, `n` numbers each, in a file beside the model.

    A row that is not done is not a number. The file's name says which catalogue it is of.
    """

    def __init__(self, files: ShopFiles, model_id: str, catalogue_hash: str, count: int, n: int) -> None:
        """Opens the file, or makes it. Raises StorageError."""
        self.path = files.model(model_id) / f"encodings-{catalogue_hash[:16]}{PARTIAL}"
        for other in self.path.parent.glob(f"encodings-*{PARTIAL}"):
            if other != self.path:
                remove(other)
        shape = (2, count, n)
        with disk_errors(f"Writing {self.path}"):
            if not self.path.exists() or self.path.stat().st_size != 4 * np.prod(shape):
                self._make(shape)
            self._parts: NDArray[np.float32] = np.memmap(self.path, np.float32, "r+", shape=shape)

    def _make(self, shape: tuple[int, int, int]) -> None:
        """Written whole before it gets its name: a full disk is found here, not as a signal while rows are kept."""
        fresh = self.path.with_name(f".{self.path.name}")
        row = np.full(shape[2], np.nan, np.float32).tobytes()
        try:
            with fresh.open("wb") as file:
                for _ in range(2 * (shape[1] // 4096)):
                    file.write(row * 4096)
                file.write(row * (2 * (shape[1] % 4096)))
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)

    @property
    def mean(self) -> NDArray[np.float32]:
        """Means, `(count, n)`."""
        return self._parts[0]

    @property
    def std(self) -> NDArray[np.float32]:
        """Stds, `(count, n)`."""
        return self._parts[1]

    def has(self, rows: slice) -> bool:
        """Whether all of some rows are done."""
        return bool(np.isfinite(self._parts[:, rows]).all())

    def keep(self, start: int, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        """Keep the rows from `start` on."""
        self._parts[0, start : start + len(mean)] = mean
        self._parts[1, start : start + len(std)] = std

    def remove(self) -> None:
        """The encodings are in the store: the file is not needed any more."""
        remove(self.path)
