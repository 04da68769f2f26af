"""Locks: writers wait for each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modiste.storage.locks import wait_for_lock


def test_wait_for_lock_admits_one_thread_at_a_time(tmp_path: Path) -> None:
    inside, most, done = 0, 0, 0

    def work(_: int) -> None:
        nonlocal inside, most, done
        with wait_for_lock(tmp_path / "new"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.005)
            inside, done = inside - 1, done + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))
    assert (most, done) == (1, 12)
