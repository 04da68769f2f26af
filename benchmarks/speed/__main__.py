"""Compare the speed of Modiste's parts with peers, as ratios from one run.

    make bench            everything: some 15 minutes, and up to an hour of training if there are real photos
    make bench-quick      less: two million products instead of ten, fewer rounds
    python benchmarks/speed [--quick] [--only PART …] [--photos DIR] [--out build/bench.json]

A ratio is good at or above its target. For times, it is the peer's time divided by ours; for rates, ours divided by the
peer's. If there is no peer, the required value takes its place.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import platform
from pathlib import Path

import floor
import growth
import serving
import training
from page import write_page
from report import Report

import search
from shop import bench_shop

PARTS = ("floor", "search", "frames", "encoding", "starting", "training", "growth")


def main() -> None:
    """Measure the chosen parts; print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller, in some 5 minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--shop", type=Path, default=Path(".cache/speed-shop"))
    parser.add_argument("--photos", type=Path, default=Path("../shared/data/photos"), help="real photos, to train on")
    parser.add_argument("--minutes", type=float, nargs="+", help="budgets of training, least first")
    parser.add_argument("--page", type=Path, help="write the tables into this page")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    given = parser.parse_args()
    report = Report()
    report.note("machine", f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if "floor" in given.only:
        floor.measure(report)
    if "search" in given.only:
        search.measure(report, quick=given.quick)
    if {"frames", "encoding", "starting"} & set(given.only):
        shop = bench_shop(given.shop)
        rounds = 60 if given.quick else 200
        if "frames" in given.only:
            serving.frames(report, shop, rounds)
        if "encoding" in given.only:
            serving.encoding(report, shop)
        if "starting" in given.only:
            serving.starting(report, shop, 5 if given.quick else 11)
    report.write(given.out)  # what takes longest comes last; what was measured until then is kept
    if "training" in given.only:
        training.measure(
            report, given.photos, given.minutes or ([0.25] if given.quick else [1.0, 2.0, 3.0, 4.0, 6.0, 8.0])
        )
    if "growth" in given.only and not given.quick:
        growth.measure(report, given.out.with_name("growth.svg"))
    floor.gaps(report)
    report.write(given.out)
    if given.page is not None:
        write_page(given.page, report.found, report.about, given.out.with_name("growth.svg"))


if __name__ == "__main__":
    main()
