"""Load test of a server: fifty shoppers who drag and search, then four times as many as it can serve, then recovery.

    python benchmarks/load [--shop DIR] [--minutes 10] [--shoppers 50]

wrk sends the requests over the loopback interface. Prints, and writes to `build/load.json`: responses and refusals,
times, growth of the server's memory (a line through its resident bytes), and how soon it recovers from the overload.
Exits with 1 if a promise of docs/trust.md is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.server import free_port

LUA = Path(__file__).with_name("shoppers.lua")
REST = 150  # milliseconds that a shopper rests between two requests, on average
SLOWEST = 250.0  # ms: the 99th percentile of frames
GROWTH = 1.0  # MB a minute that are still no growth
RECOVERY = 5.0  # seconds


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watch:
    """Thread that measures a process's memory once a second."""

    def __init__(self, pid: int) -> None:
        self.pid, self.at, self.mb = pid, list[float](), list[float]()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(1.0):
            self.at.append(time.monotonic())
            self.mb.append(resident_mb(self.pid))

    def slope(self) -> tuple[float, float]:
        """Return MB per minute by a line through the second half, when caches are full, and its standard error."""
        half = len(self.at) // 2
        minutes = (np.array(self.at[half:]) - self.at[half]) / 60.0
        fit, covariance = np.polyfit(minutes, self.mb[half:], 1, cov=True)
        return float(fit[0]), float(np.sqrt(covariance[0, 0]))


def run_wrk(url: str, about: dict[str, Any], shoppers: int, seconds: float, rest: int) -> dict[str, Any]:
    """Return what wrk reports of `shoppers` shoppers in `seconds`."""
    words = ["wrk", "-t1", f"-c{shoppers}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(LUA), url, "--"]
    words += [about["render_id"], str(about["latent"]), str(rest), *about["ids"]]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    line = next(line for line in ran.stdout.splitlines() if line.startswith("JSON "))
    return json.loads(line[5:])


def frame_seconds(client: httpx.Client, about: dict[str, Any], number: int) -> float:
    """Return the seconds of one frame that is not cached."""
    text = f"{number:04d}" + "A" * (-(-about["latent"] * 8 // 6) - 4)
    began = time.monotonic()
    client.get("/v1/render.jpg", params={"render_id": about["render_id"], "design": text})
    return time.monotonic() - began


def recovered(client: httpx.Client, about: dict[str, Any]) -> float:
    """Return the seconds until three frames in a row take at most a quarter of a second each."""
    began, good, number = time.monotonic(), 0, 0
    while good < 3 and time.monotonic() - began < 60:
        number += 1
        good = good + 1 if frame_seconds(client, about, number) < SLOWEST / 1000 else 0
    return time.monotonic() - began


def main() -> int:
    """Run the load test; return 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", type=Path, default=Path("demo-shop"))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--shoppers", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("build/load.json"))
    args = parser.parse_args()
    if shutil.which("wrk") is None:
        print("There is no wrk. On Debian and Ubuntu: apt-get install wrk.", file=sys.stderr)
        return 1
    port = free_port()
    # All shoppers come from one address here.
    limits = ("FRAMES_PER_SECOND", "QUERIES_PER_SECOND", "OTHERS_PER_SECOND")
    environment = os.environ | {f"MODISTE_{name}": "100000" for name in limits}
    words = [sys.executable, "-m", "modiste", "serve", "--shop", str(args.shop), "--port", str(port)]
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    results: dict[str, Any] = {}
    try:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            shop = client.get("/v1/shop").json()
            page = client.get("/v1/products", params={"size": 100, "sort": "random"}).json()
            about = {"render_id": shop["render_id"], "latent": shop["latent"]}
            about["ids"] = [each["id"] for each in page["results"]]
            print(f"{args.shoppers} shoppers, {args.minutes:g} minutes", flush=True)
            with Watch(server.pid) as watch:
                results["load"] = run_wrk(url, about, args.shoppers, 60 * args.minutes, REST)
            slope, error = watch.slope()
            results["memory"] = {"mb": watch.mb[-1], "mb_per_minute": slope, "standard_error": error}
            print(json.dumps(results), flush=True)
            print(f"{4 * args.shoppers} shoppers who never rest, 30 s", flush=True)
            results["overload"] = run_wrk(url, about, 4 * args.shoppers, 30, 0)
            results["recovered_after_seconds"] = recovered(client, about)
            print(json.dumps({name: results[name] for name in ("overload", "recovered_after_seconds")}), flush=True)
    finally:
        server.terminate()
        server.wait(30)
    load, over = results["load"], results["overload"]
    promises = {
        "below its limits nobody is turned away": load["answered"] == load["requests"],
        "the 99th percentile is at most 250 ms": load["p99"] <= SLOWEST,
        "memory does not grow": results["memory"]["mb_per_minute"] <= GROWTH,
        "above them there are answers and 503, nothing else": over["wrong"] + over["broken"] + over["timeouts"] == 0,
        "it recovers within 5 s": results["recovered_after_seconds"] <= RECOVERY,
    }
    results["kept"] = promises
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1) + "\n")
    for promise, good in promises.items():
        print(f"{'kept  ' if good else 'BROKEN'}  {promise}")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
