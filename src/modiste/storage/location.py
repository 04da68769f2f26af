"""Where shops can be: in a directory, or on object storage; read and written the same, through a directory."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from modiste.errors import BadOption
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest

# One slash is what a Path makes of two.
_URL_PATTERN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,3}")


def parse_location(path: str | Path) -> Path | str:
    """Where a shop is, as the user wrote it: a directory, with `~` understood, or a URL on object storage.

    Raises BadOption for a URL of another kind.
    """
    text = str(path)
    found = _URL_PATTERN.match(text)
    if found is None:
        return Path(path).expanduser()
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme == "file":
        return Path("/" + unquote(rest))
    from modiste.storage.object_store import SCHEMES, validate_url

    if scheme in SCHEMES:
        return validate_url(f"{scheme}://{rest}")
    raise BadOption(
        f"A shop cannot be at {text}.",
        remedy="Give a directory, or a URL that begins with file://, s3:// or gs://.",
    )


def absolute_location(path: str | Path) -> str:
    """A shop's place as other processes and machines understand it. Raises BadOption."""
    place = parse_location(path)
    return str(place.resolve()) if isinstance(place, Path) else place


def read_manifest(path: str | Path) -> Manifest:
    """What the shop at a place says of itself. Raises ShopNotFound, ShopIncomplete, SchemaError, StorageError."""
    place = parse_location(path)
    if isinstance(place, Path):
        return Manifest.load(place)
    from modiste.storage.remote.commit import read_shop_manifest

    return read_shop_manifest(place)


def read_path(path: str | Path, *, include_training: bool = False) -> Path:
    """The directory to read a shop from: its own, or a copy of it as it is now. `whole`: also what training left.

    Raises what opening a shop raises, where it is on object storage.
    """
    place = parse_location(path)
    if isinstance(place, Path):
        return place
    from modiste.storage.remote.commit import remote_read_path

    return remote_read_path(place, include_training=include_training)


@contextmanager
def write_path(path: str | Path, *, create: bool = False) -> Generator[Path]:
    """The directory to write a shop through, held for one writing stage (ingest, train, encode, cluster, sliders).

    Readers are never kept out. In a directory, what is written is written; on object storage, all of it becomes the
    shop at the end of the block, or nothing. `create`: make a shop where there is none.

    Raises:
        ShopNotFound, ShopIncomplete, SchemaError: there is no shop to write to.
        ShopBusy: another process writes to it.
        StorageError: it may not be written to.
    """
    place = parse_location(path)
    if isinstance(place, Path):
        if not create:
            Manifest.load(place)  # where there is no shop, nothing is made
        with shop_write_lock(place):
            yield place
        return
    from modiste.storage.remote.commit import remote_write_path

    with remote_write_path(place, create=create) as root:
        yield root
