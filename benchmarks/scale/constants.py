"""Measure the constants of the cost model (`model.py`) on this machine, each with its spread. Takes some minutes.

    python benchmarks/scale/constants.py [--quick] [--photos DIR] [--out build/scale-constants.json]

Times are processor time of one thread in core-milliseconds, unless they say otherwise, so that other processes have
little influence. Real photos are used if there are any, otherwise sample photos; the result names which. All other data
is synthetic. Costs per product are slopes of lines through three sizes.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import platform
import tempfile
import time
from pathlib import Path

import search_costs
import server_costs
import storage_costs
from measurements import Results

from modiste.pipeline.build import build
from modiste.sources.registry import open_source
from modiste.sources.sample import SampleSource

PRODUCTS = 2_000  # of the shop that is served
ONCE = Path(".cache/scale-shop")


def main() -> None:
    """Measure, print and write the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, to check that everything runs")
    parser.add_argument("--photos", type=Path, default=Path("../shared/data/photos"))
    parser.add_argument("--shop", type=Path, default=ONCE, help="built if it is missing")
    parser.add_argument("--out", type=Path, default=Path("build/scale-constants.json"))
    args = parser.parse_args()
    began = time.monotonic()
    real = args.photos.is_dir()
    source = open_source(str(args.photos)) if real else SampleSource(count=PRODUCTS)
    results = Results()
    results.about["photos"] = (
        "photos of real products" if real else "drawn by Modiste, because there were no photos of real products"
    )
    results.about["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"photos: {results.about['photos']}", flush=True)
    if not (args.shop / "made").exists():
        print(f"building {args.shop} once: {PRODUCTS:,} products, one pass of training", flush=True)
        build(storage_costs.Some(source, PRODUCTS), args.shop, epochs=2, threads=2)
        (args.shop / "made").touch()
    with tempfile.TemporaryDirectory() as scratch:
        search_costs.measure(results, quick=args.quick)
        storage_costs.measure(results, source, args.shop, quick=args.quick)
        server_costs.measure(results, args.shop, Path(scratch), quick=args.quick)
    results.about["minutes"] = (time.monotonic() - began) / 60
    results.write(args.out)


if __name__ == "__main__":
    main()
