"""A local Ray for tests."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from modiste.pipeline.index import index_shop

pytest.importorskip("ray")

from modiste.distributed.ray_executor import RayExecutor, ray_executor
from modiste.distributed.ray_session import connect


@pytest.fixture(scope="package")
def fleet() -> Iterator[RayExecutor]:
    """An executor with two local workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        with ray_executor("local") as workers:
            yield workers
    # Ray ends its processes and leaves them for the garbage collector to find, which says so in a warning.
    for each in gc.get_objects():
        # Other processes, such as an S3 server, go on. isinstance would ask objects that warn of being asked.
        if issubclass(type(each), subprocess.Popen) and "ray" in str(each.args):
            with suppress(subprocess.TimeoutExpired):
                each.wait(10)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A local Ray for shards."""
    patch = pytest.MonkeyPatch()
    patch.setenv("MODISTE_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("RAY_worker_niceness", "0")
    with connect("local") as ray:
        yield ray
    patch.undo()


@pytest.fixture
def shop(small: Path, cluster: Any) -> Iterator[Path]:
    """A shop with two running shards of two replicas each."""
    from ray import serve

    from modiste.distributed.shard_deploy import deploy

    index_shop(small)
    deploy(str(small), 2, 2)
    yield small
    for name in serve.status().applications:
        serve.delete(name)
