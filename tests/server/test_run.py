"""The server process starts, answers on a socket, never imports torch, and ends with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from modiste.cli import main
from modiste.cli.commands.serve import _open_during_change
from modiste.errors import BadOption
from modiste.pipeline.product_changes import next_step, put_products, refresh_shop, remove_products
from modiste.server.auth import new_key
from modiste.server.run import browser_url, listen
from modiste.shop.shop import Shop
from tests.faults.writer_process import product


@contextmanager
def serving(shop: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a server of the shop on a free port, and its URL; stop it at the end."""
    words = [sys.executable, "-m", "modiste", "serve", "--shop", str(shop), "--port", "0", "--json", *more]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        text = ""
        while "}" not in text:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            text += line
        yield process, json.loads(text)["url"]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_server_answers_and_ends_with_ctrl_c(built: Path) -> None:
    with serving(built) as (process, url):
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            assert client.get("/readyz").json()["status"] == "ready"
            page = client.get("/")
            assert page.status_code == 200
            assert "<title>" in page.text
            assert "server" not in page.headers
            render_id = client.get("/v1/sliders").json()["render_id"]
            assert client.get(f"/v1/render.jpg?render_id={render_id}&design=AAAAAAAAAAA").content[:2] == b"\xff\xd8"
            head = client.head("/v1/shop")
            assert (head.status_code, head.content) == (200, b"")
            started = time.monotonic()
            os.kill(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert err == ""
        assert time.monotonic() - started < 10


def test_first_request_after_readiness_is_as_fast_as_later_ones(built: Path) -> None:
    with serving(built) as (_, url), httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
        ids = [each["id"] for each in client.get("/v1/products", params={"size": 6}).json()["results"]]
        taken: list[float] = []
        for id_ in reversed(ids):
            began = time.monotonic()
            assert client.get(f"/v1/products/{id_}/thumbnail.webp").status_code == 200
            taken.append(time.monotonic() - began)
        # Opening the database took a hundred times as long as a thumbnail does.
        assert taken[0] < 0.2 + 10 * statistics.median(taken[1:])


def test_oversized_body_is_rejected_before_it_is_sent(built: Path) -> None:
    with serving(built) as (_, url):
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(
                b"POST /v1/encode HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 999999999\r\n\r\n"
            )
            answer = line.recv(65536)
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"too_large" in answer or b"too_large" in line.recv(65536)


def test_oversized_chunked_body_is_cut_off_and_never_written_to_disk(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, hashed = new_key()
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    chunk = b"%x\r\n%b\r\n" % (50_000, bytes(50_000))
    part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n\r\n'
    with serving(built) as (process, url):
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        written = _written_bytes(process.pid)
        for method, path, status in (
            ("PUT", "/v1/admin/products/x", 413),
            ("GET", "/v1/shop", 200),
            ("DELETE", "/v1/admin/products/none", 404),
            ("PATCH", "/v1/encode", 405),
        ):
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            head += "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
            sent = 0
            with socket.create_connection((host, int(port)), timeout=30) as line:
                line.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(part), part))
                with suppress(ConnectionError):  # it hangs up
                    while sent < 100_000_000:
                        line.sendall(chunk)
                        sent += len(chunk)
                with suppress(ConnectionError):
                    assert line.recv(12) in (b"", f"HTTP/1.1 {status}".encode())
            assert sent < 30_000_000, method  # five megabytes, and what the system buffers
        assert _written_bytes(process.pid) - written < 100_000


def _written_bytes(pid: int) -> int:
    """Return the bytes that a process has written to files, as far as Linux counts them; 0 elsewhere."""
    counters = Path(f"/proc/{pid}/io")
    if not counters.exists():
        return 0
    return next(int(line.split()[1]) for line in counters.read_text().splitlines() if line.startswith("wchar:"))


def test_forged_client_addresses_share_one_rate_limit(built: Path) -> None:
    with serving(built) as (_, url), httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        statuses = [
            client.post("/v1/encode", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(60)
        ]
    allowed = statuses.index(429)
    assert 10 <= allowed < 15  # ten at once; one more every two seconds
    assert statuses.count(415) < 20


def test_serving_does_not_import_torch_or_build_dependencies(built: Path) -> None:
    program = """
import sys, asyncio
from modiste.shop.shop import Shop
from modiste.server.app import create_app
from starlette.testclient import TestClient
shop = Shop.open(sys.argv[1], need="map")
with TestClient(create_app(shop)) as client:
    id_ = shop.catalogue.ids[0]
    render_id = client.get("/v1/sliders").json()["render_id"]
    photo = client.get(f"/v1/products/{id_}/photo.jpg").content
    for answer in (
        client.get("/"), client.get("/v1/shop"), client.get("/v1/map"), client.get("/v1/model-card"),
        client.get(f"/v1/render.jpg?render_id={render_id}&design=AAAAAAAAAAA"),
        client.get(f"/v1/products?q=a&sort=random"), client.get(f"/v1/products/{id_}"),
        client.get(f"/v1/products/{id_}/thumbnail.webp"),
        client.post("/v1/decode", json={"product": id_}), client.post("/v1/similar", json={"product": id_}),
        client.post("/v1/recommend", json={"product": id_}),
        client.post("/v1/interpolate", json=dict(zip("ab", shop.sliders.ranges.T.tolist()))),
        client.post("/v1/encode", content=photo, headers={"content-type": "image/jpeg"}),
        client.get("/metrics"),
    ):
        assert answer.status_code == 200, answer.text
print(*(name for name in ("torch", "sklearn", "ray", "matplotlib", "onnx") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program, str(built)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_slow_requests_do_not_delay_other_requests(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Animations of sixty pictures do not delay frames: nothing computes on the event loop."""
    monkeypatch.setenv("MODISTE_DEADLINE", "60")
    monkeypatch.setenv("MODISTE_OTHERS_PER_SECOND", "1e6")
    with serving(built) as (_, url), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        a, b = Shop.open(built, need="sliders").sliders.ranges.T.tolist()
        body: dict[str, Any] = {"a": a, "b": b, "steps": 60, "there_and_back": True}
        statuses: list[int] = []
        slow = [
            threading.Thread(
                target=lambda: statuses.append(httpx.post(f"{url}v1/interpolate", json=body, timeout=60).status_code)
            )
            for _ in range(6)
        ]
        for each in slow:
            each.start()
        answered = 0
        while any(each.is_alive() for each in slow):
            assert client.get("/livez").status_code == 200
            answered += 1
        for each in slow:
            each.join()
        assert statuses == [200] * 6
        assert answered > 6


def test_port_in_use_is_reported_with_another_port(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert main(["serve", "--shop", str(built), "--port", str(port), "--json"]) == 2
        error = json.loads(capsys.readouterr().err)["error"]
        assert error["code"] == "bad_option"
        assert f"Port {port}" in error["message"]
        assert f"--port {port + 1}" in error["remedy"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "256.1.1.1", "x" * 300, "192.0.2.1"])
def test_unusable_host_raises_bad_option(host: str) -> None:
    with pytest.raises(BadOption) as raised:
        listen(host, 0)
    assert raised.value.remedy


def test_browser_url_of_a_listener() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert browser_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with listen("127.0.0.1", 0) as listener:
        assert browser_url(listener).startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--port", "65536"), "bad_option"),
        (("--port", "-1"), "bad_option"),
        (("--threads", "0"), "bad_option"),
        (("--allow-embed", "shop.example"), "bad_option"),
        (("--host", "no-such-host.invalid"), "bad_option"),
    ],
)
def test_serve_rejects_bad_options(
    built: Path, arguments: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--shop", str(built), *arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == name
    assert error["remedy"]


def test_serve_rejects_a_missing_or_incomplete_shop(
    shop_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--shop", str(tmp_path / "none"), "--port", "0", "--json"]) == 4
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "shop_not_found"
    for path in shop_copy.glob("models/*/map.json"):
        path.unlink()
    assert main(["serve", "--shop", str(shop_copy), "--port", "0", "--json"]) == 4
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "shop_incomplete"
    assert "modiste sliders" in error["remedy"]


def test_server_stopped_during_a_change_restarts_with_the_previous_shop(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, hashed = new_key()
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    put_products(small, [product(0)])
    refresh_shop(small)  # which also writes what 0.1.0 did not
    before = Shop.open(small, need="map")
    put_products(small, [product(1)])
    remove_products(small, before.catalogue.ids[:1])
    opened = _open_during_change(str(small), 1)
    assert opened.version == before.version
    assert opened.catalogue.ids == before.catalogue.ids
    with serving(small) as (_, url), httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {key}"}
        deadline = time.monotonic() + 60
        while client.get("/v1/admin", headers=headers).json()["refreshing"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.get(f"/v1/products/{product(1).id}").status_code == 200
        assert client.get(f"/v1/products/{before.catalogue.ids[0]}").status_code == 404
    assert next_step(small) is None


def test_shop_without_a_snapshot_version_is_updated_before_opening(small: Path) -> None:
    """The snapshot that 0.1.0 wrote does not contain its version."""
    put_products(small, [product(1)])
    assert product(1).id in _open_during_change(str(small), 1).catalogue.ids
