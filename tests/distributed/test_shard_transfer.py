"""Copying a shard's files from a replica to a machine without them, when the shop has another version."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from modiste.distributed.shard_files import ShardFiles
from modiste.errors import RayClusterError
from modiste.pipeline.index import index_shop
from modiste.shop.backend import Query
from modiste.shop.shop import Shop
from modiste.storage.location import absolute_location
from tests.distributed.nodes import Cluster, await_ready, cluster, why_not

pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]


def test_machine_without_shard_files_downloads_them(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray import serve

    from modiste.distributed import shard_transfer
    from modiste.distributed.shard_deploy import DEPLOYMENT_NAME, list_running

    before = Shop.open(shop, need="map")
    queries = [Query(before.code_of(id_), 5, "likelihood", "euclidean", 0.0) for id_ in before.catalogue.ids[:5]]
    expected = before.query_engine.backend.search(queries)
    shard_files = ShardFiles(absolute_location(shop), before.version, 2)
    app = list_running(absolute_location(shop))[0]
    index_shop(shop, tau=0.3)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "another"))
    monkeypatch.setattr(shard_transfer, "PART_TIMEOUT_S", 5.0)
    assert shard_files.summary() is None
    shards = []
    for shard in range(2):
        shard_transfer.download_shard(
            shard_files, shard, serve.get_deployment_handle(DEPLOYMENT_NAME.format(shard), app_name=app)
        )
        summary = shard_files.summary()
        assert summary is not None
        shards.append(shard_files.open(shard, summary))
    results = [shard.search(queries) for shard in shards if shard is not None]
    for row, hits in enumerate(expected):
        ranked = sorted((hit for each in results for hit in each[row]), key=lambda hit: (hit.rank, hit.id))
        assert ranked[:5] == hits
    replicas = serve.get_deployment_handle(DEPLOYMENT_NAME.format(0), app_name=app)
    serve.delete(app)
    with pytest.raises(RayClusterError, match="No other machine"):
        shard_transfer.download_shard(shard_files, 0, replicas)
    assert shard_files.open(0, summary) is not None


@pytest.mark.faults
def test_new_machine_keeps_the_shard_after_the_others_are_lost(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "theirs"))
    index_shop(small)
    before = Shop.open(small, need="map")
    query = {"product": before.catalogue.ids[0], "k": 5, "scope": "catalogue"}
    with cluster(2) as machines, httpx.Client(timeout=30, trust_env=False) as client:
        options = ("--shop", str(small), "--shards", "1", "--replicas", "2", "--host", machines.ip(0))
        shard_server = machines.modiste("shards", *options, "--port", "8100")
        url = f"http://{machines.ip(0)}:8100"
        try:
            await_replicas(url, 2)
            expected = client.post(f"{url}/v1/similar", json=query).json()["results"]
            assert len(expected) == 5
            index_shop(small, tau=0.3)  # nobody can make the shard of this version any more
            own = tmp_path / "own"
            machines.environment["MODISTE_CACHE"] = str(own)
            machines.make(3)
            machines.start(3)
            for _ in range(20):  # Ray puts a replica where it likes
                if list(own.rglob("sums.json")):
                    break
                os.kill(next(pid for node in (1, 2) for pid in replicas(machines, node)), signal.SIGKILL)
                await_replicas(url, 2)
            assert list(own.rglob("sums.json"))
            machines.kill(1)
            machines.kill(2)
            assert await_replicas(url, 1)["shop_version"] == before.version
            answer = client.post(f"{url}/v1/similar", json=query)
            assert answer.status_code == 200, answer.text
            assert answer.json()["results"] == expected
        finally:
            shard_server.kill()
            shard_server.communicate()


def replicas(machines: Cluster, node: int) -> list[int]:
    """Return the ids of the replica processes on a node."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in machines.workers(node)}
    return [pid for pid, title in titles.items() if b"ServeReplica" in title]


def await_replicas(url: str, count: int) -> dict[str, Any]:
    """Return a server's status once each shard has so many replicas or more. Raises TimeoutError."""
    return await_ready(url, lambda status: min(each["replicas"] for each in status["shards"]) >= count)
