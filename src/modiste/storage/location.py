"""The location of a shop: a directory or a URL, read and written through a directory."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from modiste.errors import BadOption
from modiste.storage.locks import shop_write_lock
from modiste.storage.manifest import Manifest

# A Path turns two slashes into one.
_URL_PATTERN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,3}")


def parse_location(path: str | Path) -> Path | str:
    """Return a directory, with `~` expanded, or a URL on object storage.

    Raises BadOption if the URL has another scheme, or is malformed.
    """
    text = str(path)
    match = _URL_PATTERN.match(text)
    if match is None:
        return Path(path).expanduser()
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme == "file":
        return Path("/" + unquote(rest))
    from modiste.storage.object_store import SCHEMES, validate_url

    if scheme in SCHEMES:
        return validate_url(f"{scheme}://{rest}")
    raise BadOption(
        f"A shop cannot be at {text}.", remedy="Give a directory, or a URL that begins with file://, s3:// or gs://."
    )


def absolute_location(path: str | Path) -> str:
    """Return a shop's location as other processes and machines understand it. Raises BadOption."""
    location = parse_location(path)
    return str(location.resolve()) if isinstance(location, Path) else location


def read_manifest(path: str | Path) -> Manifest:
    """Read the manifest of the shop at a location.

    Raises ShopNotFound, ShopIncomplete or SchemaError if there is no shop, or its manifest cannot be read. Raises
    StorageError if the disk or the object store refuses.
    """
    location = parse_location(path)
    if isinstance(location, Path):
        return Manifest.load(location)
    from modiste.storage.remote.commit import read_shop_manifest

    return read_shop_manifest(location)


def read_path(path: str | Path, *, include_training: bool = False) -> Path:
    """Return the directory to read a shop from: its own, or a cached copy of the shop on object storage.

    With `include_training`, a copy also contains what training left beside the models. Raises ShopNotFound, SchemaError
    or StorageError if a shop on object storage cannot be copied.
    """
    location = parse_location(path)
    if isinstance(location, Path):
        return location
    from modiste.storage.remote.commit import remote_read_path

    return remote_read_path(location, include_training=include_training)


@contextmanager
def write_path(path: str | Path, *, create: bool = False) -> Generator[Path]:
    """Yield the directory to write a shop through, locked for one writing stage.

    Readers are never blocked. In a directory, changes take effect as they are written; on object storage, all of them
    are committed at the end of the block, or none. With `create`, a shop is made if there is none.

    Raises:
        ShopNotFound, ShopIncomplete, SchemaError: there is no shop to write to.
        ShopBusy: another process is writing to it.
        StorageError: the disk or the object store refuses.
    """
    location = parse_location(path)
    if isinstance(location, Path):
        if not create:
            Manifest.load(location)  # raises if there is no shop
        with shop_write_lock(location):
            yield location
        return
    from modiste.storage.remote.commit import remote_write_path

    with remote_write_path(location, create=create) as root:
        yield root
