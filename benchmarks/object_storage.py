"""Cost of a shop on object storage in comparison with the same shop in a directory, with and without a local cache.

    python benchmarks/object_storage.py [--shop DIR] [--turns 5] [--quick]

The store is moto's S3 server on this machine, so the times show what Modiste adds, without the network. The requests
and megabytes are the same from anywhere. Each time is the median of some runs of a whole `modiste similar`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import s3
from tests.faults.writer_process import product
from tests.small import SMALL

from modiste import Shop
from modiste.pipeline.product_changes import put_products
from modiste.storage.backup import backup_shop, restore_shop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, help="a built shop; without it, one of 24 products")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one turn, in under a minute")
    args = parser.parse_args()
    turns = 1 if args.quick else args.turns
    with tempfile.TemporaryDirectory() as scratch, s3.running() as address:
        measure(args.shop, Path(scratch), address, turns)


def measure(source_shop: Path | None, scratch: Path, address: str, turns: int) -> None:
    """Restore the shop to the store, and measure queries."""
    copies, url = scratch / "cache", f"s3://{s3.BUCKET}/mine"
    os.environ |= s3.KEYS | {"AWS_ENDPOINT_URL": address, "MODISTE_CACHE": str(copies), "PYTHONPATH": str(ROOT)}
    archive = SMALL
    if source_shop is not None:
        archive = scratch / "shop.zip"
        backup_shop(source_shop, archive)
    restore_shop(archive, scratch / "here")
    report("restore to the store", lambda: restore_shop(archive, url), address)
    shop = Shop.open(scratch / "here")
    first = shop.catalogue.ids[0]
    print(f"{len(shop.catalogue)} products, {archive.stat().st_size / 1e6:.1f} MB in a backup")

    def similar(place: str) -> None:
        words = ["similar", "--shop", place, "--product", first, "--json"]
        subprocess.run([sys.executable, "-m", "modiste", *words], check=True, stdout=subprocess.DEVNULL)

    similar(str(scratch / "here"))  # compiled once
    report("similar, directory", lambda: similar(str(scratch / "here")), address, turns)
    report("similar, store, first time", lambda: similar(url), address, turns, before=lambda: shutil.rmtree(copies))
    report("similar, store, cached", lambda: similar(url), address, turns)
    there = Shop.open(url)
    report("a photo, store", lambda: there.jpeg(first), address, turns)
    numbers = iter(range(1000))
    report("put a product, store", lambda: put_products(url, [product(next(numbers))]), address, turns)
    report("put a product, directory", lambda: put_products(scratch / "here", [product(next(numbers))]), address, turns)


def report(what: str, work: Any, address: str, turns: int = 1, before: Any = None) -> None:
    """Run `work` some times; print the median seconds, and the requests and bytes of one run."""
    seconds: list[float] = []
    traffic: dict[str, int] = {}
    for _ in range(turns):
        if before is not None:
            before()
        first = s3.counted(address)
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
        traffic = {name: value - first[name] for name, value in s3.counted(address).items()}
    megabytes = traffic["bytes"] / 1e6
    print(f"{what:28} {statistics.median(seconds):8.2f} s  {traffic['requests']:5} requests  {megabytes:8.2f} MB down")


if __name__ == "__main__":
    main()
