"""Cost of Ray in comparison with one process, and gain of a second worker: the same ingest and encode, in one run.

    python benchmarks/scale/overhead.py [--products 10000 100000] [--repeats 3 1] [--page docs/scale.md]

Each way runs in a process of its own, so that it includes its startup: `up` is the time before the first item,
`seconds` the time from the first item to the last. The ways take turns. Memory is the largest peak of all workers.
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

from measurements import own_memory, write_between
from tests.distributed.tasks import SyntheticSource

from modiste.parallel import Executor, ThreadExecutor
from modiste.pipeline.build import build
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.ingest import ingest

WAYS = ("1 thread", "2 threads", "1 worker", "2 workers")
LEARNT = 2_000
MARK = "scale-overhead"


def main() -> None:
    """Run the benchmark; print the table, or write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--size", default="48x64", help="of the photos, WIDTHxHEIGHT")
    parser.add_argument("--repeats", type=int, nargs="+", default=[3, 1], help="for each number of products")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "scale-overhead.json")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--one", nargs=4, metavar=("WAY", "STAGE", "SHOP", "COUNT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    if args.one:
        print(json.dumps(once(*args.one, (height, width))))
        return
    pairs = zip(args.products, args.repeats, strict=True)
    seen = [row for count, repeats in pairs for row in measure(count, args.size, repeats)]
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(seen, indent=1) + "\n")
    text = table(seen, args.size)
    print(text)
    if args.page is not None:
        write_between(args.page, MARK, text)


def measure(count: int, size: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Measure one size of catalogue, and yield its rows."""
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        model, whole = Path(folder) / "model", Path(folder) / "whole"
        build(SyntheticSource(LEARNT, (height, width)), model, frame=(height, width), epochs=2)
        shutil.copytree(model, whole)
        ingest(SyntheticSource(count, (height, width)), whole)
        runs: dict[tuple[str, str], list[dict[str, float]]] = {}
        for _ in range(repeats):
            for stage in ("ingest", "encode"):
                for way in WAYS:
                    shop = Path(folder) / "shop"
                    shutil.copytree(whole if stage == "encode" else model, shop)
                    runs.setdefault((stage, way), []).append(process(way, stage, shop, count, size))
                    shutil.rmtree(shop)
    for (stage, way), results in runs.items():
        middle = {key: statistics.median(each[key] for each in results) for key in results[0]}
        least, most = min(each["seconds"] for each in results), max(each["seconds"] for each in results)
        yield {"products": count, "stage": stage, "way": way, "least": least, "most": most} | middle


def process(way: str, stage: str, shop: Path, count: int, size: str) -> dict[str, float]:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--size", size, "--one", way, stage, str(shop), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    print(way, stage, count, done.stdout.strip(), file=sys.stderr, flush=True)
    return json.loads(done.stdout)


def once(way: str, stage: str, shop: str, count: str, size: tuple[int, int]) -> dict[str, float]:
    """Run one way: seconds before the first item, seconds from it to the last, and the memory of the largest worker."""
    began = time.perf_counter()
    first: list[float] = []

    def look(progress: dict[str, Any]) -> None:
        if not first and progress["done"] > 0:
            first.append(time.perf_counter())

    memory = Memory()
    memory.start()
    with workers(way) as fleet:
        if stage == "encode":
            encode_shop(shop, executor=fleet, on_progress=look)
        else:
            ingest(
                SyntheticSource(int(count), size),
                shop,
                executor=None if isinstance(fleet, ThreadExecutor) else fleet,
                on_progress=look,
            )
        ended = time.perf_counter()
    memory.ended.set()
    memory.join()
    return {"up": first[0] - began, "seconds": ended - first[0], "worker_gb": memory.most / 2**30}


@contextmanager
def workers(way: str) -> Iterator[Executor]:
    """Yield the executor of a way."""
    count = int(way[0])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count] if "thread" in way else os.sched_getaffinity(0))
    if "thread" in way:
        yield ThreadExecutor(count)
        return
    os.environ |= {"RAY_worker_niceness": "0"}
    from modiste.distributed.ray_executor import ray_executor
    from modiste.distributed.ray_session import import_ray

    # The command's own processor is one more than the workers', if there is one.
    import_ray().init(num_cpus=count, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with ray_executor("local") as fleet:
        yield fleet


class Memory(threading.Thread):
    """Thread that measures the peak memory, without shared memory, of Ray's workers on this machine."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended, self.most = threading.Event(), 0

    def run(self) -> None:
        """Measure every half second."""
        while not self.ended.wait(0.5):
            for path in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if (path / "cmdline").read_bytes().startswith(b"ray::_do"):
                        self.most = max(self.most, own_memory(int(path.name)))


def table(seen: list[dict[str, Any]], size: str) -> str:
    """Return the rows as Markdown, with the ratio to the same number of threads in one process."""
    lines = [
        f"The photos have {size.replace('x', ' × ')} pixels, and the machine has {os.cpu_count()} cores.",
        "",
        "| products | stage | run by | start, s | time, s: median (lowest to highest) | time with n workers / "
        "time with n threads | memory of one worker, GB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in seen:
        alike = {"1 worker": "1 thread", "2 workers": "2 threads"}.get(row["way"])
        beside = [each for each in seen if each["way"] == alike and each["products"] == row["products"]]
        beside = [each for each in beside if each["stage"] == row["stage"]]
        ratio = f"{row['seconds'] / beside[0]['seconds']:.2f}" if beside else "–"
        memory = f"{row['worker_gb']:.2f}" if row["worker_gb"] else "–"
        lines.append(
            f"| {row['products']:,} | {row['stage']} | {row['way']} | {row['up']:.1f} | {row['seconds']:.1f} "
            f"({row['least']:.1f} to {row['most']:.1f}) | {ratio} | {memory} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
