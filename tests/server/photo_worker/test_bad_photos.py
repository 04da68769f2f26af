"""Bad photos sent to the server give pixels or a clear 4xx, in bounded time and memory, and the server continues."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modiste.server.photo_worker.worker import MEMORY_BYTES
from tests.server.client import refused
from tests.zoo import written, zoo

REFUSAL_MIB = 60
KINDS = ("image/jpeg", "image/png", "image/webp")


@pytest.mark.parametrize("name", zoo())
def test_bad_photo_is_encoded_or_rejected_with_its_reason(client: TestClient, name: str) -> None:
    bad = zoo()[name]
    for kind in KINDS:  # what a client says of the type decides nothing
        for cut in ("true", "false"):
            answer = client.post(f"/v1/encode?cut={cut}", content=bad.data, headers={"content-type": kind})
            if bad.reason:
                status = 413 if bad.reason == "too_large" else 422
                assert refused(answer, status, "photo_error")["reason"] == bad.reason
            else:
                assert answer.status_code == 200, answer.text


def test_file_name_in_a_form_is_ignored(client: TestClient) -> None:
    data = zoo()["png of 16 bits, colour"].data
    for name in ("a.jpg", "a.php", "../../a.png", "a\0.png", "", "x" * 300):
        answer = client.post("/v1/encode", files={"photo": (name or "a", data, "image/jpeg")})
        assert answer.status_code == 200, name


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_largest_photo_uses_bounded_memory_and_time(client: TestClient) -> None:
    """The server's memory does not depend on a photo's pixels; the photo worker frees its memory."""
    from PIL import Image

    versions: Any = client.app.state.versions  # type: ignore[attr-defined]
    # the largest there may be, of the kind that takes the most
    largest = written(Image.new("RGBA", (4400, 4500), (1, 2, 3, 4)), "WEBP", method=0)
    headers = {"content-type": "image/webp"}
    client.post("/v1/encode", content=zoo()["one pixel"].data, headers=headers)
    Path("/proc/self/clear_refs").write_text("5")
    before = _mib("self", "VmRSS")
    pid = versions.pools.photo_worker.pid
    for cut in ("true", "false"):
        began = time.monotonic()
        answer = client.post(f"/v1/encode?cut={cut}", content=largest, headers=headers)
        assert answer.status_code == 200, answer.text
        assert time.monotonic() - began < 10
    assert versions.pools.photo_worker.pid == pid
    assert _mib("self", "VmHWM") - before < 40
    assert _mib(pid, "VmPeak") <= MEMORY_BYTES / 2**20
    assert _mib(pid, "VmRSS") < 150


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
@pytest.mark.parametrize("name", [name for name, bad in zoo().items() if bad.reason == "too_large"])
def test_rejecting_an_oversized_photo_uses_little_memory(client: TestClient, name: str) -> None:
    """Measure the peak memory of the photo worker and of the server while they reject a photo."""
    headers = {"content-type": "image/png"}
    client.post("/v1/encode", content=zoo()["one pixel"].data, headers=headers)
    versions: Any = client.app.state.versions  # type: ignore[attr-defined]
    processes = ("self", versions.pools.photo_worker.pid)
    for process in processes:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    before = [_mib(process, "VmRSS") for process in processes]
    refused(client.post("/v1/encode", content=zoo()[name].data, headers=headers), 413, "photo_error")
    assert versions.pools.photo_worker.pid == processes[1]
    for process, idle in zip(processes, before, strict=True):
        assert _mib(process, "VmHWM") - idle < REFUSAL_MIB


def _mib(pid: Any, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name + ":"))
