"""Growth of costs over a decade of sizes, as charts: a scan, a frame and a training step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import Report, timed

from modiste.search.index import LatentIndex
from modiste.vae.training import TrainSettings
from modiste.vae.training.autotune import measure_throughput
from modiste.vae.training.hardware import choose_hardware
from modiste.vae.training.vae import Vae

PRODUCTS = (100_000, 180_000, 320_000, 560_000, 1_000_000)
LATENTS = (4, 8, 16, 24, 40)
HEIGHTS = (80, 120, 160, 240, 320, 480)
Curve = dict[float, float]


def measure(report: Report, picture: Path) -> None:
    """Measure every curve; write them into the notes, and as one picture."""
    report.heading("how costs grow")
    curves: dict[str, tuple[str, str, dict[str, Curve]]] = {
        "products": ("products", "ms", by_products()),
        "latents": ("latents", "ms", by_latents()),
        "pixels": ("pixels of the frame", "ms", by_pixels()),
        "cores": ("threads", "per second, of one thread's", by_cores()),
    }
    report.note("growth", {name: lines for name, (_, _, lines) in curves.items()})
    draw(curves, picture)


def points(rows: int, latents: int) -> tuple[Any, Any]:
    """Return synthetic products without structure: a query reads every one."""
    random = np.random.default_rng(0)
    mean = random.standard_normal((rows, latents), np.float32)
    std = np.exp(random.uniform(np.log(0.03), np.log(0.6), (rows, latents))).astype(np.float32)
    return mean, std


def scan(rows: int, latents: int, threads: int = 1) -> float:
    """Return the milliseconds of a likelihood query over `rows` products."""
    mean, std = points(rows, latents)
    index = LatentIndex([str(i) for i in range(rows)], mean, std, mean, threads=threads)
    return 1e3 * timed(lambda turn: index.nearest(mean[turn], 10), 15)


def by_products() -> dict[str, Curve]:
    return {"likelihood, all read": {rows: scan(rows, 16) for rows in PRODUCTS}}


def by_latents() -> dict[str, Curve]:
    return {"likelihood, 300,000 products, all read": {n: scan(300_000, n) for n in LATENTS}}


def by_pixels() -> dict[str, Curve]:
    """Measure a frame by torch, and one photo's share of a training step; the width is 3/4 of the height."""
    torch.set_num_threads(1)
    drawn: Curve = {}
    step: Curve = {}
    way = choose_hardware("cpu")
    for height in HEIGHTS:
        frame = (height, height * 3 // 4)
        vae = Vae.untrained("default", frame, 16).eval()
        code = torch.zeros(1, 16)
        with torch.inference_mode():
            drawn[frame[0] * frame[1]] = 1e3 * timed(lambda _, vae=vae, code=code: vae.decoder(code), 20)
        step[frame[0] * frame[1]] = 1e3 / measure_throughput(way, TrainSettings(frame=frame)).images_per_second
    return {"a frame, torch, one thread": drawn, "a photo in training, first phase": step}


def by_cores() -> dict[str, Curve]:
    """Measure speeds relative to one thread."""
    alone, shared = scan(1_000_000, 16, 1), scan(1_000_000, 16, 2)
    way = choose_hardware("cpu")
    paces: Curve = {}
    for threads in (1, 2):
        paces[threads] = measure_throughput(replace(way, threads=threads), TrainSettings()).images_per_second
    return {"scan of a million": {1: 1.0, 2: alone / shared}, "training": {1: 1.0, 2: paces[2] / paces[1]}}


def draw(curves: dict[str, tuple[str, str, dict[str, Curve]]], picture: Path) -> None:
    """Draw one small chart for each, with logarithmic axes: a straight line at 45° is proportional growth."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(curves), figsize=(13, 3.2), layout="constrained")
    for axis, (across, up, lines) in zip(axes, curves.values(), strict=True):
        for name, line in lines.items():
            axis.plot(list(line), list(line.values()), marker="o", markersize=3.5, linewidth=1.3, label=name)
        if across != "threads":
            axis.set_xscale("log")
            axis.set_yscale("log")
        else:
            axis.set_xticks([1, 2])
            axis.set_ylim(0, 2.2)
        axis.set_xlabel(across)
        axis.set_ylabel(up)
        axis.grid(alpha=0.25, which="both")
        axis.legend(fontsize=7, frameon=False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, format="svg", metadata={"Date": None})
    pyplot.close(figure)
