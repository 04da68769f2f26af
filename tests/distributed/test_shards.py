"""Shards on a real Ray Serve give the results of one machine, while replicas die, and shards and versions change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from modiste.errors import RayClusterError, ShopBusy
from modiste.pipeline.index import index_shop
from modiste.shop.shop import Shop

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.filterwarnings("ignore::Warning")]
TRANSFERS = ("transport", "shift", "mean", "shift:fixed-epsilon")


def answers(engine: Any, seed: int) -> list[Any]:
    """Return the results of a query engine for queries drawn from a seed."""
    random = np.random.default_rng(seed)
    ids = sorted(engine.context.reference_codes.ids)
    product = ids[int(random.integers(len(ids)))]
    code = engine.backend.code_of(product) + random.normal(0, 0.1, engine.context.latent_dim).astype(np.float32)
    method = str(random.choice(["likelihood", "fixed-epsilon", "mean"]))
    metric, k = str(random.choice(["euclidean", "manhattan"])), int(random.integers(1, 12))
    tau = float(random.choice([0.0, 0.3]))
    scope = str(random.choice(["cluster", "catalogue"]))
    matches = engine.similar(code, k, method, scope, metric=metric, tau=tau, exclude=(product,))
    by = str(random.choice(["cluster", "category"]))
    beside = engine.recommend(code, min(k, 4), str(random.choice(TRANSFERS)), metric=metric, tau=tau, by=by)
    return [
        [each.to_dict() for each in matches],
        [each.to_dict() for each in beside],
        engine.locate(code),
        engine.closeness("likelihood", 1.0, tau=tau),
    ]


class Load:
    """Threads that query without pause, and compare every result with those of the versions that may be served."""

    def __init__(self, front: Any, *shops: Shop, threads: int = 3) -> None:
        self.expected = {shop.version: [answers(shop.query_engine, seed) for seed in range(12)] for shop in shops}
        self.front, self.wrong, self.failed, self.count = front, list[str](), list[Exception](), 0
        self.versions: set[str] = set()
        self._end = Event()
        self._threads = [Thread(target=self._ask, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def await_answers(self, count: int) -> None:
        """Wait until so many more queries were answered."""
        until = self.count + count
        while self.count < until and not self.failed:
            time.sleep(0.05)

    def _ask(self, number: int) -> None:
        seed = number
        while not self._end.is_set():
            try:
                version, results = self.front.run(
                    lambda shards, seed=seed: (shards.version, answers(shards.engine, seed))
                )
                self.versions.add(version)
                if results != self.expected[version][seed]:
                    self.wrong.append(f"{version} {seed}")
            except Exception as error:
                self.failed.append(error)
            self.count += 1
            seed = (seed + 1) % 12


def open_client(shop: Path) -> Any:
    from modiste.distributed.shard_client import ShardClient

    return ShardClient(str(shop))


def test_too_many_replicas_raise_at_once(small: Path, cluster: Any) -> None:
    from modiste.distributed.shard_deploy import deploy

    with pytest.raises(RayClusterError, match=r"4096 shards of 64 replicas need 13107.2 proc.*cluster has") as raised:
        deploy(str(small), 4096, 64)
    assert "--replicas" in raised.value.remedy


def test_concurrent_deployment_raises_shop_busy(small: Path, cluster: Any) -> None:
    from ray import serve

    from modiste.distributed.shard_deploy import deploy, list_running
    from modiste.storage.location import absolute_location

    def one(shards: int) -> Any:
        try:
            return deploy(str(small), shards, 1)
        except ShopBusy as error:
            return error

    index_shop(small)
    with ThreadPoolExecutor(2) as pool:
        deployed, refused = sorted(pool.map(one, [1, 2]), key=lambda each: isinstance(each, ShopBusy))
    assert deployed["generation"] == 1
    assert "deploying" in refused.message
    assert deploy(str(small), 2, 1)["generation"] == 2
    for name in list_running(absolute_location(small)):
        serve.delete(name)


LOCK_PROGRAM = """
import sys, time
from modiste.distributed.ray_session import connect
from modiste.distributed.shard_deploy import deploy_lock
with connect(sys.argv[1]), deploy_lock(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_killed_process_releases_the_lock(tmp_path: Path, cluster: Any) -> None:
    from modiste.distributed.shard_deploy import deploy_lock

    address, place = cluster.get_runtime_context().gcs_address, str(tmp_path)
    command = [sys.executable, "-c", LOCK_PROGRAM, address, place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ShopBusy, match="Another process"), deploy_lock(place):
            pass
        other.kill()
    until = time.monotonic() + 60
    while True:
        try:
            with deploy_lock(place):
                return
        except ShopBusy:
            assert time.monotonic() < until
            time.sleep(0.2)


def test_answers_stay_right_while_replicas_shards_and_versions_change(shop: Path) -> None:
    from modiste.distributed.shard_deploy import deploy

    before = Shop.open(shop, need="map")
    front = open_client(shop)
    for seed in range(20):
        assert answers(front.current.engine, seed) == answers(before.query_engine, seed)
    with Load(front, before) as load:  # one replica is killed
        load.await_answers(10)
        os.kill(front.status()["shards"][1]["process"], signal.SIGKILL)
        load.await_answers(40)
        deploy(str(shop), 3, 2)  # one more shard
        load.await_answers(20)
    assert (load.failed, load.wrong) == ([], [])
    assert len(front.status()["shards"]) == 3
    assert sum(each["products"] for each in front.status()["shards"]) == len(before.catalogue)
    index_shop(shop, tau=0.2)  # another version
    after = Shop.open(shop, need="map")
    assert after.version != before.version
    with Load(front, before, after) as load:
        load.await_answers(10)
        deploy(str(shop), 3, 2)
        load.await_answers(30)
    assert (load.failed, load.wrong) == ([], [])
    assert load.versions == {before.version, after.version}
    front.close()
