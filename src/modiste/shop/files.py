"""Where things lie in a shop's directory, and how files there are written: whole or not at all, by one process."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modiste.errors import SchemaError, not_allowed
from modiste.store.disk import LOCK, disk_errors, one_writer, sync
from modiste.store.origin import FILE as ORIGIN
from modiste.store.origin import origin_of

PARTIAL = ".partial"
UNFINISHED = (PARTIAL, ".writing", ".part")  # ours, training's, and that of fetching photos
SEAL = "seal"  # the name under which a JSON file has the checksum of the rest


@dataclass(frozen=True)
class ShopFiles:
    """The paths of one shop: in its directory, or in a copy of it if it is on object storage."""

    root: Path

    @property
    def place(self) -> Path | str:
        """Where the shop is, as one says it to open it: its directory, or its URL."""
        origin = origin_of(self.store)
        return self.root if origin is None else origin.url

    @property
    def name(self) -> str:
        """What the shop is called: the last part of where it is."""
        place = self.place
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
    def fetched(self) -> Path:
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


def kept(files: ShopFiles) -> Iterator[str]:
    """The files of a shop that are the shop: what a backup holds, by their names in it.

    What only training reads is left out: prepared photos, runs (a finished model has its own weights and measures), and
    fetched originals. Raises SchemaError for what is no plain file, OSError where the disk refuses.
    """
    for folder, folders, names in os.walk(files.root, onerror=_refuse):
        here = Path(folder)
        folders[:] = [name for name in folders if not _left_out(files, here / name)]
        for name in [*folders, *names]:
            path = here / name
            if _left_out(files, path):
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise SchemaError(
                    f"{path} is a link, or no plain file: a backup would not hold what it stands for.",
                    remedy="Put the files themselves there, then make the backup again.",
                )
            if path.is_file():
                yield path.relative_to(files.root).as_posix()


def _left_out(files: ShopFiles, path: Path) -> bool:
    trains = path.parent == files.models and (path.name == "prepared" or path.name.startswith("run-"))
    no_part = path == files.fetched or path.name in (LOCK, ORIGIN) or path.name.endswith(UNFINISHED)
    return trains or no_part


def _refuse(error: OSError) -> None:
    raise error


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably: readers see the old file or the new one, never a part.

    Raises:
        StorageError: the disk refused; `path` is as it was.
    """
    partial = partial_of(path)
    with disk_errors(f"Writing {path}"):
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync(path.parent)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


def partial_of(path: Path) -> Path:
    """Where this process writes what is to become `path`: beside it, under a name that says so."""
    return path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")


def clear_partials(path: Path) -> None:
    """Remove what processes that were killed have left beside `path` of what was to become it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL}"):
        number = left.name.removesuffix(PARTIAL).rpartition(".")[2]
        if number.isdigit() and not _is_alive(int(number)):
            remove(left)


def remove(path: Path) -> None:
    """Remove a file, or a directory with all in it, as far as the disk lets us."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """An object for JSON, with a checksum of itself."""
    return value | {SEAL: _seal(value)}


def unsealed(raw: Any) -> Any:
    """What `sealed` was given, from the JSON that was made of it; what has no seal as it is.

    Raises ValueError where the seal does not fit: a bit has changed, or somebody has written into it.
    """
    if not isinstance(raw, dict) or SEAL not in raw:
        return raw
    held = dict(cast("dict[str, Any]", raw))
    if held.pop(SEAL) != _seal(held):
        raise ValueError(f"it is not as it was written (to edit it by hand, take out its {SEAL!r})")
    return held


def read_json(path: Path) -> Any:
    """What a JSON file of ours says, its seal checked and taken off.

    Raises StorageError where it may not be read, OSError, and ValueError where it is damaged.
    """
    try:
        return unsealed(json.loads(path.read_text(encoding="utf-8")))
    except PermissionError:
        raise not_allowed(path) from None
    except RecursionError:
        raise ValueError("lists or objects too deep in each other") from None


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """A value as JSON in UTF-8. What no text can hold, such as a name of a file that is not UTF-8, is written out."""
    # As it happens, Python's way to write a lone surrogate out is JSON's as well.
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _seal(value: dict[str, Any]) -> str:
    """The same for an object however its JSON is laid out."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, whole or not at all. Raises StorageError."""
    write_whole(path, json_bytes(value, 1) + b"\n")


@contextmanager
def writing(root: Path) -> Generator[None]:
    """Hold the shop for one writing stage (ingest, train, encode, cluster, sliders); readers are never kept out.

    Raises:
        ShopBusy: another process holds it.
        StorageError: the directory may not be written to.
    """
    with disk_errors(f"Opening {root}"):
        root.mkdir(parents=True, exist_ok=True)
    with one_writer(root):
        yield
