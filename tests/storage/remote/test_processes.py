"""Processes that share a shop on object storage: commands, a server, concurrent and killed writers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from modiste import Shop
from modiste.cli import main
from modiste.errors import ShopBusy
from modiste.pipeline.doctor.repair import check_and_repair
from modiste.pipeline.product_changes import put_products, refresh_shop
from modiste.server.app import create_app
from modiste.server.auth import new_key
from modiste.server.settings import Settings
from modiste.storage.location import read_manifest, read_path
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore
from modiste.storage.remote import lease
from tests.faults.writer_process import product
from tests.server.test_run import serving

# Add some products, one by one, while others write; print each one that is added.
WRITER = """
import sys, time
from modiste.errors import ShopBusy
from modiste.storage.remote import lease
from modiste.pipeline.product_changes import put_products
from modiste.server.app import create_app
from modiste.server.auth import new_key
from modiste.server.settings import Settings
from tests.faults.writer_process import product
url, first, silent = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
lease.EXPIRY_SECONDS = silent
for number in range(first, first + 4):
    while True:
        try:
            put_products(url, [product(number)])
            break
        except ShopBusy:
            time.sleep(0.05)
    print(number, flush=True)
"""


def count_ids(url: str) -> Counter[str]:
    """Return how often each id is in the products table."""
    store = ProductStore.open(ShopPaths(read_path(url)).store)
    store.refresh()
    return Counter(store.table(["id"]).column("id").to_pylist())


def run_and_kill(what: str, url: str, turn: int, random: np.random.Generator) -> list[str]:
    """Return the changes that a process reported before it was killed, during its first change or after one or two."""
    words = [sys.executable, "-m", "tests.faults.writer_process", what, url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        output = [writer.stdout.readline() for _ in range(turn % 3)]
        time.sleep(float(random.uniform(0, 1.5)))
        writer.send_signal(signal.SIGKILL)
        return [*"".join(output).split(), *writer.stdout.read().split()]


def test_commands_query_the_remote_shop(there: str, capsys: pytest.CaptureFixture[str]) -> None:
    product_id = Shop.open(there).catalogue.ids[4]
    assert main(["similar", "--shop", there, "--product", product_id, "-k", "3", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 3
    assert main(["info", "--shop", there]) == 0
    assert there in capsys.readouterr().out
    assert main(["similar", "--shop", f"{there}-not", "--product", product_id]) == 4
    assert f"There is no shop at {there}-not" in capsys.readouterr().err
    assert main(["similar", "--shop", "ftp://a/b", "--product", product_id]) == 2
    assert "s3://" in capsys.readouterr().err


def test_unreachable_store_gives_exit_code_6(
    there: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(["info", "--shop", there]) == 6
    output = capsys.readouterr().err
    assert "cannot be reached" in output
    assert "AWS_ENDPOINT_URL" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_server_loads_the_new_version_of_a_remote_shop_on_sighup(there: str) -> None:
    query: dict[str, Any] = {"k": 1, "method": "mean", "scope": "catalogue"}
    with serving(Path(there)) as (process, url), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        served = client.get("/version").json()
        first = client.get("/v1/products").json()["results"][0]["id"]
        put_products(there, [product(1)])
        refresh_shop(there)
        assert client.post("/v1/similar", json=query | {"product": "new-1"}).status_code == 404
        assert client.post("/v1/similar", json=query | {"product": first}).status_code == 200
        assert client.get(f"/v1/products/{first}/photo.jpg").content[:2] == b"\xff\xd8"
        os.kill(process.pid, signal.SIGHUP)
        until = time.monotonic() + 60
        while client.get("/version").json()["products"] == served["products"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        response = client.post("/v1/similar", json=query | {"product": "new-1"}).json()
        assert len(response["results"]) == 1
        assert client.get("/v1/products/new-1/photo.jpg").content[:2] == b"\xff\xd8"


@pytest.mark.slow
def test_admin_api_changes_a_remote_shop(there: str) -> None:
    key, hashed = new_key()
    with TestClient(create_app(Shop.open(there, need="map"), Settings(admin_key=hashed))) as client:
        new, headers = product(3), {"Authorization": f"Bearer {key}"}
        form = {"category": "bags"}
        assert isinstance(new.photo, bytes)
        answer = client.put("/v1/admin/products/new-3", headers=headers, data=form, files={"photo": new.photo})
        assert answer.status_code == 202, answer.text
        until = time.monotonic() + 120
        while (state := client.get("/v1/admin", headers=headers).json())["refreshing"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert (state["products"], state["error"]) == (25, "")
        assert client.get("/v1/products/new-3/photo.jpg").content[:2] == b"\xff\xd8"
    assert Shop.open(there, need="map").catalogue.row("new-3") >= 0


@pytest.mark.faults
@pytest.mark.parametrize("silent", [120.0, 0.0])  # with the lease, and with leases that expire at once
def test_concurrent_writers_lose_and_duplicate_nothing(there: str, tmp_path: Path, silent: float) -> None:
    before = count_ids(there)
    writers: list[subprocess.Popen[str]] = []
    for first in (100, 200):
        words = [sys.executable, "-c", WRITER, there, str(first), str(silent)]
        own = os.environ | {"MODISTE_CACHE": str(tmp_path / str(first))}
        writers.append(subprocess.Popen(words, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for writer in writers:
        out, err = writer.communicate(timeout=500)
        assert writer.returncode == 0, err
        assert len(out.split()) == 4
    wanted = {f"new-{number}" for number in (*range(100, 104), *range(200, 204))}
    assert count_ids(there) == before + Counter(wanted)
    assert read_manifest(there).catalogue["count"] == len(before) + 8
    refresh_shop(there)
    assert check_and_repair(there)["intact"]


@pytest.mark.faults
@pytest.mark.parametrize("what", ["cluster", "index", "map"])
def test_killed_stage_leaves_the_shop_unchanged(there: str, what: str) -> None:
    model, random = Shop.open(there).model.model_id, np.random.default_rng(1)
    done = 0
    for turn in range(5):
        done += len(run_and_kill(what, there, turn, random))
        shop = Shop.open(there, need="sliders")
        assert shop.model.model_id == model
        assert len(shop.similar(shop.random_design(1), 3)) == 3
    assert done
    refresh_shop(there)
    report = check_and_repair(there)
    assert report["intact"], report["faults"]


@pytest.mark.faults
def test_killed_writer_loses_no_acknowledged_write(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, output, random = count_ids(there), set[str](), np.random.default_rng(0)
    for turn in range(5):
        output |= {f"new-{number}" for number in run_and_kill("put", there, turn, random)}
        counts = count_ids(there)
        assert set(counts.values()) == {1}
        assert set(counts) >= set(before) | output
        assert read_manifest(there).catalogue["count"] == len(counts)
    # On this machine, the next command starts at once; on another, it waits for the lease to expire.
    assert output
    with monkeypatch.context() as patched:
        patched.setenv("MODISTE_CACHE", str(tmp_path / "elsewhere"))
        with pytest.raises(ShopBusy, match="with its last heartbeat"):
            put_products(there, [product(900)])
        patched.setattr(lease, "EXPIRY_SECONDS", 0.0)
        put_products(there, [product(900)])
    put_products(there, [product(901)])
    assert {"new-900", "new-901"} <= set(count_ids(there))
    refresh_shop(there)
    assert check_and_repair(there)["intact"]
