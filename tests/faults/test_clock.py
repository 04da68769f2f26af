"""A clock that is set back or forward by years, also during a change: nothing is lost, and nothing waits.

A small preloaded library changes the clock of a process; the system's own clock stays correct.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from modiste.pipeline.doctor.repair import check_and_repair
from modiste.pipeline.product_changes import next_step, refresh_shop, remove_products
from modiste.server.auth import new_key
from modiste.shop.shop import Shop
from tests.server.test_run import serving

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("cc") is None, reason="a library is compiled, for Linux"
    ),
]

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "modiste"
YEARS = 10 * 365 * 86_400
CHANGE = """
import json, sys, time
from modiste.pipeline.product_changes import refresh_shop, remove_products
from modiste.shop.shop import Shop
path = sys.argv[1]
for _ in range(int(sys.argv[2])):
    remove_products(path, Shop.open(path, need="catalogue").catalogue.ids[:1])
refresh_shop(path)
print(json.dumps({"now": time.time(), "ids": Shop.open(path, need="map").catalogue.ids}))
"""


class Clock:
    """A fake clock for the processes that get its environment."""

    def __init__(self, folder: Path) -> None:
        library, self._file = folder / "clock.so", folder / "clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "clock.c"), "-ldl"], check=True)
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "CLOCK": str(self._file),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def set(self, off: int) -> None:
        """Shift the clock by some seconds from now on."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(off.to_bytes(8, sys.byteorder, signed=True))


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def remove_with_wrong_clock(clock: Clock, path: Path, off: int, times: int) -> dict[str, object]:
    """Remove products one by one in a process while its clock is wrong; return what the process prints."""
    clock.set(off)
    ran = subprocess.run(
        [sys.executable, "-c", CHANGE, str(path), str(times)],
        env=os.environ | clock.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


def test_processes_with_clocks_decades_apart_see_each_others_changes(clock: Clock, small: Path) -> None:
    """Each process continues from the previous one's result, for any timestamps."""
    ids = Shop.open(small, need="catalogue").catalogue.ids
    reader = Shop.open(small, need="map")
    for round_, off in enumerate((YEARS, -YEARS, 0, -YEARS), start=1):
        removed = remove_with_wrong_clock(clock, small, off, 2)
        assert abs(removed["now"] - (time.time() + off)) < 86_400  # type: ignore[operator]
        assert removed["ids"] == ids[2 * round_ :]
    remove_products(small, ids[8:9])
    refresh_shop(small)
    assert Shop.open(small, need="map").catalogue.ids == ids[9:]
    assert len(reader.similar(reader.random_design(0), 5)) == 5
    assert len(reader.jpeg(ids[20])) > 0  # of the version that it opened, or the newest
    assert next_step(small) is None
    assert check_and_repair(small)["intact"]


def test_shop_size_is_bounded_after_the_clock_is_set_back(clock: Clock, small: Path) -> None:
    """Files that were dated into the future are compacted too."""
    remove_with_wrong_clock(clock, small, YEARS, 1)
    remove_with_wrong_clock(clock, small, 0, 1)
    assert check_and_repair(small, repair=True)["intact"]
    before = sum(each.stat().st_size for each in small.rglob("*") if each.is_file())
    for _ in range(3):
        assert check_and_repair(small, repair=True)["intact"]
    after = sum(each.stat().st_size for each in small.rglob("*") if each.is_file())
    assert after - before < 300_000


@pytest.fixture
def server(clock: Clock, small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[httpx.Client, Clock, str]]:
    key, hashed = new_key()
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    monkeypatch.setenv("MODISTE_OTHERS_PER_SECOND", "1")
    with serving(small) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        monkeypatch.delenv("LD_PRELOAD")
        yield client, clock, key


def test_server_keeps_its_rate_limits_when_the_clock_changes(server: tuple[httpx.Client, Clock, str]) -> None:
    """Deadlines, rate limits and waits use the monotonic clock."""
    client, clock, key = server
    statuses: list[int] = []
    for off in (YEARS, -YEARS, 0, YEARS):
        clock.set(off)
        statuses += [client.get("/v1/sliders").status_code for _ in range(12)]
    assert set(statuses) <= {200, 429}
    assert statuses[12:].count(429) > 24  # to jump a decade fills nobody's share again
    assert client.get("/livez").status_code == 200
    time.sleep(2)
    assert client.get("/v1/admin", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_only_listed_modules_read_the_system_clock() -> None:
    """The time of day is only for people: in the log, in a backup, in the lock's owner, and in Retry-After.

    It also decides when unreferenced files are removed, but nothing that anyone reads.
    """
    asking = re.compile(r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(|\bdate\.today\(")
    files = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if asking.search(path.read_text(encoding="utf-8"))
    }
    shown_to_people = {"storage/backup.py", "sources/download.py", "storage/remote/lease.py"}
    # Of object storage files that neither shop.json nor the one before names, once another cannot be committed; of a
    # cache trees that no process holds; of a table versions other than the newest and the one that shop.json names.
    removed = {"storage/remote/commit.py", "storage/remote/cache.py", "storage/database.py"}
    assert files == shown_to_people | removed
