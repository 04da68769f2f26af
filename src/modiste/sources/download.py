"""Polite photo downloads: the paper's scraping stage, as a shop's server would want it.

A few requests at once, a few per second to one host, an honest user agent, and waits where the server asks for them.
No photo is downloaded twice: files stay in a folder, so an interrupted run resumes where it stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from modiste.errors import BadOption, FetchError, StorageError

USER_AGENT = "modiste/0.1 (product photo fetcher; one catalogue, rate limited; httpx)"
CONCURRENCY, PER_HOST_RATE = 8, 4.0  # requests at once, and to one host in a second
READ_AHEAD = 32  # urls read ahead, for each of the concurrent requests
MAX_WAIT_SECONDS = 60.0
"""The longest wait that a server's Retry-After can ask for; a photo that would have to wait longer fails."""

FetchResult: TypeAlias = Path | FetchError
_PHOTO_TYPES = {"image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/webp"}
_UNKNOWN_TYPES = {"", "application/octet-stream", "binary/octet-stream"}
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}
_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class _Limits:
    concurrency: int
    per_host_rate: float
    retries: int
    timeout: float
    total_timeout: float
    max_bytes: int
    backoff: float


class _TransientError(Exception):
    """A failure that is worth another attempt, after `wait` seconds where the server said so."""

    def __init__(self, error: FetchError, wait: float | None = None) -> None:
        self.error = error
        self.wait = wait


def fetch_all(
    urls: Iterable[str],
    folder: Path,
    *,
    concurrency: int = CONCURRENCY,
    per_host_rate: float = PER_HOST_RATE,
    retries: int = 4,
    timeout: float = 20.0,
    total_timeout: float = 60.0,
    max_bytes: int = 10_000_000,
    backoff: float = 1.0,
) -> Iterator[tuple[str, FetchResult]]:
    """Yield each url with the file of its photo, or with the FetchError that says why there is none.

    Results come in the order of arrival, one for each url. `folder` keeps the files, one per address (named by its
    SHA-256), each written atomically; a url with a file is not requested again.

    At most `concurrency` requests run at once and `per_host_rate` start per second and host. A failure that may pass
    (no connection, time-out, interrupted response, 408, 425, 429, 5xx) is retried up to `retries` times, after
    `backoff` · 2ⁿ seconds or the time in Retry-After (which delays the whole host). `timeout` (s) bounds each wait for
    the server, `total_timeout` (s) a whole photo, `max_bytes` its size. Closing the iterator cancels every request.

    A FetchError's `reason` is one of `bad_url`, `unreachable`, `timeout`, `truncated`, `wrong_type`, `too_large`,
    `http_404` (or another status). Raises StorageError if the folder cannot be written and BadOption if a limit is out
    of range.
    """
    if concurrency < 1 or per_host_rate <= 0 or retries < 0:
        raise BadOption(
            f"concurrency {concurrency}, per_host_rate {per_host_rate} and retries {retries} are out of range.",
            remedy="Give a concurrency of at least 1, a rate over 0 and retries of at least 0.",
        )
    limits = _Limits(concurrency, per_host_rate, retries, timeout, total_timeout, max_bytes, backoff)
    with _Downloader(folder, limits) as downloader:
        remaining, pending = iter(urls), dict[Future[FetchResult], str]()
        while True:
            for url in islice(remaining, concurrency * READ_AHEAD - len(pending)):
                pending[downloader.start(url)] = url
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                yield pending.pop(future), future.result()


def cached_path(folder: Path, url: str) -> Path:
    """Return the file in which `fetch_all` keeps the photo of `url`."""
    key = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()
    return folder / key[:2] / key


class _Downloader:
    """Downloads on an event loop in a thread of its own.

    An event loop can cancel a request at any moment, even one whose server sends a byte now and then.
    """

    def __init__(self, folder: Path, limits: _Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._host_locks = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._turns = defaultdict[str, float](float)  # when a host may be asked next (monotonic seconds)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="modiste-fetch", daemon=True)
        self._client = httpx.AsyncClient(
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "image/jpeg,image/png,image/webp",
                "Accept-Encoding": "identity",
            },
            timeout=limits.timeout,
            limits=httpx.Limits(max_connections=limits.concurrency),
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
        )

    def __enter__(self) -> _Downloader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, url: str) -> Future[FetchResult]:
        return asyncio.run_coroutine_threadsafe(self._download(url), self._loop)

    async def _close(self) -> None:
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._client.aclose()

    async def _download(self, url: str) -> FetchResult:
        path, host = cached_path(self._folder, url), _parse_host(url)
        if path.is_file():
            return path
        if not host:
            return _fetch_error(url, "bad_url", "it is not an http or https address")
        attempt = 0
        while True:
            async with self._turn(host):
                # The same url may have been given twice.
                outcome = path if path.is_file() else await self._request(url, path)
            if not isinstance(outcome, _TransientError):
                return outcome
            retry_after = outcome.wait
            if attempt == self._limits.retries or (retry_after or 0.0) > MAX_WAIT_SECONDS:
                return outcome.error
            pause = min(self._limits.backoff * 2**attempt, MAX_WAIT_SECONDS) if retry_after is None else retry_after
            if retry_after is not None:
                self._turns[host] = max(self._turns[host], time.monotonic() + retry_after)
            await asyncio.sleep(pause)
            attempt += 1

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncGenerator[None]:
        """Wait for the host's turn and for one of the concurrent requests, and hold the latter during the block."""
        async with self._host_locks[host]:
            while True:
                await asyncio.sleep(self._turns[host] - time.monotonic())
                await self._slots.acquire()
                if self._turns[host] <= time.monotonic():
                    break
                self._slots.release()  # the host asked for a pause in the meantime
            self._turns[host] = time.monotonic() + 1.0 / self._limits.per_host_rate
        try:
            yield
        finally:
            self._slots.release()

    async def _request(self, url: str, path: Path) -> FetchResult | _TransientError:
        """Request a photo once and write it to its file. Raises StorageError."""
        try:
            async with asyncio.timeout(self._limits.total_timeout):
                body = await self._read_body(url)
        except (FetchError, _TransientError) as error:
            return error
        except TimeoutError:
            # not retried: a server that drips bytes for a minute would do so again
            return _fetch_error(url, "timeout", f"it took over {self._limits.total_timeout:g} s in total")
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects, ValueError) as error:
            return _fetch_error(url, "bad_url", str(error))
        except httpx.TimeoutException:
            return _TransientError(_fetch_error(url, "timeout", f"no response within {self._limits.timeout:g} s"))
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            return _TransientError(_fetch_error(url, "truncated", f"the response was interrupted: {error}"))
        except (httpx.HTTPError, OSError) as error:
            return _TransientError(_fetch_error(url, "unreachable", str(error) or type(error).__name__))
        _write_photo(path, body)
        return path

    async def _read_body(self, url: str) -> bytes:
        async with self._client.stream("GET", url) as response:
            _check_status(url, response)
            _check_type(url, response)
            limit = self._limits.max_bytes
            if int(response.headers.get("content-length", "0")) > limit:
                raise _fetch_error(url, "too_large", f"{response.headers['content-length']} bytes, over {limit}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit:
                    raise _fetch_error(url, "too_large", f"over {limit} bytes")
        if not body.startswith(_SIGNATURES):
            raise _fetch_error(
                url, "wrong_type", "the response is not a JPEG, PNG or WebP, in spite of its content type"
            )
        return bytes(body)


def _parse_host(url: str) -> str:
    """Return host and port in lower case; empty if the url is not an http(s) address, so that nothing is requested."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2].lower() if parts.scheme.lower() in ("http", "https") else ""


def _check_status(url: str, response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    error = _fetch_error(url, f"http_{response.status_code}", response.reason_phrase or "no reason given")
    if response.status_code in _TRANSIENT_STATUSES:
        raise _TransientError(error, _parse_retry_after(response))
    raise error


def _check_type(url: str, response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _PHOTO_TYPES | _UNKNOWN_TYPES:
        raise _fetch_error(url, "wrong_type", f"the response is {kind}, not a photo")


def _parse_retry_after(response: httpx.Response) -> float | None:
    """Return the seconds in Retry-After (RFC 9110, 10.2.3: a number, or a date), or None without a valid one."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        deadline = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (deadline.replace(tzinfo=deadline.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _fetch_error(url: str, reason: str, detail: str) -> FetchError:
    return FetchError(
        f"{url} could not be fetched: {detail}.",
        remedy="Check the address; the next `modiste ingest` tries it again.",
        reason=reason,
    )


def _write_photo(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(body)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StorageError(
            f"A fetched photo cannot be written to {path.parent}: {error.strerror}.",
            remedy="Free some space or check the permissions, and run the same command again.",
        ) from error
