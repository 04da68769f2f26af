"""How fast is exact search? Against the paper's way, a float64 NumPy scan of all products, and FAISS where installed.

    python benchmarks/search.py [--rows 11229 200000] [--rounds 30]

Every figure is a median over the same queries in this one run, one thread; the ratio says how many times faster than
the float64 scan. Every answer is compared with it: `right` is the share of identical top tens.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from modiste.latent.posterior import log_likelihood
from modiste.search.index import LatentIndex, distance

K = 10
CLUSTERS = 3
Answer = Callable[[np.ndarray], np.ndarray]


def catalogue(rows: int, n: int = 16) -> tuple[np.ndarray, ...]:
    """Codes as VAEs make them: a mixture of 30 kinds, some latents active, some nearly collapsed."""
    random = np.random.default_rng(0)
    base = np.geomspace(0.08, 0.95, n)
    kinds = random.normal(size=(30, n)) * np.sqrt(1 - base**2)
    mean = kinds[random.integers(0, 30, rows)] + 0.4 * random.normal(size=(rows, n)) * np.sqrt(1 - base**2)
    std = base * np.exp(0.25 * random.normal(size=(rows, n)))
    epsilon = random.normal(size=n)
    parts = [part.astype(np.float32) for part in (mean, std, mean + std * epsilon)]
    return (*parts, random.integers(0, CLUSTERS, rows))


def median_ms(answer: Answer, queries: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The median time per query, and the answers."""
    answer(queries[0])
    times, found = [], []
    for code in queries:
        start = time.perf_counter()
        found.append(answer(code))
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3, found


def contestants(index: LatentIndex, parts: tuple[np.ndarray, ...]) -> dict[str, dict[str, Answer]]:
    """Per question the ways to answer it; the first is the plain one."""
    mean, std, code, cluster = parts
    inside = np.flatnonzero(cluster == 0)
    questions: dict[str, dict[str, Answer]] = {
        "likelihood": {
            "float64 scan": lambda z: np.argsort(-log_likelihood(z, mean, std), kind="stable")[:K],
            "modiste": lambda z: index.nearest(z, K)[0],
        },
        "likelihood, one cluster of three": {
            "float64 scan": lambda z: inside[
                np.argsort(-log_likelihood(z, mean[inside], std[inside]), kind="stable")[:K]
            ],
            "modiste": lambda z: index.nearest(z, K, cluster=0)[0],
            "modiste, by rows": lambda z: index.nearest(z, K, rows=inside)[0],
        },
    }
    for metric in ("euclidean", "manhattan"):
        questions[f"fixed-epsilon, {metric}"] = {
            "float64 scan": lambda z, metric=metric: np.argsort(distance(z, code, metric), kind="stable")[:K],
            "modiste": lambda z, metric=metric: index.nearest(z, K, "fixed-epsilon", metric)[0],
        }
    if importlib.util.find_spec("faiss") is not None:
        faiss: Any = importlib.import_module("faiss")
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatL2(code.shape[1])
        flat.add(code)
        questions["fixed-epsilon, euclidean"]["faiss IndexFlatL2"] = lambda z: flat.search(z[None], K)[1][0]
        variance = std.astype(np.float64) ** 2
        constant = -0.5 * (mean.astype(np.float64) ** 2 / variance + np.log(2 * np.pi * variance)).sum(1)
        inner = faiss.IndexFlatIP(2 * code.shape[1] + 1)
        inner.add(np.hstack([-0.5 / variance, mean / variance, constant[:, None]]).astype(np.float32))
        questions["likelihood"]["faiss IndexFlatIP"] = lambda z: inner.search(
            np.concatenate([z**2, z, [1]]).astype(np.float32)[None], K
        )[1][0]
    return questions


def main() -> None:
    """Run all, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[11_229, 200_000])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    if importlib.util.find_spec("faiss") is None:
        print("faiss-cpu is not installed: left out.")
    for rows in given.rows:
        parts = catalogue(rows)
        start = time.perf_counter()
        index = LatentIndex([str(i) for i in range(rows)], *parts)
        random = np.random.default_rng(1)
        chosen = random.integers(0, rows, given.rounds)
        queries = parts[0][chosen] + parts[1][chosen] * random.normal(size=(given.rounds, 16))
        queries = queries.astype(np.float32)
        index.nearest(queries[0], K)
        print(
            f"\n{rows:,} products, k = {K}, {given.rounds} queries; ready in {time.perf_counter() - start:.2f} s"
        )
        print(f"{'question':36}{'way':22}{'ms':>9}{'ratio':>8}{'right':>8}")
        for question, ways in contestants(index, parts).items():
            base, truth = 0.0, []
            for way, answer in ways.items():
                took, found = median_ms(answer, queries)
                base, truth = (base, truth) if truth else (took, found)
                right = np.mean([np.array_equal(a, b) for a, b in zip(found, truth, strict=True)])
                print(f"{question:36}{way:22}{took:9.3f}{base / took:8.1f}{right:8.0%}")
        start = time.perf_counter()
        index.nearest(np.tile(queries, (10, 1)), K)
        took = (time.perf_counter() - start) / (10 * given.rounds) * 1e3
        print(f"{'likelihood':36}{'modiste, in a batch':22}{took:9.3f}")


if __name__ == "__main__":
    main()
