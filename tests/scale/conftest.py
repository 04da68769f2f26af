"""A Ray on this machine, for the tests of many."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest

pytest.importorskip("ray")

from modiste.scale.fleet import RayFleet, ray_fleet


@pytest.fixture(scope="package")
def fleet() -> Iterator[RayFleet]:
    """Two workers on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        with ray_fleet("local") as workers:
            yield workers
    # Ray ends its processes and leaves them for the garbage collector to find, which says so in a warning.
    for each in gc.get_objects():
        if issubclass(type(each), subprocess.Popen):  # isinstance would ask objects that warn of being asked
            with suppress(subprocess.TimeoutExpired):
                each.wait(10)
