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
    args = parser.parse_args()
    report = Report()
    report.note("machine", f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if "floor" in args.only:
        floor.measure(report)
    if "search" in args.only:
        search.measure(report, quick=args.quick)
    if {"frames", "encoding", "starting"} & set(args.only):
        shop = bench_shop(args.shop)
        rounds = 60 if args.quick else 200
        if "frames" in args.only:
            serving.frames(report, shop, rounds)
        if "encoding" in args.only:
            serving.encoding(report, shop)
        if "starting" in args.only:
            serving.starting(report, shop, 5 if args.quick else 11)
    report.write(args.out)  # what takes longest comes last; what was measured until then is kept
    if "training" in args.only:
        training.measure(
            report, args.photos, args.minutes or ([0.25] if args.quick else [1.0, 2.0, 3.0, 4.0, 6.0, 8.0])
        )
    if "growth" in args.only and not args.quick:
        growth.measure(report, args.out.with_name("growth.svg"))
    floor.gaps(report)
    report.write(args.out)
    if args.page is not None:
        write_page(args.page, report.ratios, report.about, args.out.with_name("growth.svg"))


if __name__ == "__main__":
    main()
