"""Latency of the studio: from the move of a slider to new pixels, in a real browser with a real server.

    python benchmarks/studio.py [--shop DIR] [--moves 100] [--quick]

Without --shop, a shop of 11,229 sample products at 180x240 is built once in .cache/bench-shop (some minutes). The same
run compares the studio's way to show frames, <img src>, with fetching frames and showing them as blobs.
With --quick, every measurement runs briefly on a shop of 24 small products; its figures are not comparable.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.page_state import settled, until
from tests.browser.server import Server, browser, served
from tests.small import SMALL

for limit in ("FRAMES_PER_SECOND", "OTHERS_PER_SECOND"):
    os.environ[f"MODISTE_{limit}"] = "100000"  # all who drag here are one client

PRODUCTS = 11_229
SWEEP = 9  # times Page Up, a tenth of a slider each
TICK = os.sysconf("SC_CLK_TCK")

PIXELS = (Path(__file__).parent / "pixels.js").read_text(encoding="utf-8")
# When the first product stood on the screen: the first animation frame that finds the picture drawn.
FIRST = """
const look = () => {
  const image = document.querySelector("#frame");
  if (image && image.complete && image.naturalWidth > 0) window.modisteFirst = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
WEIGHT = """
() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter((e) => !/render\\.jpg|photo\\.jpg|thumbnail\\.webp/.test(e.name))
  .reduce((sum, e) => sum + e.transferSize, 0)
"""


def bench_shop() -> Path:
    """Return a shop as large as the paper's, of sample products. Its model is trained for a minute."""
    from modiste.pipeline.build import build
    from modiste.sources.sample import SampleSource

    root = ROOT / ".cache" / "bench-shop"
    print(f"shop: {PRODUCTS:,} sample products in {root.relative_to(ROOT)}", flush=True)
    build(SampleSource(count=PRODUCTS), root, minutes=1.0, k=4, threads=2)
    return root


@contextmanager
def small_shop() -> Iterator[Path]:
    """Restore the shop of 24 small products that the tests use."""
    from modiste.storage.backup import restore_shop

    with tempfile.TemporaryDirectory() as folder:
        restore_shop(SMALL, Path(folder) / "shop")
        yield Path(folder) / "shop"


@dataclass(frozen=True)
class Extent:
    """Amount of work to measure: numbers of starts, frames, visits, slider moves, drags, and people at once."""

    moves: int
    starts: int = 3
    frames: int = 300
    people: tuple[int, ...] = (4, 8, 12, 16, 20, 24)
    people_seconds: float = 6.0
    visits: int = 5
    drags: int = 3
    drag_seconds: float = 3.0


QUICK = Extent(
    moves=2 * SWEEP, starts=1, frames=20, people=(2,), people_seconds=1.0, visits=1, drags=1, drag_seconds=1.0
)


def figures(times: list[float]) -> str:
    """Format median and 95th percentile of times in milliseconds."""
    finite = np.array([each for each in times if np.isfinite(each)])
    lost = len(times) - len(finite)
    text = f"p50 {np.median(finite):6.1f} ms   p95 {np.percentile(finite, 95):6.1f} ms   max {finite.max():6.1f} ms"
    return text + (f"   ({lost} not seen)" if lost else "")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Frames:
    """Paths of frames that the server has not drawn yet."""

    def __init__(self, server: Server) -> None:
        with urllib.request.urlopen(f"{server.url}/v1/sliders") as answer:
            sliders: Any = json.load(answer)
        self._n, self._model = len(sliders["latents"]), sliders["render_id"]
        self._random = random.Random(time.time_ns())

    def path(self) -> str:
        """Return another path."""
        z = base64.urlsafe_b64encode(self._random.randbytes(self._n)).decode().rstrip("=")
        return f"/v1/render.jpg?render_id={self._model}&design={z}"


def measure_start(shop: Path, rounds: int) -> None:
    """Measure the time from the command to /readyz, and the memory at that time."""
    times, memory = [], 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        with served(shop) as server:
            times.append(time.perf_counter() - began)
            assert server.process is not None
            memory = resident_mb(server.process.pid)
    print(f"start to ready             median {np.median(times):.2f} s of {rounds}   (target 3 s)")
    print(f"memory when ready          {memory:.0f} MB   (target 500 MB)")


def measure_cpu(server: Server, count: int) -> None:
    """Measure the server's processor time per new frame, requested one after another."""
    import httpx

    assert server.process is not None
    frames = Frames(server)
    with httpx.Client(base_url=server.url) as client:
        for _ in range(20):
            client.get(frames.path()).raise_for_status()
        before, began = cpu_seconds(server.process.pid), time.perf_counter()
        for _ in range(count):
            client.get(frames.path()).raise_for_status()
        used = (cpu_seconds(server.process.pid) - before) / count * 1e3
        took = (time.perf_counter() - began) / count * 1e3
    print(f"server CPU per new frame   {used:.1f} ms   (target 8 ms; {took:.1f} ms by the clock)")
    print(f"memory after them          {resident_mb(server.process.pid):.0f} MB")


async def _drag(server: Server, frames: Frames, rate: float, seconds: float) -> list[float]:
    """Request new frames as one person who drags, `rate` per second, one at a time; return the milliseconds of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    times: list[float] = []
    began = time.perf_counter()
    due = began + random.random() / rate
    while due < began + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        writer.write(f"GET {frames.path()} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        times.append((time.perf_counter() - start) * 1e3)
        due = max(due + 1 / rate, time.perf_counter())
    writer.close()
    return times


def measure_people(server: Server, counts: tuple[int, ...], seconds: float, rate: float = 15.0) -> None:
    """Find how many people can drag at once at 15 frames per second each, and still get 95 % of that."""
    frames = Frames(server)

    async def together(people: int) -> list[list[float]]:
        return await asyncio.gather(*(_drag(server, frames, rate, seconds) for _ in range(people)))

    best = 0
    for people in counts:
        times = asyncio.run(together(people))
        shown = [len(each) / seconds for each in times]
        enough = min(shown) >= 0.95 * rate
        print(
            f"  {people:2d} people: {np.mean(shown):5.1f} frames/s each, {figures([t for each in times for t in each])}"
        )
        if not enough:
            break
        best = people
    print(f"people at 15 frames/s      {best}   (target 12; every frame new, the clients on the same cores)")


def measure_page(chromium: Any, server: Server, extent: Extent) -> None:
    """Measure what a person at a browser sees."""
    firsts, weights = [], []
    for _ in range(extent.visits):
        profile = chromium.new_context()
        page = profile.new_page()
        page.add_init_script(FIRST)
        page.goto(server.url)
        until(page, "() => window.modisteFirst > 0")
        firsts.append(page.evaluate("window.modisteFirst"))
        page.wait_for_load_state("networkidle")
        weights.append(page.evaluate(WEIGHT))
        profile.close()
    print(f"first product, cold page   {figures(firsts)}   (target 600 ms)")
    print(f"page weight before photos  {np.median(weights) / 1024:.1f} KiB   (target 100 KiB)")

    profile = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = profile.new_page()
    page.goto(server.url)
    settled(page)
    page.evaluate(PIXELS)
    page.evaluate("modisteBench.arm()")
    times: list[float] = []
    latent = page.locator("[data-latent] input[type=range]")
    other = latent.count() - 1
    for move in range(extent.moves):
        if move % SWEEP == 0:  # back, with another slider elsewhere, so that no frame is one seen before
            latent.nth(1 + (move // SWEEP) % other).focus()
            page.keyboard.press("PageUp")
            latent.nth(0).focus()
            page.keyboard.press("Home")
            page.wait_for_timeout(400)
        page.keyboard.press("PageUp")
        times.append(page.evaluate("modisteBench.next"))
        # The wait is of any length, or each move would come at the same moment of a frame.
        page.wait_for_timeout(random.uniform(30, 60))
    print(f"key to pixels, <img src>   {figures(times)}   (target p50 17, p95 35)")
    frames = Frames(server)
    blobs = []
    for _ in range(extent.moves):
        blobs.append(page.evaluate("(url) => modisteBench.blob(url)", frames.path()))
        page.wait_for_timeout(random.uniform(30, 60))
    print(
        f"no key, fetch and blob     {figures(blobs)}   ({np.nanmedian(blobs) / np.nanmedian(times):.2f}x of <img src>)"
    )
    profile.close()

    drags = [dragged(chromium, server, extent.drag_seconds) for _ in range(extent.drags)]
    rates = [rate for rate, _ in drags]
    print(f"drag to pixels, <img src>  {figures([t for _, took in drags for t in took])}   (target p50 17, p95 35)")
    each = ", ".join(f"{rate:.0f}" for rate in rates)
    print(f"shown while dragging       {np.median(rates):.0f} different frames/s, median of {each}   (target 30)")


def dragged(chromium: Any, server: Server, seconds: float) -> tuple[float, list[float]]:
    """Drag a slider with the mouse; return different frames per second, and the milliseconds of each."""
    profile = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = profile.new_page()
    page.goto(server.url)
    settled(page)
    page.evaluate(PIXELS)
    slider = page.locator("[data-latent] input[type=range]").first
    slider.scroll_into_view_if_needed()
    # A start that this server has not drawn before, or the frames would come from its memory.
    page.locator("[data-latent] input[type=range]").nth(1).focus()
    for _ in range(random.randint(1, 40)):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.evaluate("modisteBench.count()")
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        # One sweep over the whole slider, so that each step is a picture of its own.
        page.mouse.move(box["x"] + box["width"] * (0.02 + 0.96 * elapsed / seconds), y)
    page.mouse.up()
    shown, took = page.evaluate("(modisteBench.counting = false, [modisteBench.seen.size, modisteBench.took])")
    profile.close()
    return shown / elapsed, took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", type=Path, help="a shop built up to its map")
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument(
        "--quick", action="store_true", help="each measurement briefly, on a small shop: under a minute"
    )
    args = parser.parse_args()
    if args.quick:
        with small_shop() as shop:
            measure(shop, QUICK)
    else:
        measure(args.shop or bench_shop(), Extent(moves=args.moves))


def measure(shop: Path, extent: Extent) -> None:
    """Print every measurement of a shop."""
    measure_start(shop, extent.starts)
    with served(shop) as server:
        measure_cpu(server, extent.frames)
        measure_people(server, extent.people, extent.people_seconds)
    with served(shop) as server, browser() as chromium:
        measure_page(chromium, server, extent)


if __name__ == "__main__":
    main()
