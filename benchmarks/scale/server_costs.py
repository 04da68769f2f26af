"""Cost of visitors for a server: a frame, a query, a thumbnail, in processor time and bytes; and its memory."""

from __future__ import annotations

import base64
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from measurements import Results, core_seconds, memory_of, of_process

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.server import browser, find_browser, served

from modiste.images.photo import to_jpeg
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.map import make_map
from modiste.server.served_shop import JPEG_QUALITY
from modiste.shop.shop import Shop
from modiste.storage.manifest import Manifest
from modiste.storage.product_store import ProductStore, StoredProduct, catalogue_summary
from modiste.vae.onnx import OnnxModel

K = 12  # products that the studio asks for
LABELS = {
    "frame": "a frame",
    "similar": "similar products",
    "recommend": "recommendations",
    "thumbnail": "a small photo",
    "nothing": "`/livez`, which does no work",
}


def drawing(results: Results, shop: Path, repeats: int) -> None:
    """Measure decoding and writing a frame of 240 x 180 as JPEG, in one thread, without a server."""
    opened = Shop.open(shop, need="model")
    engine = OnnxModel.load(opened.files.model(opened.model.model_id), threads=1)
    numbers = np.random.default_rng(0)
    codes = numbers.standard_normal((40, 1, opened.model.latent), np.float32)

    def draw() -> None:
        for code in codes:
            to_jpeg(engine.decode(code)[0], JPEG_QUALITY)

    draw()
    times = [1e3 * core_seconds(draw) / len(codes) for _ in range(repeats)]
    results.repeated(
        "draw_ms", times, "ms/frame, one core", "a frame is drawn and compressed as JPEG, without a server"
    )


def requests(results: Results, shop: Path, repeats: int) -> None:
    """Measure a real server's processor time of each kind of request, one after another, and the responses' bytes."""
    for limit in ("FRAMES", "QUERIES", "OTHERS"):
        os.environ[f"MODISTE_{limit}_PER_SECOND"] = "100000"  # all who ask here are one client
    with served(shop) as server, httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        assert server.process is not None
        about = client.get("/v1/shop").json()
        names = [each["id"] for each in client.get("/v1/products", params={"size": 100}).json()["results"]]
        fresh = iter(names)
        dice = random.Random(1)

        def frame() -> httpx.Response:
            z = base64.urlsafe_b64encode(dice.randbytes(about["latent"])).decode().rstrip("=")
            return client.get("/v1/render.jpg", params={"render_id": about["render_id"], "design": z})

        def question(path: str) -> Callable[[], httpx.Response]:
            more: dict[str, Any] = {"by": "category"} if path == "recommend" else {}
            return lambda: client.post(f"/v1/{path}", json={"product": dice.choice(names), "k": K, **more})

        kinds: dict[str, tuple[Callable[[], httpx.Response], int]] = {
            "frame": (frame, 60),
            "similar": (question("similar"), 40),
            "recommend": (question("recommend"), 40),
            "thumbnail": (lambda: client.get(f"/v1/products/{next(fresh)}/thumbnail.webp"), 16),
            "nothing": (lambda: client.get("/livez"), 100),
        }
        for name, (ask, count) in kinds.items():
            what = f"one request for {LABELS[name]}"
            sizes: list[float] = []
            times: list[float] = []
            for _ in range(3):
                ask()  # the first opens what the others find open
            for _ in range(repeats):
                before = of_process(server.process.pid)
                for _ in range(count):
                    answer = ask()
                    answer.raise_for_status()
                    # As it travels: JSON is packed.
                    sizes.append(float(answer.num_bytes_downloaded))
                times.append(1e3 * (of_process(server.process.pid) - before) / count)
            results.repeated(f"{name}_ms", times, "ms/request, one core", f"the server's processor time for {what}")
            results.repeated(f"{name}_answer_bytes", sizes, "bytes/response", f"the response to {what}")


def shown(results: Results, shop: Path, repeats: int) -> None:
    """Measure how many different frames per second a browser shows while a mouse drags a slider."""
    if find_browser() is None:
        results.repeated("shown_per_second", [30.0], "frames/s", "not measured, for there is no Chromium: the aim")
        return
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from studio import dragged

    with served(shop) as server, browser() as chromium:
        rates = [dragged(chromium, server)[0] for _ in range(repeats)]
    results.repeated("shown_per_second", rates, "frames/s", "one person who drags; browser and server on one machine")


def grown(shop: Path, to: Path, count: int) -> None:
    """Copy a shop with `count` more products, which have photos of the shop; encode, cluster and map it."""
    shutil.copytree(shop, to)
    store = ProductStore.open(to / "store")
    ids = store.table(["id"]).column("id").to_pylist()[:200]
    jpegs = store.photos(ids)
    numbers = np.random.default_rng(count)
    words = {"name": "Leather handbag with two handles", "colour": "brown", "season": "summer", "usage": "casual"}
    categories = sorted(set(store.table(["category"]).column("category").to_pylist()))
    rows = [
        StoredProduct(
            f"more-{i:07d}",
            categories[i % len(categories)],
            jpegs[i % len(jpegs)],
            numbers.bytes(32).hex(),
            numbers.bytes(32).hex(),
            words,
        )
        for i in range(count)
    ]
    store.upsert(rows)
    manifest = Manifest.load(to)
    manifest.with_changes(catalogue=manifest.catalogue | catalogue_summary(ProductStore.open(to / "store"))).save(to)
    encode_shop(to, threads=2)
    cluster_shop(to)
    make_map(to)


def server_memory(results: Results, shop: Path, scratch: Path, *, quick: bool) -> None:
    """Measure the memory of a server, without files, at three sizes of catalogue."""
    more = (1_000, 3_000) if quick else (4_000, 10_000)
    shops = [shop]
    for count in more:
        grown(shop, scratch / f"grown-{count}", count)
        shops.append(scratch / f"grown-{count}")
    sizes: list[float] = []
    memory: list[float] = []
    for each in shops:
        sizes.append(float(len(Shop.open(each, need="catalogue").catalogue)))
        with served(each) as server:
            assert server.process is not None
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
                client.get("/v1/products", params={"size": 1, "q": "nothing"})  # what a search of words keeps
                time.sleep(0.2)
            memory.append(memory_of(server.process.pid, "RssAnon"))
    results.sloped("server_bytes", sizes, memory, "bytes/product", "the memory of a studio server without the index")


def measure(results: Results, shop: Path, scratch: Path, *, quick: bool) -> None:
    """Add all measurements of this module to `found`."""
    repeats = 3 if quick else 5
    drawing(results, shop, repeats)
    requests(results, shop, repeats)
    shown(results, shop, repeats)
    server_memory(results, shop, scratch, quick=quick)
