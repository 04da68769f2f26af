"""The photo worker reads photos in a subprocess: the same pixels, and a crash of it affects nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from modiste.errors import PhotoError
from modiste.images.photo import fit_photo, read_photo, to_jpeg, to_png
from modiste.server.photo_worker import client as worker_client
from modiste.server.photo_worker.client import PhotoWorker
from modiste.server.photo_worker.protocol import MAX_HEADER_BYTES, receive, send
from modiste.server.photo_worker.worker import MEMORY_BYTES, max_pixels, read_bounded_photo
from modiste.server.problems import ProblemException
from tests.server.client import refused
from tests.zoo import jpeg_with_scans

FRAME = (64, 48)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


def png_photo(h: int = 90, w: int = 70) -> bytes:
    return to_png(np.random.default_rng(0).integers(0, 256, (h, w, 3), np.uint8))


def slow_photo() -> bytes:
    """A photo that takes a second or more: the maximum number of scans over the maximum number of pixels."""
    return jpeg_with_scans(4400, 85)


@pytest.fixture
def photo_worker() -> Iterator[PhotoWorker]:
    worker = PhotoWorker()
    yield worker
    worker.close()


def process_ended(pid: int, within: float = 5.0) -> bool:
    """Return whether a process has ended, or ends soon."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


class TestPixels:
    def test_fitted_pixels_equal_those_of_fit_photo(self, photo_worker: PhotoWorker) -> None:
        data = png_photo()
        assert np.array_equal(photo_worker.read(data, FRAME, False), fit_photo(read_photo(data), FRAME))

    def test_small_photo_to_cut_keeps_its_own_pixels(self, photo_worker: PhotoWorker) -> None:
        data = png_photo()
        assert np.array_equal(photo_worker.read(data, FRAME, True), read_photo(data))

    @pytest.mark.parametrize("size", [(900, 1300), (4000, 4000), (9, 20_000), (20_000, 1), (1, 1_000_000)])
    def test_large_photo_to_cut_is_reduced_to_max_pixels(
        self, photo_worker: PhotoWorker, size: tuple[int, int]
    ) -> None:
        buffer = BytesIO()
        Image.new("RGB", size, "red").save(buffer, "PNG")
        photo = photo_worker.read(buffer.getvalue(), FRAME, True)
        assert photo.shape[0] * photo.shape[1] <= max_pixels(FRAME)
        assert (photo == (255, 0, 0)).all()

    def test_worker_raises_the_same_errors_as_reading_in_process(self, photo_worker: PhotoWorker) -> None:
        for data in (b"", b"text", png_photo()[:100]):
            with pytest.raises(PhotoError) as here:
                read_bounded_photo(data, FRAME, True)
            with pytest.raises(PhotoError) as there:
                photo_worker.read(data, FRAME, True)
            assert (there.value.message, there.value.remedy, there.value.reason) == (
                here.value.message,
                here.value.remedy,
                here.value.reason,
            )


class TestLimits:
    def test_photo_beyond_the_time_limit_is_rejected(self) -> None:
        photo_worker = PhotoWorker(seconds=0.4)
        try:
            photo_worker.read(png_photo(), FRAME, False)
            before = photo_worker.pid
            began = time.monotonic()
            with pytest.raises(PhotoError, match=r"more than 0\.4 s") as caught:
                photo_worker.read(slow_photo(), FRAME, False)
            assert caught.value.reason == "too_slow"
            assert time.monotonic() - began < 5
            assert photo_worker.read(png_photo(), FRAME, False).shape == (*FRAME, 3)
            assert photo_worker.pid != before
        finally:
            photo_worker.close()

    @LINUX
    def test_photo_beyond_the_memory_limit_is_rejected_by_the_same_process(self, photo_worker: PhotoWorker) -> None:
        import resource

        photo_worker.read(png_photo(), FRAME, False)
        pid = photo_worker.pid
        assert pid is not None
        assert resource.prlimit(pid, resource.RLIMIT_AS) == (MEMORY_BYTES, MEMORY_BYTES)
        resource.prlimit(pid, resource.RLIMIT_AS, (300 * 2**20, MEMORY_BYTES))
        buffer = BytesIO()
        Image.new("RGBA", (4400, 4400)).save(buffer, "PNG")
        with pytest.raises(PhotoError, match="too much memory") as caught:
            photo_worker.read(buffer.getvalue(), FRAME, False)
        assert caught.value.reason == "too_large"
        assert photo_worker.read(png_photo(), FRAME, False).shape == (*FRAME, 3)
        assert photo_worker.pid == pid

    @LINUX
    def test_worker_process_cannot_open_files_or_see_keys(
        self, photo_worker: PhotoWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MODISTE_ADMIN_KEY", "sha256:" + 64 * "0")
        photo_worker.read(png_photo(), FRAME, False)
        about = Path(f"/proc/{photo_worker.pid}")
        assert b"MODISTE_" not in (about / "environ").read_bytes()
        assert sorted(each.name for each in (about / "fd").iterdir()) == ["0", "1", "2"]
        limits = (about / "limits").read_text()
        for name in ("Max open files", "Max file size", "Max core file size"):
            line = next(line for line in limits.splitlines() if line.startswith(name))
            assert line.removeprefix(name).split()[0] in ("0", "3")

    def test_worker_imports_no_heavy_packages(self) -> None:
        ask = "import sys, modiste.server.photo_worker.worker; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert not {"fastapi", "starlette", "scipy", "onnxruntime", "pyarrow"} & set(done.stdout.split())


@LINUX
class TestLifecycle:
    def test_worker_killed_while_idle_is_restarted(self, photo_worker: PhotoWorker) -> None:
        photo_worker.read(png_photo(), FRAME, False)
        assert photo_worker.pid is not None
        os.kill(photo_worker.pid, signal.SIGKILL)
        assert process_ended(photo_worker.pid)
        assert photo_worker.read(png_photo(), FRAME, False).shape == (*FRAME, 3)

    def test_worker_killed_during_a_photo_rejects_that_photo(self, photo_worker: PhotoWorker) -> None:
        photo_worker.read(png_photo(), FRAME, False)
        pid = photo_worker.pid
        assert pid is not None
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(photo_worker.read, slow_photo(), FRAME, False)
            time.sleep(0.3)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(PhotoError) as caught:
                future.result(timeout=10)
        assert caught.value.reason == "unreadable"
        assert photo_worker.read(png_photo(), FRAME, False).shape == (*FRAME, 3)

    def test_concurrent_reads_return_their_own_photos(self, photo_worker: PhotoWorker) -> None:
        sizes = [(50 + n, 40) for n in range(12)]
        with ThreadPoolExecutor(6) as pool:
            shapes = list(pool.map(lambda size: photo_worker.read(png_photo(*size), FRAME, True).shape[:2], sizes))
        assert shapes == sizes

    def test_closed_worker_ends_and_can_start_again(self, photo_worker: PhotoWorker) -> None:
        photo_worker.read(png_photo(), FRAME, False)
        pid = photo_worker.pid
        assert pid is not None
        photo_worker.close()
        assert process_ended(pid, 0.1)
        assert photo_worker.read(png_photo(), FRAME, False).shape == (*FRAME, 3)

    def test_worker_ends_when_the_server_is_killed(self) -> None:
        program = (
            "import time; from modiste.server.photo_worker.client import PhotoWorker; "
            "held = PhotoWorker(); held.start(); "
            "print(held.pid, flush=True); time.sleep(60)"
        )
        env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=env) as server:
            assert server.stdout is not None
            pid = int(server.stdout.readline())
            server.kill()
        assert process_ended(pid)

    def test_worker_that_does_not_start_raises_503(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_client, "_command", lambda: [sys.executable, "-c", "raise SystemExit(3)"])
        worker = PhotoWorker()
        with pytest.raises(ProblemException) as caught:
            worker.read(png_photo(), FRAME, False)
        assert (caught.value.status_code, caught.value.code) == (503, "not_ready")
        assert worker.pid is None

    @pytest.mark.parametrize(
        "answer",
        [
            "{}",
            '{"bytes": 1e99}',
            '{"bytes": 999999999999}',
            '{"bytes": 3, "height": 9, "width": 1}',
            '{"bytes": 0, "reason": "none that the API has"}',
            "[" * 999,
        ],
    )
    def test_invalid_answer_of_the_worker_rejects_the_photo(self, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
        program = (
            "import sys; from modiste.server.photo_worker.protocol import *; send(sys.stdout.buffer, {}); "
            "receive(sys.stdin.buffer, 10**7); said = sys.argv[1].encode(); "
            "sys.stdout.buffer.write(len(said).to_bytes(4, 'big') + said + b'abc'); sys.stdout.buffer.flush()"
        )
        monkeypatch.setattr(worker_client, "_command", lambda: [sys.executable, "-c", program, answer])
        worker = PhotoWorker()
        with pytest.raises(PhotoError) as caught:
            worker.read(png_photo(), FRAME, False)
        worker.close()
        assert caught.value.reason == "unreadable"


class TestFrames:
    def test_sent_frames_are_received(self) -> None:
        pipe = BytesIO()
        send(pipe, {"said": "ü"}, b"abc")
        send(pipe, {})
        pipe.seek(0)
        assert receive(pipe, 3) == ({"said": "ü", "bytes": 3}, b"abc")
        assert receive(pipe, 0) == ({"bytes": 0}, b"")
        with pytest.raises(ConnectionError):
            receive(pipe, 0)

    @pytest.mark.parametrize(
        "data",
        [
            b"\0",
            b"\0\0\0\x02{",
            b"\0\0\0\x02{}",
            b"\xff\xff\xff\xff" + bytes(100),
            (MAX_HEADER_BYTES + 1).to_bytes(4, "big") + b" " * (MAX_HEADER_BYTES - 1) + b"{}",
            b"\0\0\0\x0b" + b'{"bytes":4}abcd',
            b"\0\0\0\x0b" + b'{"bytes":3}ab',
            b"\0\0\0\x0c" + b'{"bytes":-1}',
            b"\0\0\0\x0e" + b'{"bytes":true}a',
        ],
    )
    def test_invalid_frame_raises_connection_error(self, data: bytes) -> None:
        with pytest.raises(ConnectionError):
            receive(BytesIO(data), 3)


@LINUX
def test_server_continues_after_its_photo_worker_is_killed(client: TestClient) -> None:
    versions = client.app.state.versions  # type: ignore[attr-defined]
    worker = versions.pools.photo_worker
    photo = to_jpeg(np.full((60, 50, 3), 200, np.uint8))
    headers = {"content-type": "image/jpeg"}
    assert client.post("/v1/encode", content=photo, headers=headers).status_code == 200
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(client.post, "/v1/encode?cut=false", content=slow_photo(), headers=headers)
        time.sleep(0.3)
        os.kill(worker.pid, signal.SIGKILL)
        assert refused(future.result(), 422, "photo_error")["reason"] == "unreadable"
    assert client.post("/v1/encode", content=photo, headers=headers).status_code == 200
