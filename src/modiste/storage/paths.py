"""Where every file of a shop lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modiste.errors import SchemaError
from modiste.storage.atomic import PARTIAL_SUFFIX
from modiste.storage.locks import LOCK_FILE
from modiste.storage.remote.origin import ORIGIN_FILE as ORIGIN
from modiste.storage.remote.origin import read_origin

UNFINISHED_SUFFIXES = (PARTIAL_SUFFIX, ".writing", ".part")  # ours, training's, and that of fetching photos


@dataclass(frozen=True)
class ShopPaths:
    """The paths of one shop: in its directory, or in a copy of it if it is on object storage."""

    root: Path

    @property
    def location(self) -> Path | str:
        """Where the shop is, as one says it to open it: its directory, or its URL."""
        origin = read_origin(self.store)
        return self.root if origin is None else origin.url

    @property
    def name(self) -> str:
        """What the shop is called: the last part of where it is."""
        place = self.location
        return place.resolve().name if isinstance(place, Path) else place.rpartition("/")[2]

    @property
    def manifest(self) -> Path:
        return self.root / "shop.json"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected.csv"

    @property
    def downloads(self) -> Path:
        return self.root / "fetched"

    def model(self, model_id: str) -> Path:
        return self.models / model_id

    def clusters(self, model_id: str) -> Path:
        return self.model(model_id) / "clusters.json"

    def sliders(self, model_id: str) -> Path:
        return self.model(model_id) / "sliders.json"

    def index(self, model_id: str) -> Path:
        return self.model(model_id) / "index"

    def map(self, model_id: str) -> Path:
        return self.model(model_id) / "map.json"


def backup_files(files: ShopPaths) -> Iterator[str]:
    """The files of a shop that are the shop: what a backup holds, by their names in it.

    What only training reads is left out: prepared photos, runs (a finished model has its own weights and measures), and
    fetched originals. Raises SchemaError for what is no plain file, OSError where the disk refuses.
    """
    for folder, folders, names in os.walk(files.root, onerror=_raise):
        here = Path(folder)
        folders[:] = [name for name in folders if not _is_excluded(files, here / name)]
        for name in [*folders, *names]:
            path = here / name
            if _is_excluded(files, path):
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise SchemaError(
                    f"{path} is a link, or no plain file: a backup would not hold what it stands for.",
                    remedy="Put the files themselves there, then make the backup again.",
                )
            if path.is_file():
                yield path.relative_to(files.root).as_posix()


def _is_excluded(files: ShopPaths, path: Path) -> bool:
    trains = path.parent == files.models and (path.name == "prepared" or path.name.startswith("run-"))
    no_part = (
        path == files.downloads or path.name in (LOCK_FILE, ORIGIN) or path.name.endswith(UNFINISHED_SUFFIXES)
    )
    return trains or no_part


def _raise(error: OSError) -> None:
    raise error
