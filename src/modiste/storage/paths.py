"""Paths of a shop's files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modiste.errors import SchemaError
from modiste.storage.atomic import PARTIAL_SUFFIX
from modiste.storage.locks import LOCK_FILE
from modiste.storage.remote.origin import ORIGIN_FILE, read_origin

UNFINISHED_SUFFIXES = (PARTIAL_SUFFIX, ".writing", ".part")  # atomic writes, training before 0.2, downloads


@dataclass(frozen=True)
class ShopPaths:
    """The paths of one shop, in its directory or in a cached copy of a shop on object storage."""

    root: Path

    @property
    def location(self) -> Path | str:
        """The directory or URL by which users open the shop."""
        origin = read_origin(self.store)
        return self.root if origin is None else origin.url

    @property
    def name(self) -> str:
        """The shop's name: the last part of its location."""
        location = self.location
        return location.resolve().name if isinstance(location, Path) else location.rpartition("/")[2]

    @property
    def manifest(self) -> Path:
        """The shop manifest, shop.json."""
        return self.root / "shop.json"

    @property
    def store(self) -> Path:
        """The directory of the database."""
        return self.root / "store"

    @property
    def models(self) -> Path:
        """The directory of all models."""
        return self.root / "models"

    @property
    def rejected(self) -> Path:
        """The list of photos that ingest rejected."""
        return self.root / "rejected.csv"

    @property
    def downloads(self) -> Path:
        """The directory of downloaded photos."""
        return self.root / "fetched"

    def model(self, model_id: str) -> Path:
        """Return the directory of a model."""
        return self.models / model_id

    def clusters(self, model_id: str) -> Path:
        """Return the path of a model's clusters."""
        return self.model(model_id) / "clusters.json"

    def sliders(self, model_id: str) -> Path:
        """Return the path of a model's sliders."""
        return self.model(model_id) / "sliders.json"

    def index(self, model_id: str) -> Path:
        """Return the directory of a model's search index."""
        return self.model(model_id) / "index"

    def map(self, model_id: str) -> Path:
        """Return the path of a model's catalogue map."""
        return self.model(model_id) / "map.json"


def backup_files(paths: ShopPaths) -> Iterator[str]:
    """Yield the names, relative to the root, of the files that a backup contains.

    Excluded is what only training reads: the dataset cache, runs (a finished model has its own weights and metrics),
    and downloads. Raises SchemaError if there is a link or a special file in the shop, and OSError if the disk refuses.
    """
    for folder, folders, names in os.walk(paths.root, onerror=_raise):
        parent = Path(folder)
        folders[:] = [name for name in folders if not _is_excluded(paths, parent / name)]
        for name in [*folders, *names]:
            path = parent / name
            if _is_excluded(paths, path):
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise SchemaError(
                    f"{path} is a link or not a regular file, and a backup would not contain its target.",
                    remedy="Replace it by the files themselves, then make the backup again.",
                )
            if path.is_file():
                yield path.relative_to(paths.root).as_posix()


def _is_excluded(paths: ShopPaths, path: Path) -> bool:
    is_training_state = path.parent == paths.models and (path.name == "prepared" or path.name.startswith("run-"))
    return (
        is_training_state
        or path == paths.downloads
        or path.name in (LOCK_FILE, ORIGIN_FILE)
        or path.name.endswith(UNFINISHED_SUFFIXES)
    )


def _raise(error: OSError) -> None:
    raise error
