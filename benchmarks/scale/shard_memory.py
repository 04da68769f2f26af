"""Peak memory of building the shards of a shop, by the number of products.

    python benchmarks/scale/shard_memory.py [--products 10000 100000] [--page docs/scale.md]

The shops are synthetic: small photos, and a model trained on a few of them. A separate process builds two shards of
each shop, as `modiste shards` does, and reports its VmHWM: its peak resident memory, mapped files included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from measurements import write_between
from tests.distributed.tasks import SyntheticSource

from modiste.pipeline.build import build
from modiste.pipeline.cluster import cluster_shop
from modiste.pipeline.encode import encode_shop
from modiste.pipeline.index import index_shop
from modiste.pipeline.ingest import ingest
from modiste.pipeline.map import make_map

LEARNT, FRAME, SHARDS = 1_000, (64, 48), 2
MARK = "scale-shard-memory"
PROGRAM = """
import sys
from benchmarks.scale.measurements import memory_of
from modiste.distributed.shard_builder import main
assert main(*sys.argv[1:]) == 0
print(memory_of("self", "VmHWM"))
"""


def main() -> None:
    """Run the benchmark; print the table, or write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="packing-") as folder:
        text = table(list(measured(Path(folder), sorted(args.products))))
    print(text)
    if args.page is not None:
        write_between(args.page, MARK, text)


def measured(folder: Path, counts: list[int]) -> Iterator[tuple[int, float, float]]:
    """Yield each number of products with the peak memory in bytes, and the seconds."""
    build(SyntheticSource(LEARNT, FRAME), folder / "model", frame=FRAME, epochs=2)
    for count in counts:
        shop = folder / f"shop-{count}"
        shutil.copytree(folder / "model", shop)
        ingest(SyntheticSource(count, FRAME), shop)
        encode_shop(shop, threads=os.cpu_count() or 1)
        cluster_shop(shop)
        make_map(shop)
        index_shop(shop)
        yield count, *packed(shop, folder / "cache")


def packed(shop: Path, cache: Path) -> tuple[float, float]:
    """Return the peak memory, in bytes, of the process that builds the shards of a shop, and its seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(shop), str(SHARDS)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"MODISTE_CACHE": str(cache), "PYTHONPATH": str(ROOT)},
    )
    return float(done.stdout.splitlines()[-1]), time.perf_counter() - began


def table(seen: list[tuple[int, float, float]]) -> str:
    """Return the rows as Markdown, and the bytes of an additional product."""
    lines = ["| products | peak memory, MB | time, s |", "|---|---|---|"]
    lines += [f"| {count:,} | {size / 1e6:,.0f} | {seconds:.1f} |" for count, size, seconds in seen]
    (few, least, _), (many, most, _) = seen[0], seen[-1]
    if many > few:
        lines += ["", f"Each additional product needs {(most - least) / (many - few):,.0f} bytes of memory."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
