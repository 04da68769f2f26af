"""Object storage behind one door: objects by name under a URL, written whole, and on condition where two may write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from modiste.errors import BadOption, StorageError
from modiste.storage.refusals import disk_errors

SCHEMES = ("s3", "gs")
AT_ONCE = 8  # transfers
CHUNK = 4 * 2**20  # bytes of an object in memory
# A server that does not answer is told of soon: a command waits seconds for it, not minutes.
RETRIES, RETRY_FOR, CONNECT_WITHIN = 4, timedelta(seconds=20), "5s"
_URL = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<bucket>[^/?#]+)(?P<prefix>(?:/[^?#]*)?)")


class Tag(NamedTuple):
    """Tells an object from what was, or will be, under its name: S3 knows it by the one, Google by the other."""

    e_tag: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing has it: how many bytes, and when it was written, by the store's own clock.

    `e_tag` is another once its bytes are others.
    """

    name: str
    bytes: int
    e_tag: str
    written: datetime


class Objects:
    """The objects under one URL, such as `s3://bucket/shops/mine`; names are relative to it.

    Address and credentials are those of the environment (`AWS_*`, `GOOGLE_*`), as all tools of these stores read them.
    Every method raises StorageError where the store refuses, cannot be reached, or nobody has said who asks.
    """

    def __init__(self, url: str) -> None:
        """Raises BadOption where `url` names no place on object storage."""
        self.url = checked(url)

    @cached_property
    def _store(self) -> Any:
        from obstore.store import from_url

        client: Any = {"connect_timeout": CONNECT_WITHIN, "allow_http": _plain_http()}
        retry: Any = {"max_retries": RETRIES, "retry_timeout": RETRY_FOR}
        config: Any = _address() if self.url.startswith("s3:") else {}
        with disk_errors(f"Opening {self.url}"):
            return from_url(self.url, config=config, client_options=client, retry_config=retry)

    def get(self, name: str) -> tuple[bytes, Tag] | None:
        """An object's bytes and its tag; None where there is none."""
        import obstore

        with disk_errors(f"Reading {self.url}/{name}"):
            try:
                found = obstore.get(self._store, name)
                return bytes(found.bytes()), Tag(found.meta["e_tag"], found.meta["version"])
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    def put(self, name: str, data: bytes) -> None:
        """Write an object, whatever was there."""
        import obstore

        with disk_errors(f"Writing {self.url}/{name}"):
            obstore.put(self._store, name, data)

    def put_if(self, name: str, data: bytes, tag: Tag | None) -> Tag | None:
        """Write an object where there is none (`tag` None), or in the place of the one with this tag.

        Returns its new tag; None where something else is there, and nothing was written. Data that nobody else would
        write is known again: an answer that was lost on its way does not look like another writer.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if tag is None else {name: held for name, held in tag._asdict().items() if held}
        with disk_errors(f"Writing {self.url}/{name}"):
            try:
                made = obstore.put(self._store, name, data, mode=mode)
                return Tag(made["e_tag"], made["version"])
            except (AlreadyExistsError, PreconditionError):
                found = self.get(name)
                return found[1] if found is not None and found[0] == data else None

    def written(self, name: str) -> datetime | None:
        """When an object was last written, by the store's own clock; None where there is none."""
        import obstore

        with disk_errors(f"Reading {self.url}/{name}"):
            try:
                return obstore.head(self._store, name)["last_modified"]
            except FileNotFoundError:
                return None

    def list(self, under: str = "") -> Iterator[Listed]:
        """All objects whose names begin with the folder `under`, or all."""
        import obstore

        with disk_errors(f"Listing {self.url}/{under}"):
            for batch in obstore.list(self._store, under or None):
                for each in batch:
                    yield Listed(each["path"], each["size"], str(each["e_tag"]), each["last_modified"])

    def download(self, wanted: Sequence[tuple[str, Path]]) -> None:
        """Write objects to files, some at a time. Raises StorageError where one is not there, too."""
        self._each(self._fetch, wanted)

    def upload(self, held: Sequence[tuple[Path, str]]) -> None:
        """Write files to objects, some at a time."""
        self._each(self._send, held)

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there does not matter."""
        import obstore

        listed = list(names)
        with disk_errors(f"Removing from {self.url}"):
            if listed:
                obstore.delete(self._store, listed)

    def _fetch(self, pair: tuple[str, Path]) -> None:
        import obstore

        name, path = pair
        with disk_errors(f"Reading {self.url}/{name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                found = obstore.get(self._store, name)
            except FileNotFoundError:
                raise StorageError(
                    f"{self.url}/{name} is not there any more.",
                    remedy="Open the shop again: a writer has tidied it away. If that says so too: restore a backup.",
                ) from None
            with path.open("wb") as file:
                for chunk in found.stream(CHUNK):
                    file.write(chunk)

    def _send(self, pair: tuple[Path, str]) -> None:
        import obstore

        path, name = pair
        with disk_errors(f"Writing {self.url}/{name}"):
            obstore.put(self._store, name, path)

    def _each(self, work: Any, pairs: Sequence[Any]) -> None:
        if not pairs:
            return
        _ = self._store  # once, before there are threads
        with ThreadPoolExecutor(min(AT_ONCE, len(pairs))) as pool:
            for done in [pool.submit(work, pair) for pair in pairs]:
                done.result()


def checked(url: str) -> str:
    """A URL on object storage, without a slash at its end. Raises BadOption."""
    found = _URL.fullmatch(url)
    parts = [] if found is None else found["prefix"].strip("/").split("/")
    if found is None or found["scheme"] not in SCHEMES or any(part in (".", "..") for part in parts):
        raise BadOption(
            f"{url} is no place on object storage.",
            remedy="Write it as s3://bucket/path or gs://bucket/path.",
        )
    return url.rstrip("/")


def lance_options(url: str) -> dict[str, str]:
    """What LanceDB is told of a store, beside what it reads from the environment itself."""
    options = {
        "client_max_retries": str(RETRIES),
        "client_retry_timeout": str(int(RETRY_FOR.total_seconds())),
        "connect_timeout": CONNECT_WITHIN,
        "allow_http": str(_plain_http()).lower(),
    }
    return options | (_address() if url.startswith("s3:") else {})


def endpoint() -> str:
    """The address that the environment gives for S3; "" where it is Amazon's own."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _plain_http() -> bool:
    """Whether to go without TLS: where the address that somebody wrote says so."""
    return endpoint().startswith("http://")


def _address() -> dict[str, str]:
    """Where an S3 is, said to both clients alike."""
    # A region always: LanceDB would otherwise ask Amazon where the bucket is, also of a bucket elsewhere.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return {"region": region} | ({"endpoint": endpoint()} if endpoint() else {})
