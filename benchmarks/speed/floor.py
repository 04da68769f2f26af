"""The floor: what this machine's memory and arithmetic allow, and how far from it a scan, a frame and a step are."""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np
from report import Report, median


@numba.njit(nogil=True, fastmath=True)
def read(values: Any) -> float:
    """The sum of float32: nothing but reading."""
    total = np.float32(0.0)
    for i in range(len(values)):
        total += values[i]
    return total


def timed(work: Any, rounds: int = 5) -> float:
    """Median seconds of some rounds, after one."""
    work()
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def bandwidth_of(values: Any) -> float:
    """Bytes per second that reading them once takes."""
    return values.nbytes / timed(lambda: read(values))


def measure(report: Report) -> dict[str, float]:
    """Bytes read per second from memory, and float32 operations per second of a matrix product, one thread."""
    report.heading("the floor of this machine, one thread")
    bandwidth = bandwidth_of(np.ones(100_000_000, np.float32))
    side = 2048
    a, b = (np.random.default_rng(i).random((side, side), np.float32) for i in range(2))
    arithmetic = 2 * side**3 / timed(lambda: a @ b)
    report.note("memory, GB/s", bandwidth / 1e9)
    report.note("arithmetic, GFLOP/s", arithmetic / 1e9)
    return {"bytes": bandwidth, "operations": arithmetic}
