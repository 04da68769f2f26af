"""The machine report of `modiste doctor`: hardware, speed and advice."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from modiste.images.photo import decode_jpeg
from modiste.progress import Progress, report
from modiste.search.index import LatentIndex, warm_up_kernels

FRAME = (240, 180)
BENCHMARK_PRODUCTS, LATENT_DIM = 100_000, 16
BATCH_SIZES = (32, 128)


def inspect_machine(on_progress: Progress | None = None) -> dict[str, Any]:
    """Return {"machine", "speed", "training", "advice"} of this machine; training is None without torch."""
    report(on_progress, "tune", 0, 3)
    machine = _describe_machine()
    speed = {"search_100000_products_ms": _time_search()}
    report(on_progress, "tune", 1, 3)
    speed |= {"jpegs_decoded_per_second": _time_jpeg_decoding(), "memory_read_gb_per_second": _time_memory_reads()}
    report(on_progress, "tune", 2, 3)
    training = _time_training() if find_spec("torch") is not None else None
    report(on_progress, "tune", 3, 3)
    return {"machine": machine, "speed": speed, "training": training, "advice": _advice(machine, training)}


def _describe_machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    machine: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": pages / 1e9,
    }
    for name in ("numpy", "numba", "lancedb", "onnxruntime", "torch"):
        machine[name] = _package_version(name)
    return machine


def _package_version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _time_search() -> float:
    """Return the milliseconds of a likelihood search among synthetic products."""
    warm_up_kernels()
    random = np.random.default_rng(0)
    mean = random.standard_normal((BENCHMARK_PRODUCTS, LATENT_DIM), np.float32)
    std = np.full_like(mean, 0.3)
    index = LatentIndex([str(row) for row in range(BENCHMARK_PRODUCTS)], mean, std, mean)
    return 1e3 * _median_seconds(lambda row: index.nearest(mean[row], 10), 20)


def _time_jpeg_decoding() -> float:
    """Return the number of 180 x 240 JPEGs that one thread decodes in a second."""
    side = np.linspace(0, 255, FRAME[1], dtype=np.uint8)
    pixels = np.broadcast_to(side[None, :, None], (*FRAME, 3)).copy()
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return 1.0 / _median_seconds(lambda _: decode_jpeg(file.getvalue()), 50)


def _time_memory_reads() -> float:
    """Return the gigabytes that one thread reads from memory in a second."""
    values = np.ones(25_000_000, np.float32)
    return values.nbytes / 1e9 / _median_seconds(lambda _: values.max(), 5)


def _median_seconds(work: Callable[[int], object], rounds: int) -> float:
    work(0)
    times: list[float] = []
    for number in range(rounds):
        start = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _time_training() -> dict[str, Any]:
    from modiste.vae.training import TrainSettings
    from modiste.vae.training.autotune import choose_fastest
    from modiste.vae.training.hardware import choose_hardware

    settings = TrainSettings(frame=FRAME)
    chosen, tried = choose_fastest(choose_hardware("auto"), settings, BATCH_SIZES)
    return {
        "device": str(chosen.device),
        "chosen": {
            "threads": chosen.threads,
            "bfloat16": chosen.bfloat16,
            "channels_last": chosen.channels_last,
            "batch_size": settings.batch_size,
        },
        "ways": [asdict(each) for each in tried],
    }


def _advice(machine: dict[str, Any], training: dict[str, Any] | None) -> list[str]:
    advice: list[str] = []
    if training is None:
        advice.append("Training needs torch: pip install 'modiste[train]'.")
    elif training["device"] == "cpu" and not training["chosen"]["bfloat16"]:
        advice.append("This processor emulates bfloat16, so training takes about twice as long.")
    if machine["cores"] is not None and machine["cores"] < 2:
        advice.append("With one core, decoding photos and training take turns.")
    return advice
