"""The subprocess that decodes untrusted photos, seen from the server. It is replaced if a photo breaks it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Timer
from typing import BinaryIO, TypeVar, cast

import numpy as np

from modiste.errors import PHOTO_REASONS, PhotoError
from modiste.images.photo import Photo
from modiste.isolation import clean_environment, worker_command
from modiste.server.log_config import logger
from modiste.server.photo_worker.protocol import receive, send
from modiste.server.photo_worker.worker import PHOTO_SECONDS, max_pixels
from modiste.server.problems import ProblemException

T = TypeVar("T")

START_SECONDS = 20.0  # it takes about 0.25
STOP_SECONDS = 2.0  # to end after its input is closed
# glibc returns memory of this size to the system after each photo, and getting it again takes a third of the time of a
# phone's photo. So glibc keeps up to 64 MB. Other C libraries ignore these variables.
MALLOC_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(16 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20)}
CPU_LIMIT_EXIT_CODE = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else None
"""The exit code of the process if it exceeds its CPU time."""


class PhotoWorker:
    """The process that decodes photos, one at a time; further calls wait.

    It inherits nothing from the server, neither sockets nor settings. On Linux its memory is limited, and everywhere it
    has `seconds` for a photo.
    """

    def __init__(self, seconds: float = PHOTO_SECONDS) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    @property
    def pid(self) -> int | None:
        """The process id; None if there is no process."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, without waiting until it is ready."""
        with self._lock, suppress(OSError):  # `read` reports it
            self._ensure_started()

    def read(self, data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
        """Decode a file to uint8 `(h, w, 3)`, with at most `max_pixels(frame)` pixels; see `read_bounded_photo`.

        Raises:
            PhotoError: as `read_photo`; `too_slow` if it takes too long, `unreadable` if it breaks the process.
            ProblemException: 503, if the process does not start.
        """
        with self._lock:
            process = self._ensure_ready()
            try:
                return self._run_with_timeout(self._seconds, process, lambda: _request_photo(process, data, frame, cut))
            except TimeoutError:
                logger.warning("a photo of %d bytes took too long; the photo worker is replaced", len(data))
                self._restart()
                raise PhotoError(
                    f"Decoding the photo ({len(data)} bytes) takes more than {self._seconds:g} s.",
                    remedy="Save it again as a plain JPEG.",
                    reason="too_slow",
                ) from None
            except ConnectionError:
                code = process.returncode
                logger.warning("a photo of %d bytes ended the photo worker (%s); it is replaced", len(data), code)
                self._restart()
                raise PhotoError(
                    f"The photo ({len(data)} bytes) cannot be decoded.",
                    remedy="Save it again as a plain JPEG.",
                    reason="unreadable",
                ) from None

    def close(self) -> None:
        """Stop the process."""
        with self._lock:
            self._stop(STOP_SECONDS)

    def _ensure_ready(self) -> subprocess.Popen[bytes]:
        """Return the process once it is ready. Raises ProblemException (503)."""
        try:
            process = self._ensure_started()
            if not self._ready:
                self._run_with_timeout(START_SECONDS, process, lambda: receive(_pipe(process.stdout), 0))
                self._ready = True
        except OSError as error:  # a broken pipe, a timeout, or no such program
            self._stop(0.0)
            logger.error("the photo worker does not start (%s); run %s", error, " ".join(_command()))
            raise ProblemException(
                503,
                "not_ready",
                "The server cannot decode photos now.",
                remedy="Try again. The server's log has the details.",
                headers={"Retry-After": "5"},
            ) from None
        return process

    def _ensure_started(self) -> subprocess.Popen[bytes]:
        """Return the process; start one if there is none or it has ended. Raises OSError."""
        if self._process is not None and self._process.poll() is not None:
            self._stop(0.0)
        if self._process is None:
            self._process = subprocess.Popen(
                _command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # only the server logs
                env=clean_environment() | MALLOC_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C stops the server, which still finishes its requests
            )
        return self._process

    def _restart(self) -> None:
        self._stop(0.0)
        with suppress(OSError):
            self._ensure_started()

    def _stop(self, timeout: float) -> None:
        process, self._process, self._ready = self._process, None, False
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # bytes that it did not read
                _pipe(pipe).close()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run_with_timeout(self, seconds: float, process: subprocess.Popen[bytes], work: Callable[[], T]) -> T:
        """Return what `work` returns. If this raises, the process has ended.

        Raises ConnectionError if the process ended by itself, and TimeoutError if it took longer than `seconds`.
        """
        timed_out = Event()

        def stop() -> None:
            timed_out.set()
            process.kill()

        timer = Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            return work()
        except ConnectionError:
            process.kill()
            if process.wait() == CPU_LIMIT_EXIT_CODE or timed_out.is_set():
                raise TimeoutError(f"it took more than {seconds:g} s") from None
            raise
        finally:
            timer.cancel()
            timer.join()
            if timed_out.is_set():  # even if the response came at the last moment
                process.wait()


def _request_photo(process: subprocess.Popen[bytes], data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
    """Return what the process decodes. Raises PhotoError, and ConnectionError for an invalid response."""
    send(_pipe(process.stdin), {"frame": list(frame), "cut": cut}, data)
    response, pixels = receive(_pipe(process.stdout), 3 * max_pixels(frame))
    if "reason" in response:
        message, remedy, reason = (str(response.get(name, "")) for name in ("message", "remedy", "reason"))
        raise PhotoError(message, remedy=remedy, reason=reason if reason in PHOTO_REASONS else "unreadable")
    height, width = response.get("height"), response.get("width")
    if type(height) is not int or type(width) is not int or len(pixels) != 3 * height * width or not pixels:
        raise ConnectionError("no photo")
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def _pipe(pipe: object) -> BinaryIO:
    return cast("BinaryIO", pipe)


def _command() -> list[str]:
    return worker_command("modiste.server.photo_worker.worker")
