"""Cost of one changed product for a served shop: until it is searchable, and until a killed server is ready again.

    python benchmarks/update.py [--shop DIR] [--products 100000] [--turns 7]

The server is `modiste serve` with a key for /v1/admin; requests go over HTTP. The times are medians: from the PUT of a
product to its 202, and to the first answer of `/v1/similar` for it; from a DELETE until the product is unknown; and
from the start of the process until `/readyz` answers 200, after a clean stop and after a `kill -9` at some moment of
an update. Ratios are good at or above 1. Measured on a copy of the shop at DIR, if one is given, and on a synthetic
shop of so many products: its photos are small, and its model is trained for two epochs on 2,000 of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import httpx
import numpy as np
from tests.distributed.tasks import SyntheticSource

from modiste.images.photo import to_png
from modiste.pipeline.build import build
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.server.auth import new_key
from modiste.shop.shop import Shop

TARGETS_S = ((20_000, 1.0), (200_000, 2.0))  # up to so many products, so many seconds until one is searchable
POLL_SECONDS = 0.02  # each poll takes the server a few milliseconds
FRAME = (64, 48)
TRAINED_PRODUCTS = 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Cost of one changed product for a served shop.")
    parser.add_argument("--shop", type=Path, help="a built shop of real photos, of which a copy is changed")
    parser.add_argument(
        "--products", type=int, default=100_000, help="products of the synthetic shop; 0 for no synthetic shop"
    )
    parser.add_argument("--synthetic", type=Path, help="directory in which the synthetic shop is kept for the next run")
    parser.add_argument("--turns", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.shop is not None:
            copy = Path(folder) / "real"
            shutil.copytree(args.shop, copy)
            measure(copy, args.turns)
        if args.products:
            source = args.synthetic or Path(folder) / "source"
            if not source.exists():
                make_synthetic(source, args.products)
            copy = Path(folder) / "synthetic"
            shutil.copytree(source, copy)
            measure(copy, args.turns)


def make_synthetic(root: Path, count: int) -> None:
    """Build a complete shop of `count` products."""
    build(SyntheticSource(min(count, TRAINED_PRODUCTS), FRAME), root, frame=FRAME, epochs=2)
    ingest(SyntheticSource(count, FRAME), root)
    encode_shop(root, threads=2)
    cluster_shop(root)
    make_map(root)


def measure(root: Path, turns: int) -> None:
    """Measure a shop that may be changed, and print the medians."""
    key, hashed = new_key()
    os.environ |= {"MODISTE_ADMIN_KEY": hashed, "MODISTE_UPLOADS_PER_MINUTE": "100000"}
    catalogue = Shop.open(root, need="map").catalogue
    count, category = len(catalogue), catalogue.categories[0]
    target = next((seconds for most, seconds in TARGETS_S if count <= most), None)
    times: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        times.setdefault(name, []).append(seconds)

    with serving(root, key) as (process, client, _):
        for turn in range(turns + 1):  # the first is not counted
            id_, began = f"update-{turn}", time.perf_counter()
            put(client, id_, turn, category)
            answered = time.perf_counter() - began
            await_(lambda id_=id_: is_searchable(client, id_))
            searchable = time.perf_counter() - began
            await_idle(client)
            began = time.perf_counter()
            client.delete(f"/v1/admin/products/{id_}").raise_for_status()
            await_(lambda id_=id_: not is_searchable(client, id_))
            gone = time.perf_counter() - began
            await_idle(client)
            if turn:
                note("PUT, until its 202", answered)
                note("PUT, until the product is searchable", searchable)
                note("DELETE, until the product is gone", gone)
        stop(process)
    for turn in range(turns):
        with serving(root, key) as (process, client, ready):
            note("start after a clean stop, until ready", ready)
            put(client, f"killed-{turn}", 1000 + turn, category)
            time.sleep(turn / turns * (target or 1.0))  # another moment of the update each time
            process.kill()
        with serving(root, key) as (process, client, ready):
            note("start after a kill, until ready", ready)
            await_(lambda turn=turn: is_searchable(client, f"killed-{turn}"))
            await_idle(client)
            stop(process)
    middle = {name: statistics.median(seconds_of_turns) for name, seconds_of_turns in times.items()}
    print(f"\n{count:,} products; medians of {turns}, in seconds")
    for name, seconds in middle.items():
        print(f"{name:44}{seconds:8.3f}   {min(times[name]):.3f} to {max(times[name]):.3f}")
    if target is not None:
        searchable = middle["PUT, until the product is searchable"]
        print(f"{'searchable: target / measured':44}{target / searchable:8.2f}   target {target:.0f} s")
    clean, killed = (middle[f"start after a {how}, until ready"] for how in ("clean stop", "kill"))
    print(f"{'ready: after a clean stop / after a kill':44}{clean / killed:8.2f}")


@contextmanager
def serving(root: Path, key: str) -> Generator[tuple[subprocess.Popen[str], httpx.Client, float]]:
    """Yield a server, a client with the key, and the seconds from the server's start until it was ready."""
    words = [sys.executable, "-m", "modiste", "serve", "--shop", str(root), "--port", "0", "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        text = ""
        while "}" not in text:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("update: the server ended")
            text += line
        url, headers = json.loads(text)["url"], {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            await_(lambda: is_ready(client))
            yield process, client, time.perf_counter() - began
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str]) -> None:
    """Stop a server with SIGTERM."""
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def put(client: httpx.Client, id_: str, seed: int, category: str) -> None:
    """Put a product with a photo of noise, drawn by `seed`."""
    photo = np.random.default_rng(seed).integers(0, 255, (*FRAME, 3), dtype=np.uint8)
    answer: Any = client.put(
        f"/v1/admin/products/{id_}",
        files={"photo": ("photo.png", to_png(photo), "image/png")},
        data={"category": category},
    )
    answer.raise_for_status()


def is_ready(client: httpx.Client) -> bool:
    """Return whether the server says that it is ready."""
    with suppress(httpx.TransportError):
        return client.get("/readyz").status_code == 200
    return False


def is_searchable(client: httpx.Client, id_: str) -> bool:
    """Return whether a search finds products like this one."""
    return client.post("/v1/similar", json={"product": id_, "k": 3}).status_code == 200


def await_idle(client: httpx.Client) -> None:
    """Wait until the server has nothing left to do to the shop."""
    await_(lambda: not client.get("/v1/admin").json()["refreshing"])


def await_(done: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    while not done():
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
