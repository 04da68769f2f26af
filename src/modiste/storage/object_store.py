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
from modiste.storage.refusals import storage_errors

SCHEMES = ("s3", "gs")
MAX_TRANSFERS = 8  # transfers
CHUNK_BYTES = 4 * 2**20  # bytes of an object in memory
# A server that does not answer is told of soon: a command waits seconds for it, not minutes.
MAX_RETRIES, RETRY_TIMEOUT, CONNECT_TIMEOUT = 4, timedelta(seconds=20), "5s"
_URL_PATTERN = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<bucket>[^/?#]+)(?P<prefix>(?:/[^?#]*)?)")


class ETag(NamedTuple):
    """Tells an object from what was, or will be, under its name: S3 knows it by the one, Google by the other."""

    e_tag: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing has it: how many bytes, and when it was written, by the store's own clock.

    `e_tag` is another once its bytes are others.
    """

    name: str
    size: int
    e_tag: str
    last_modified: datetime


class ObjectStore:
    """The objects under one URL, such as `s3://bucket/shops/mine`; names are relative to it.

    Address and credentials are those of the environment (`AWS_*`, `GOOGLE_*`), as all tools of these stores read them.
    Every method raises StorageError where the store refuses, cannot be reached, or nobody has said who asks.
    """

    def __init__(self, url: str) -> None:
        """Raises BadOption where `url` names no place on object storage."""
        self.url = validate_url(url)

    @cached_property
    def _client(self) -> Any:
        from obstore.store import from_url

        client: Any = {"connect_timeout": CONNECT_TIMEOUT, "allow_http": _allows_http()}
        retry: Any = {"max_retries": MAX_RETRIES, "retry_timeout": RETRY_TIMEOUT}
        config: Any = _s3_config() if self.url.startswith("s3:") else {}
        with storage_errors(f"Opening {self.url}"):
            return from_url(self.url, config=config, client_options=client, retry_config=retry)

    def get(self, name: str) -> tuple[bytes, ETag] | None:
        """An object's bytes and its tag; None where there is none."""
        import obstore

        with storage_errors(f"Reading {self.url}/{name}"):
            try:
                found = obstore.get(self._client, name)
                return bytes(found.bytes()), ETag(found.meta["e_tag"], found.meta["version"])
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    def put(self, name: str, data: bytes) -> None:
        """Write an object, whatever was there."""
        import obstore

        with storage_errors(f"Writing {self.url}/{name}"):
            obstore.put(self._client, name, data)

    def conditional_put(self, name: str, data: bytes, tag: ETag | None) -> ETag | None:
        """Write an object where there is none (`tag` None), or in the place of the one with this tag.

        Returns its new tag; None where something else is there, and nothing was written. Data that nobody else would
        write is known again: an answer that was lost on its way does not look like another writer.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if tag is None else {name: held for name, held in tag._asdict().items() if held}
        with storage_errors(f"Writing {self.url}/{name}"):
            try:
                made = obstore.put(self._client, name, data, mode=mode)
                return ETag(made["e_tag"], made["version"])
            except (AlreadyExistsError, PreconditionError):
                found = self.get(name)
                return found[1] if found is not None and found[0] == data else None

    def last_modified(self, name: str) -> datetime | None:
        """When an object was last written, by the store's own clock; None where there is none."""
        import obstore

        with storage_errors(f"Reading {self.url}/{name}"):
            try:
                return obstore.head(self._client, name)["last_modified"]
            except FileNotFoundError:
                return None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose names begin with the folder `under`, or all."""
        import obstore

        with storage_errors(f"Listing {self.url}/{prefix}"):
            for batch in obstore.list(self._client, prefix or None):
                for each in batch:
                    yield ObjectInfo(each["path"], each["size"], str(each["e_tag"]), each["last_modified"])

    def download(self, transfers: Sequence[tuple[str, Path]]) -> None:
        """Write objects to files, some at a time. Raises StorageError where one is not there, too."""
        self._run_concurrently(self._download_one, transfers)

    def upload(self, transfers: Sequence[tuple[Path, str]]) -> None:
        """Write files to objects, some at a time."""
        self._run_concurrently(self._upload_one, transfers)

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there does not matter."""
        import obstore

        listed = list(names)
        with storage_errors(f"Removing from {self.url}"):
            if listed:
                obstore.delete(self._client, listed)

    def _download_one(self, pair: tuple[str, Path]) -> None:
        import obstore

        name, path = pair
        with storage_errors(f"Reading {self.url}/{name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                found = obstore.get(self._client, name)
            except FileNotFoundError:
                raise StorageError(
                    f"{self.url}/{name} is not there any more.",
                    remedy="Open the shop again: a writer has tidied it away. If that says so too: restore a backup.",
                ) from None
            with path.open("wb") as file:
                for chunk in found.stream(CHUNK_BYTES):
                    file.write(chunk)

    def _upload_one(self, pair: tuple[Path, str]) -> None:
        import obstore

        path, name = pair
        with storage_errors(f"Writing {self.url}/{name}"):
            obstore.put(self._client, name, path)

    def _run_concurrently(self, work: Any, pairs: Sequence[Any]) -> None:
        if not pairs:
            return
        _ = self._client  # once, before there are threads
        with ThreadPoolExecutor(min(MAX_TRANSFERS, len(pairs))) as pool:
            for done in [pool.submit(work, pair) for pair in pairs]:
                done.result()


def validate_url(url: str) -> str:
    """A URL on object storage, without a slash at its end. Raises BadOption."""
    found = _URL_PATTERN.fullmatch(url)
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
        "client_max_retries": str(MAX_RETRIES),
        "client_retry_timeout": str(int(RETRY_TIMEOUT.total_seconds())),
        "connect_timeout": CONNECT_TIMEOUT,
        "allow_http": str(_allows_http()).lower(),
    }
    return options | (_s3_config() if url.startswith("s3:") else {})


def s3_endpoint() -> str:
    """The address that the environment gives for S3; "" where it is Amazon's own."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _allows_http() -> bool:
    """Whether to go without TLS: where the address that somebody wrote says so."""
    return s3_endpoint().startswith("http://")


def _s3_config() -> dict[str, str]:
    """Where an S3 is, said to both clients alike."""
    # A region always: LanceDB would otherwise ask Amazon where the bucket is, also of a bucket elsewhere.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return {"region": region} | ({"endpoint": s3_endpoint()} if s3_endpoint() else {})
