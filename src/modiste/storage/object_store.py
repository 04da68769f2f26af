"""S3 and Google Cloud Storage: read, write and list objects below a URL, with conditional writes."""

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
from modiste.storage.error_translation import storage_errors

SCHEMES = ("s3", "gs")
MAX_TRANSFERS = 8  # concurrent uploads or downloads
CHUNK_BYTES = 4 * 2**20
# Report a server that does not answer within seconds, not minutes.
MAX_RETRIES, RETRY_TIMEOUT, CONNECT_TIMEOUT = 4, timedelta(seconds=20), "5s"
_URL_PATTERN = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<bucket>[^/?#]+)(?P<prefix>(?:/[^?#]*)?)")


class ETag(NamedTuple):
    """The identity of an object's content: S3 uses the ETag, Google the version."""

    e_tag: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A listed object: its size in bytes, and when it was written, by the store's own clock.

    `e_tag` changes with the object's bytes.
    """

    name: str
    size: int
    e_tag: str
    last_modified: datetime


class ObjectStore:
    """The objects below one URL, such as `s3://bucket/shops/mine`; names are relative to it.

    Endpoint and credentials come from the environment (`AWS_*`, `GOOGLE_*`), as for all clients of these stores. Every
    method raises StorageError if the store refuses, cannot be reached, or there are no credentials.
    """

    def __init__(self, url: str) -> None:
        """Raise BadOption if `url` is not a URL on object storage."""
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
        """Return an object's bytes and its tag; None if there is no such object."""
        with storage_errors(f"Reading {self.url}/{name}"):
            try:
                response = self._client.get(name)
                return bytes(response.bytes()), ETag(response.meta["e_tag"], response.meta["version"])
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    def put(self, name: str, data: bytes) -> None:
        """Write an object, unconditionally."""
        with storage_errors(f"Writing {self.url}/{name}"):
            self._client.put(name, data)

    def conditional_put(self, name: str, data: bytes, tag: ETag | None) -> ETag | None:
        """Write an object if none is there (`tag` is None), or if the one that is there has this tag.

        If the answer to a write is lost and the client repeats it, the repeated write fails its condition; it counts as
        done if the object has our bytes. So `data` must be bytes that nobody else would write.

        Returns:
            The object's new tag; None if another object is there, and nothing was written.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if tag is None else {name: value for name, value in tag._asdict().items() if value}
        with storage_errors(f"Writing {self.url}/{name}"):
            try:
                result = self._client.put(name, data, mode=mode)
                return ETag(result["e_tag"], result["version"])
            except (AlreadyExistsError, PreconditionError):
                current = self.get(name)
                return current[1] if current is not None and current[0] == data else None

    def last_modified(self, name: str) -> datetime | None:
        """Return when an object was last written, by the store's own clock; None if there is none."""
        with storage_errors(f"Reading {self.url}/{name}"):
            try:
                return self._client.head(name)["last_modified"]
            except FileNotFoundError:
                return None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield all objects below the folder `prefix`."""
        with storage_errors(f"Listing {self.url}/{prefix}"):
            for batch in self._client.list(prefix or None):
                for item in batch:
                    yield ObjectInfo(item["path"], item["size"], str(item["e_tag"]), item["last_modified"])

    def download(self, transfers: Sequence[tuple[str, Path]]) -> None:
        """Write objects to files, several at a time. A missing object raises StorageError, too."""
        self._run_concurrently(self._download_one, transfers)

    def upload(self, transfers: Sequence[tuple[Path, str]]) -> None:
        """Write files to objects, several at a time."""
        self._run_concurrently(self._upload_one, transfers)

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; missing ones are ignored."""
        paths = list(names)
        with storage_errors(f"Removing from {self.url}"):
            if paths:
                self._client.delete(paths)

    def _download_one(self, transfer: tuple[str, Path]) -> None:
        name, path = transfer
        with storage_errors(f"Reading {self.url}/{name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                response = self._client.get(name)
            except FileNotFoundError:
                raise StorageError(
                    f"{self.url}/{name} no longer exists.",
                    remedy="Open the shop again, because a writer has replaced it. If the error remains, restore a "
                    "backup.",
                ) from None
            with path.open("wb") as file:
                for chunk in response.stream(CHUNK_BYTES):
                    file.write(chunk)

    def _upload_one(self, transfer: tuple[Path, str]) -> None:
        path, name = transfer
        with storage_errors(f"Writing {self.url}/{name}"):
            self._client.put(name, path)

    def _run_concurrently(self, transfer_one: Any, transfers: Sequence[Any]) -> None:
        if not transfers:
            return
        _ = self._client  # create it once, before there are threads
        with ThreadPoolExecutor(min(MAX_TRANSFERS, len(transfers))) as pool:
            for future in [pool.submit(transfer_one, transfer) for transfer in transfers]:
                future.result()


def validate_url(url: str) -> str:
    """Return a URL on object storage without a slash at its end. Raises BadOption."""
    match = _URL_PATTERN.fullmatch(url)
    parts = [] if match is None else match["prefix"].strip("/").split("/")
    if match is None or match["scheme"] not in SCHEMES or any(part in (".", "..") for part in parts):
        raise BadOption(
            f"{url} is not a URL on object storage.", remedy="Write it as s3://bucket/path or gs://bucket/path."
        )
    return url.rstrip("/")


def lance_options(url: str) -> dict[str, str]:
    """Return LanceDB's storage options for a store, beside what it reads from the environment."""
    options = {
        "client_max_retries": str(MAX_RETRIES),
        "client_retry_timeout": str(int(RETRY_TIMEOUT.total_seconds())),
        "connect_timeout": CONNECT_TIMEOUT,
        "allow_http": str(_allows_http()).lower(),
    }
    return options | (_s3_config() if url.startswith("s3:") else {})


def s3_endpoint() -> str:
    """Return the S3 endpoint of the environment; "" for Amazon's own."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _allows_http() -> bool:
    """Return whether to connect without TLS: only to an endpoint that begins with http://."""
    return s3_endpoint().startswith("http://")


def _s3_config() -> dict[str, str]:
    """Return region and endpoint, the same for both clients."""
    # Always set a region: LanceDB would otherwise ask Amazon for the bucket's, even if the bucket is elsewhere.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return {"region": region} | ({"endpoint": s3_endpoint()} if s3_endpoint() else {})
