"""Build a large catalogue on a cluster of three machines, one of which dies in each stage: duration, memory, losses.

    sudo python benchmarks/scale/million.py [--products 1000000] [--beside] [--page docs/scale.md]

The machines are network namespaces of this machine (iproute2, root). Ray sees one address and one processor for each.
The benchmark therefore shows that it works, its cost in comparison with one process, and how memory grows, but not the
speed of three machines. --beside also ingests and encodes the same products in one process with two threads. The
products are synthetic, 1.1 kB of JPEG each, in Parquet files; the model is trained on 3,000 of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measurements import own_memory, write_between
from tests.distributed.nodes import Cluster, cluster, why_not
from tests.distributed.tasks import SyntheticSource

from modiste import Shop
from modiste.images.photo import decode_jpeg
from modiste.pipeline.build import build
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map
from modiste.pipeline.sliders import make_sliders
from modiste.sources.record import Record

FRAME = (64, 48)
LEARNT = 3_000  # products that the model is trained on
FILE_ROWS = 50_000
QUESTIONS = 150
MARK = "scale-million"


def main() -> None:
    """Run the benchmark; print the table, or write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--beside", action="store_true", help="ingest and encode by one process with two threads too")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "scale-million.json")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary directory")
    args = parser.parse_args()
    if (why := why_not()) is not None:
        sys.exit(f"million: {why}")
    with tempfile.TemporaryDirectory(prefix="million-", dir=args.folder) as folder:
        seen = measure(Path(folder), args.products, beside=args.beside)
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(seen, indent=1) + "\n")
    text = table(seen)
    print(text)
    if args.page is not None:
        write_between(args.page, MARK, text)


def measure(folder: Path, count: int, *, beside: bool) -> dict[str, Any]:
    """Run all stages, and return the measurements."""
    source, shop = folder / "source", folder / "shop"
    write_source(source, count)
    build(SyntheticSource(LEARNT), shop, frame=FRAME, epochs=6)
    seen: dict[str, Any] = {"products": count, "stages": {}}
    one = folder / "one"
    if beside:
        shutil.copytree(shop, one)
        seen["beside"] = {}
        with timed(seen["beside"], "ingest"):
            ingest(str(source), one)
    with cluster(3) as machines:
        seen["stages"]["ingest"] = stage(machines, ["ingest", shop, source], count, killed=3)
        machines.start(3)
        if beside:
            with timed(seen["beside"], "encode"):
                encode_shop(one, threads=2)
        seen["stages"]["encode"] = stage(machines, ["encode", shop], count, killed=2)
        machines.start(2)
        for name in ("cluster", "index"):
            with timed(seen["stages"], name):
                command(machines, name, "--shop", shop)
        with timed(seen["stages"], "sliders and map"):
            make_sliders(shop, threads=2)
            make_map(shop)
        seen["checked"] = check(shop, one if beside else None, count)
        seen["queries"] = ask(shop)
        print(json.dumps(seen, indent=1), file=sys.stderr, flush=True)
        seen["sharded"] = search(machines, shop)
    return seen


def command(machines: Cluster, *arguments: object) -> None:
    """Run a command of Modiste on the head. Raises AssertionError if it fails."""
    work = machines.modiste(*map(str, arguments), "--json")
    _, err = work.communicate()
    assert work.returncode == 0, err


def search(machines: Cluster, shop: Path) -> dict[str, Any]:
    """Send queries to three shards of two replicas each; kill a machine after a third of the queries.

    Every result must be that of one process, and no query may fail. Raises AssertionError.
    """
    machines.environment["MODISTE_CACHE"] = str(shop.parent / "cache")
    began = time.perf_counter()
    command(machines, "shards", "--shop", shop, "--shards", "3", "--replicas", "2")
    ready = time.perf_counter() - began
    opened = Shop.open(shop)
    server = machines.modiste("shards", "--shop", str(shop), "--host", machines.ip(0), "--port", "8100")
    address = f"http://{machines.ip(0)}:8100"
    try:
        with httpx.Client(timeout=60, trust_env=False) as client:
            await_ready(client, f"{address}/readyz")
            times: dict[str, list[float]] = {"before": [], "after": []}
            for seed in range(QUESTIONS):
                if seed == QUESTIONS // 3:
                    machines.kill(3)
                body = {"code": opened.random_design(seed).tolist(), "scope": "catalogue", "k": 10}
                wanted = [match.id for match in opened.similar(body["code"], 10, scope="catalogue")]
                began = time.perf_counter()
                answer = client.post(f"{address}/v1/similar", json=body)
                times["before" if seed < QUESTIONS // 3 else "after"].append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
                assert [each["id"] for each in answer.json()["results"]] == wanted
    finally:
        server.terminate()
        server.communicate()
    middle = {f"{when}_ms": 1e3 * statistics.median(seconds_of_queries) for when, seconds_of_queries in times.items()}
    return {"up_s": ready, "questions": QUESTIONS, "slowest_ms": 1e3 * max(times["after"])} | middle


def await_ready(client: httpx.Client, url: str) -> None:
    """Wait until a server is ready. Raises TimeoutError."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if client.get(url).status_code == 200:
                return
        time.sleep(0.5)
    raise TimeoutError(url)


def write_source(folder: Path, count: int) -> None:
    """Write the products as a Hugging Face data set, with two processes."""
    folder.mkdir()
    firsts = range(0, count, FILE_ROWS)
    halves = [[str(first) for first in firsts[half::2]] for half in (0, 1)]
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from million import write_part\n"
    program += "for first in sys.argv[3:]: write_part(sys.argv[1], int(first), int(sys.argv[2]))"
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(folder), str(count), *half], cwd=ROOT) for half in halves
    ]
    assert all(each.wait() == 0 for each in running)


def write_part(folder: str, first: int, count: int) -> None:
    """Write one file of the source."""
    rows = [
        record
        for record in SyntheticSource(min(first + FILE_ROWS, count), FRAME, first).records()
        if isinstance(record, Record)
    ]
    image = [{"bytes": row.photo, "path": None} for row in rows]
    table = pa.table(
        {
            "id": [row.id for row in rows],
            "category": [row.category for row in rows],
            "number": [row.attributes["number"] for row in rows],
            "image": pa.array(image, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        }
    )
    pq.write_table(table, f"{folder}/part-{first:09}.parquet")


@contextmanager
def timed(into: dict[str, Any], name: str) -> Iterator[None]:
    """Measure the seconds of a stage."""
    began = time.perf_counter()
    yield
    into[name] = {"seconds": time.perf_counter() - began}
    print(f"{name}: {into[name]['seconds']:.0f} s", file=sys.stderr, flush=True)


def stage(machines: Cluster, what: list[object], count: int, *, killed: int) -> dict[str, Any]:
    """Run a stage on the cluster; kill a machine after a third of it."""
    command = [sys.executable, "-m", "tests.distributed.tasks", machines.address, *map(str, what)]
    began = time.perf_counter()
    with subprocess.Popen(
        machines.inside(0, command), env=machines.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as work:
        assert work.stdout is not None
        memory = Memory(machines, work.pid)
        memory.start()
        died = None
        last = ""
        for line in work.stdout:
            last = line.strip()
            if died is None and last.startswith("{") and json.loads(last)["done"] >= count / 3:
                died = time.perf_counter() - began
                machines.kill(killed)
    assert last == "done", last
    memory.ended.set()
    memory.join()
    result = {
        "seconds": time.perf_counter() - began,
        "killed_after": died,
        "worker_gb": memory.worker / 2**30,
        "driver_gb": memory.driver / 2**30,
    }
    print(f"{what[0]}: {json.dumps(result)}", file=sys.stderr, flush=True)
    return result


class Memory(threading.Thread):
    """Thread that measures the peak memory of the workers and of the command."""

    def __init__(self, machines: Cluster, command: int) -> None:
        super().__init__(daemon=True)
        self.machines, self.command = machines, command
        self.worker = self.driver = 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Measure every second."""
        while not self.ended.wait(1.0):
            self.driver = max(self.driver, own_memory(self.command))
            for node in sorted(self.machines.started):
                for pid in self.machines.workers(node):
                    self.worker = max(self.worker, own_memory(pid))


def check(shop: Path, one: Path | None, count: int) -> dict[str, int]:
    """Check that no product is lost or doubled, and that codes equal those of one process. Raises AssertionError."""
    opened = Shop.open(shop)
    ids = opened.store.table(["id"]).column("id").to_pylist()
    assert sorted(ids) == [f"made-{number:07}" for number in range(count)]
    some = np.random.default_rng(0).choice(count, 512, replace=False)
    wanted = [opened.catalogue.ids[row] for row in some]
    photos = np.stack([decode_jpeg(jpeg) for jpeg in opened.store.photos(wanted)])
    mean, _ = opened.onnx_model.encode(photos)
    assert np.allclose(mean, opened.encodings.mean[some], atol=1e-4)
    if one is not None:
        beside = Shop.open(one, need="encodings", use_index=False)
        assert beside.store.hash() == opened.store.hash()
        assert np.array_equal(beside.encodings.mean, opened.encodings.mean)
    return {"products": len(ids)}


def ask(shop: Path) -> dict[str, float]:
    """Measure queries to the shop."""
    began = time.perf_counter()
    opened = Shop.open(shop)
    seconds = {"open_s": time.perf_counter() - began}
    for scope in ("catalogue", "cluster"):
        times: list[float] = []
        for seed in range(60):
            code = opened.random_design(seed)
            began = time.perf_counter()
            opened.similar(code, 10, scope=scope)  # type: ignore[arg-type]
            times.append(time.perf_counter() - began)
        seconds[f"{scope}_ms"] = 1e3 * statistics.median(times[10:])
    return seconds


def table(seen: dict[str, Any]) -> str:
    """Return the measurements as Markdown."""
    count, beside = seen["products"], seen.get("beside", {})
    lines = [
        f"The shop has {count:,} products, and the real machine has {os.cpu_count()} cores. The benchmark killed "
        "one simulated machine after a third of `ingest`, and another one after a third of `encode`.",
        "",
        "| stage | time with Ray, s | products/s with Ray | time without Ray, two threads, s "
        "| time with Ray / time without | memory of one worker, GB | memory of the main process, GB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in seen["stages"].items():
        other = beside.get(name)
        ratio = "– | –" if other is None else f"{other['seconds']:.0f} | {result['seconds'] / other['seconds']:.2f}"
        memory = [f"{result[key]:.2f}" if key in result else "–" for key in ("worker_gb", "driver_gb")]
        lines.append(
            f"| {name} | {result['seconds']:.0f} | {count / result['seconds']:,.0f} | {ratio} | {' | '.join(memory)} |"
        )
    queries, result = seen["queries"], seen["sharded"]
    alike = "Its photos, categories and codes equal those of a shop that one process built, bit for bit. "
    lines += [
        "",
        f"Afterwards, the shop contains each of the {seen['checked']['products']:,} products exactly once. "
        f"{alike if beside else ''}The shop opens in {queries['open_s']:.1f} s. A search for the ten nearest products "
        f"takes {queries['catalogue_ms']:.1f} ms among all products, and {queries['cluster_ms']:.1f} ms inside one "
        "product cluster. Both times are medians of 50 searches.",
        "",
        "Then `modiste shards` started three shards with two replicas each on three machines, in "
        f"{result['up_s']:.0f} s. The benchmark sent {result['questions']} queries over HTTP, and killed one machine "
        "after a third of them. No query failed, and every result equals that of a search in one process. The median "
        f"time of a query was {result['before_ms']:.0f} ms before the machine was killed and {result['after_ms']:.0f} "
        f"ms afterwards. The slowest query took {result['slowest_ms']:,.0f} ms.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
