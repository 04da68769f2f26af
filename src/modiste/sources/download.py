"""Polite photo downloads: the paper's scraping stage, as a shop's server would want it.

A few requests at once, a few per second to one host, an honest user agent, and waits where the server asks for them.
No photo is downloaded twice: files stay in a folder, so an interrupted run resumes where it stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from modiste.errors import BadOption, FetchError, StorageError

USER_AGENT = "modiste/0.1 (product photo fetcher; one catalogue, rate limited; httpx)"
CONCURRENCY, PER_HOST_RATE = 8, 4.0  # requests at once, and to one host in a second
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
    timeout: float
    total_timeout: float
    max_bytes: int


@dataclass(order=True)
class _Task:
    """One address in the queue; ordered by its due time."""

    due_time: float
    number: int
    url: str = field(compare=False)
    host: str = field(compare=False)
    attempts: int = field(compare=False, default=0)


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
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[str, FetchResult]]:
    """Yield each url with the file of its photo, or with the FetchError that says why there is none.

    Results come in the order of arrival, one for each url. `folder` keeps the files, one per address (named by its
    SHA-256), each written atomically; a url with a file is not requested again.

    At most `concurrency` requests run at once and `per_host_rate` start per second and host. A failure that may pass
    (no connection, time-out, interrupted response, 408, 425, 429, 5xx) is retried up to `retries` times, after
    `backoff` · 2ⁿ seconds or the time in Retry-After (which delays the whole host). `timeout` (s) bounds each wait for
    the server, `total_timeout` (s) a whole photo, `max_bytes` its size. `on_progress` is called with the number of urls
    done. Closing the iterator cancels every request.

    A FetchError's `reason` is one of `bad_url`, `unreachable`, `timeout`, `truncated`, `wrong_type`, `too_large`,
    `http_404` (or another status). Raises StorageError if the folder cannot be written and BadOption if a limit is out
    of range.
    """
    if concurrency < 1 or per_host_rate <= 0 or retries < 0:
        raise BadOption(
            f"concurrency {concurrency}, per_host_rate {per_host_rate} and retries {retries} are out of range.",
            remedy="Give a concurrency of at least 1, a rate over 0 and retries of at least 0.",
        )
    limits = _Limits(timeout, total_timeout, max_bytes)
    with _Requests(folder, concurrency, limits) as requests:
        queue = _Queue(iter(urls), folder, per_host_rate, ahead=concurrency * 32)
        running: dict[Future[Path], _Task] = {}
        done = 0
        while running or queue or queue.cached:
            while queue.cached:
                done += 1
                if on_progress is not None:
                    on_progress(done)
                yield queue.cached.popleft()
                queue.refill()
            if not running and not queue:
                break
            now = time.monotonic()
            while len(running) < concurrency and (task := queue.pop_due(now)) is not None:
                running[requests.start(task.url)] = task
            # wait for a response or for the next task that is due, whichever is first
            pause = max(0.0, queue.next_due_time() - now) if len(running) < concurrency and queue else None
            if not running:
                time.sleep(pause or 0.0)
                continue
            finished, _ = wait(running, timeout=pause, return_when=FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                outcome = _handle_result(future, task, queue, retries, backoff)
                if outcome is not None:
                    done += 1
                    if on_progress is not None:
                        on_progress(done)
                    yield task.url, outcome


def cached_path(folder: Path, url: str) -> Path:
    """Return the file in which `fetch_all` keeps the photo of `url`."""
    key = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()
    return folder / key[:2] / key


def _handle_result(
    future: Future[Path], task: _Task, queue: _Queue, retries: int, backoff: float
) -> FetchResult | None:
    """Return the result of a task, or None where it goes back into the queue."""
    try:
        return future.result()
    except FetchError as error:
        return error
    except _TransientError as failure:
        task.attempts += 1
        retry_after = failure.wait
        if task.attempts > retries or (retry_after is not None and retry_after > MAX_WAIT_SECONDS):
            return failure.error
        pause = backoff * 2 ** (task.attempts - 1) if retry_after is None else retry_after
        task.due_time = time.monotonic() + min(pause, MAX_WAIT_SECONDS)
        queue.put_back(task, delay_host=retry_after is not None)
        return None


class _Queue:
    """Tasks ordered by due time: a host's next turn, or the end of a back-off. Reads urls as they are needed."""

    def __init__(self, urls: Iterator[str], folder: Path, per_host_rate: float, ahead: int) -> None:
        self.cached: deque[tuple[str, FetchResult]] = deque()
        self._urls = urls
        self._folder = folder
        self._interval = 1.0 / per_host_rate
        self._ahead = ahead
        self._tasks: list[_Task] = []
        self._turns: dict[str, float] = {}
        self._number = 0
        self.refill()

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def next_due_time(self) -> float:
        """Return when the next task is due (monotonic seconds)."""
        return self._tasks[0].due_time

    def pop_due(self, now: float) -> _Task | None:
        """Return a task that is due and take its host's turn; None if there is none."""
        while self._tasks and self._tasks[0].due_time <= now:
            task = heapq.heappop(self._tasks)
            turn = self._turns.get(task.host, 0.0)
            if task.host and turn > now:
                task.due_time = turn
                heapq.heappush(self._tasks, task)
                continue
            self._turns[task.host] = now + self._interval
            self.refill()
            return task
        return None

    def put_back(self, task: _Task, *, delay_host: bool) -> None:
        """Retry `task` when it is due; with `delay_host`, no request goes to its host before that."""
        if delay_host:
            self._turns[task.host] = max(self._turns.get(task.host, 0.0), task.due_time)
        heapq.heappush(self._tasks, task)

    def refill(self) -> None:
        """Read urls ahead. Those with a file go to `cached`: they need no request and no turn."""
        while len(self._tasks) + len(self.cached) < self._ahead and (url := next(self._urls, None)) is not None:
            path = cached_path(self._folder, url)
            if path.is_file():
                self.cached.append((url, path))
                continue
            self._number += 1
            heapq.heappush(self._tasks, _Task(0.0, self._number, url, _parse_host(url)))


class _Requests:
    """HTTP requests on an event loop in a thread of their own.

    An event loop can cancel a request at any moment, even one whose server sends a byte now and then.
    """

    def __init__(self, folder: Path, concurrency: int, limits: _Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="modiste-fetch", daemon=True)
        self._client = httpx.AsyncClient(
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "image/jpeg,image/png,image/webp",
                "Accept-Encoding": "identity",
            },
            timeout=limits.timeout,
            limits=httpx.Limits(max_connections=concurrency),
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
        )

    def __enter__(self) -> _Requests:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, url: str) -> Future[Path]:
        return asyncio.run_coroutine_threadsafe(self._fetch_photo(url), self._loop)

    async def _close(self) -> None:
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._client.aclose()

    async def _fetch_photo(self, url: str) -> Path:
        path = cached_path(self._folder, url)
        if path.is_file():
            return path
        if not _parse_host(url):
            raise _fetch_error(url, "bad_url", "it is not an http or https address")
        try:
            async with asyncio.timeout(self._limits.total_timeout):
                body = await self._read_body(url)
        except TimeoutError:
            # not retried: a server that drips bytes for a minute would do so again
            raise _fetch_error(url, "timeout", f"it took over {self._limits.total_timeout:g} s in total") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects, ValueError) as error:
            raise _fetch_error(url, "bad_url", str(error)) from None
        except httpx.TimeoutException:
            error = _fetch_error(url, "timeout", f"no response within {self._limits.timeout:g} s")
            raise _TransientError(error) from None
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise _TransientError(_fetch_error(url, "truncated", f"the response was interrupted: {error}")) from None
        except (httpx.HTTPError, OSError) as error:
            raise _TransientError(_fetch_error(url, "unreachable", str(error) or type(error).__name__)) from None
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
