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

import searching
import serving
import storing
from measured import Found

from modiste.pipeline.build import build
from modiste.sources.registry import open_source
from modiste.sources.sample import SampleSource

PRODUCTS = 2_000  # of the shop that is served
ONCE = Path(".cache/scale-shop")


def main() -> None:
    """Measure, print and write the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, to see that all runs")
    parser.add_argument("--photos", type=Path, default=Path("../shared/data/photos"))
    parser.add_argument("--shop", type=Path, default=ONCE, help="made where it is missing")
    parser.add_argument("--out", type=Path, default=Path("build/scale-constants.json"))
    given = parser.parse_args()
    began = time.monotonic()
    real = given.photos.is_dir()
    source = open_source(str(given.photos)) if real else SampleSource(count=PRODUCTS)
    found = Found()
    found.about["photos"] = "real ones" if real else "drawn ones: there are no real ones here"
    found.about["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"photos: {found.about['photos']}", flush=True)
    if not (given.shop / "made").exists():
        print(f"making {given.shop}: {PRODUCTS:,} products, one pass of training, once", flush=True)
        build(storing.Some(source, PRODUCTS), given.shop, epochs=2, threads=2)
        (given.shop / "made").touch()
    with tempfile.TemporaryDirectory() as scratch:
        searching.measure(found, quick=given.quick)
        storing.measure(found, source, given.shop, quick=given.quick)
        serving.measure(found, given.shop, Path(scratch), quick=given.quick)
    found.about["minutes"] = (time.monotonic() - began) / 60
    found.write(given.out)


if __name__ == "__main__":
    main()
