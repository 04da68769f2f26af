"""Cost of a query: the scan of an index by its size, the index's bytes, and merging the results of shards."""

from __future__ import annotations

import heapq
import random
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
from measurements import Results, bytes_in, core_seconds
from numpy.typing import NDArray

from modiste.search.index import LatentIndex, warm_up_kernels

LATENT, K, KINDS = 16, 12, 30
Floats = NDArray[np.float32]


def structured(count: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return mean, std and code `(count, 16)` of 30 kinds of products, as an encoder predicts them; bounds help."""
    numbers = np.random.default_rng(seed)
    base = np.geomspace(0.08, 0.95, LATENT)
    away = np.sqrt(1 - base**2)
    kinds = (numbers.normal(size=(KINDS, LATENT)) * away).astype(np.float32)
    mean = kinds[numbers.integers(0, KINDS, count)]
    mean += (0.4 * away).astype(np.float32) * numbers.standard_normal((count, LATENT), np.float32)
    std = base.astype(np.float32) * np.exp(np.float32(0.25) * numbers.standard_normal((count, LATENT), np.float32))
    return mean, std, mean + std * numbers.normal(size=LATENT).astype(np.float32)


def shapeless(count: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return the same without structure: every query reads every product."""
    numbers = np.random.default_rng(seed)
    mean = numbers.standard_normal((count, LATENT), np.float32)
    std = np.exp(numbers.uniform(np.log(0.03), np.log(0.6), (count, LATENT))).astype(np.float32)
    return mean, std, mean + std * numbers.normal(size=LATENT).astype(np.float32)


def build_index(parts: tuple[Floats, Floats, Floats]) -> tuple[LatentIndex, float]:
    """Build an index of products; return it and the core-seconds."""
    index: list[LatentIndex] = []
    ids = [str(number) for number in range(len(parts[0]))]
    seconds = core_seconds(lambda: index.append(LatentIndex(ids, *parts)))
    return index[0], seconds


def time_queries(index: LatentIndex, parts: tuple[Floats, Floats, Floats], count: int) -> list[float]:
    """Return the core-milliseconds of queries with new designs, drawn from the products' posteriors.

    Each is the minimum of three rounds: what other processes do to the caches only adds time.
    """
    numbers = np.random.default_rng(7)
    some = numbers.integers(0, len(parts[0]), count)
    designs = (parts[0][some] + parts[1][some] * numbers.standard_normal((count, LATENT))).astype(np.float32)
    index.nearest(designs[0], K)
    times = np.full(count, np.inf)
    for _ in range(3):
        for number, design in enumerate(designs):
            began = time.thread_time()
            index.nearest(design, K)
            times[number] = min(times[number], 1e3 * (time.thread_time() - began))
    return times.tolist()


def scans(results: Results, *, quick: bool) -> None:
    """Measure scans in one thread at three sizes, with and without helpful bounds; and the index's bytes and build."""
    sizes = (50_000, 150_000, 450_000) if quick else (200_000, 600_000, 1_800_000)
    questions = 40 if quick else 120
    means: list[float] = []
    disk: list[float] = []
    index_bytes: list[float] = []
    built: list[float] = []
    for count in sizes:
        parts = structured(count)
        index, seconds = build_index(parts)
        times = time_queries(index, parts, questions)
        means.append(float(np.mean(times)))
        results.samples["scan_ms"] = times  # of the largest, at the end
        built.append(1e6 * seconds / count)
        index_bytes.append(float(index.nbytes["likelihood"]))
        with tempfile.TemporaryDirectory() as scratch:
            index.save(Path(scratch) / "index", "benchmark")
            disk.append(float(bytes_in(Path(scratch) / "index")))
    results.about["structured: products, ms a question"] = [sizes, means]
    results.sloped("index_disk_bytes", sizes, disk, "bytes/product", "the files of the index")
    results.sloped(
        "index_bytes", sizes, index_bytes, "bytes/product", "the part of the index that a likelihood search reads"
    )
    results.repeated("index_build_us", built, "µs/product, one core", "the creation of the index")
    (line,) = np.polyfit(np.log(sizes), np.log(means), 1)[:1]
    steps = np.diff(np.log(means)) / np.diff(np.log(sizes))
    results.repeated("scan_power", [float(line), *steps.tolist()], "exponent",
                   "how the time of a search grows with the number of products, if bounds help")  # fmt: skip
    at = float(np.exp(np.mean(np.log(means)) + line * (np.log(1e6) - np.mean(np.log(sizes)))))
    results.repeated("scan_million_ms", [at, *(m * (1e6 / s) ** line for m, s in zip(means, sizes, strict=True))],
                   "ms/search, one core", "a search among a million products, if bounds help")  # fmt: skip
    hard: list[float] = []
    for count in sizes:
        parts = shapeless(count)
        hard.append(1e6 * float(np.median(time_queries(build_index(parts)[0], parts, questions // 2))))
    results.sloped("scan_all_ns", sizes, hard, "ns/product, one core", "a search that reads every product")


def merging(results: Results, repeats: int) -> None:
    """Measure merging the results of shards into one list, best first."""
    dice = random.Random(0)
    shards, times = (4, 16, 64, 256), list[float]()
    for count in shards:
        answers = [sorted((dice.random(), f"product-{dice.random()}") for _ in range(K)) for _ in range(count)]

        def merge(answers: list[list[tuple[float, str]]] = answers) -> None:
            list(islice(heapq.merge(*answers, key=lambda hit: hit), K))

        merge()
        times.append(float(np.median([1e6 * core_seconds(merge) for _ in range(20 * repeats)])))
    results.sloped(
        "merge_us", shards, times, "µs/shard, one core", "the merge of a shard's twelve results into the response"
    )


def measure(results: Results, *, quick: bool) -> None:
    """Add all measurements of this module to `found`."""
    warm_up_kernels()
    scans(results, quick=quick)
    merging(results, 3 if quick else 10)
