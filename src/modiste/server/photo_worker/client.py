"""Reading: strangers' photos are handed to a process of their own, which is replaced when one of them breaks it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Timer
from typing import BinaryIO, TypeVar, cast

import numpy as np

from modiste.errors import PhotoError
from modiste.images.photo import Photo
from modiste.isolation import clean_environment, worker_command
from modiste.server.log_config import logger
from modiste.server.photo_worker.protocol import receive, send
from modiste.server.photo_worker.worker import PHOTO_SECONDS, max_pixels
from modiste.server.problems import ProblemException

T = TypeVar("T")

START_SECONDS = 20.0  # seconds that the process has to start; it takes a quarter of one
STOP_SECONDS = 2.0  # seconds that it has to end by itself, once nothing more comes
MAX_REASON_CHARS = 40  # characters
# glibc gives memory of this size back after each photo, and the system hands it out anew page by page: a third of the
# time that a phone's photo takes. So it keeps up to 64 MB; others do not know the names.
MALLOC_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(16 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20)}
CPU_LIMIT_EXIT_CODE = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else None
"""How the process ends that has worked for too long."""


class PhotoWorker:
    """The process that reads photos, one at a time; whoever comes meanwhile waits.

    It is given nothing of the server: not its sockets, not its settings. Its memory is limited where the system can
    (Linux), and everywhere it has so many `seconds` for a photo.
    """

    def __init__(self, seconds: float = PHOTO_SECONDS) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Have it started, without waiting for it."""
        with self._lock, suppress(OSError):  # whoever has a photo read is told
            self._ensure_started()

    def read(self, data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
        """The pixels of a file, uint8 `(h, w, 3)`, no more than can be borne, as `reader.bearable` makes them.

        Raises:
            PhotoError: as `read_photo`; `too_slow` where it takes too long, `unreadable` where it breaks the reader.
            Refusal: 503, where the process does not start.
        """
        with self._lock:
            process = self._ensure_ready()
            try:
                return self._run_with_timeout(
                    self._seconds, process, lambda: _request_photo(process, data, frame, cut)
                )
            except TimeoutError:
                logger.warning("a photo of %d bytes took too long; the reader is replaced", len(data))
                self._restart()
                raise PhotoError(
                    f"The photo ({len(data)} bytes) takes more than {self._seconds:g} s to read.",
                    remedy="Save it anew, as a plain JPEG.",
                    reason="too_slow",
                ) from None
            except ConnectionError:
                code = process.returncode
                logger.warning("a photo of %d bytes ended the reader (%s); it is replaced", len(data), code)
                self._restart()
                raise PhotoError(
                    f"The photo ({len(data)} bytes) cannot be read.",
                    remedy="Save it anew, as a plain JPEG.",
                    reason="unreadable",
                ) from None

    def close(self) -> None:
        """Let it end."""
        with self._lock:
            self._stop(STOP_SECONDS)

    def _ensure_ready(self) -> subprocess.Popen[bytes]:
        """The process, ready. Raises Refusal."""
        try:
            process = self._ensure_started()
            if not self._ready:
                self._run_with_timeout(START_SECONDS, process, lambda: receive(_pipe(process.stdout), 0))
                self._ready = True
        except OSError as error:  # a connection that broke, a time that ran out, or no such program
            self._stop(0.0)
            logger.error("the reader of photos does not start (%s); run %s", error, " ".join(_command()))
            raise ProblemException(
                503,
                "not_ready",
                "The server cannot read photos now.",
                remedy="Try again; the server's log says more.",
                headers={"Retry-After": "5"},
            ) from None
        return process

    def _ensure_started(self) -> subprocess.Popen[bytes]:
        """The process, another if that has ended. Raises OSError."""
        if self._process is not None and self._process.poll() is not None:
            self._stop(0.0)
        if self._process is None:
            self._process = subprocess.Popen(
                _command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # the log is the server's, in lines of its own form
                env=clean_environment() | MALLOC_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for the server, which still answers what was asked before
            )
        return self._process

    def _restart(self) -> None:
        self._stop(0.0)
        with suppress(OSError):
            self._ensure_started()

    def _stop(self, patience: float) -> None:
        process, self._process, self._ready = self._process, None, False
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what it did not take
                _pipe(pipe).close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run_with_timeout(self, seconds: float, process: subprocess.Popen[bytes], work: Callable[[], T]) -> T:
        """What `work` returns of the process, which has ended where this raises: ConnectionError if by itself,
        TimeoutError if for its time."""
        late = Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            return work()
        except ConnectionError:
            process.kill()
            if process.wait() == CPU_LIMIT_EXIT_CODE or late.is_set():
                raise TimeoutError(f"it took more than {seconds:g} s") from None
            raise
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # also when the answer came at the last moment
                process.wait()


def _request_photo(process: subprocess.Popen[bytes], data: bytes, frame: tuple[int, int], cut: bool) -> Photo:
    """What the process makes of a photo. Raises PhotoError, and ConnectionError where it says something else."""
    send(_pipe(process.stdin), {"frame": list(frame), "cut": cut}, data)
    answer, pixels = receive(_pipe(process.stdout), 3 * max_pixels(frame))
    if "reason" in answer:
        message, remedy, reason = (str(answer.get(name, "")) for name in ("message", "remedy", "reason"))
        raise PhotoError(message, remedy=remedy, reason=reason[:MAX_REASON_CHARS])
    height, width = answer.get("height"), answer.get("width")
    if type(height) is not int or type(width) is not int or len(pixels) != 3 * height * width or not pixels:
        raise ConnectionError("no photo")
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def _pipe(pipe: object) -> BinaryIO:
    return cast("BinaryIO", pipe)


def _command() -> list[str]:
    return worker_command("modiste.server.photo_worker.worker")
