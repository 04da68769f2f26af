"""What the server and the shard server do after the head of a cluster is lost for good."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from modiste.errors import RayClusterError
from modiste.pipeline.index import index_shop
from modiste.shop.shop import Shop
from tests.distributed.nodes import await_ready, cluster, why_not

pytestmark = [pytest.mark.slow, pytest.mark.faults]
OBSERVED_SECONDS = 75.0  # seconds: Ray ends its own processes after 60


def similar(url: str, shop: Shop) -> list[Any]:
    """Return the results for some products."""
    results: list[Any] = []
    with httpx.Client(timeout=30, trust_env=False) as client:
        for id_ in shop.catalogue.ids[:5]:
            answer = client.post(f"{url}/v1/similar", json={"product": id_, "k": 5})
            assert answer.status_code == 200, answer.text
            results.append([(each["id"], each["score"]) for each in answer.json()["results"]])
    return results


def test_studio_continues_and_shard_server_exits_without_the_head(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    index_shop(small)
    shop = Shop.open(small)
    with cluster(1) as machines:
        host = machines.ip(1)
        options = ("--shop", str(small), "--host", host, "--port")
        shard_server = machines.modiste("shards", *options, "8100", "--replicas", "1", node=1)
        shard_server_url, studio_url = f"http://{host}:8100", f"http://{host}:8200"
        await_ready(shard_server_url)
        studio = machines.modiste("serve", *options, "8200", node=1)
        try:
            await_ready(studio_url)
            expected = similar(shard_server_url, shop)
            assert similar(studio_url, shop) == expected
            machines.kill(0)
            until = time.monotonic() + OBSERVED_SECONDS
            while time.monotonic() < until:
                assert similar(studio_url, shop) == expected
                time.sleep(5)
            assert studio.poll() is None
            _, err = shard_server.communicate(timeout=120)
            assert shard_server.returncode == RayClusterError.exit_code, err
            assert "has not answered for a minute" in err
            assert "Traceback" not in err
            assert similar(studio_url, shop) == expected
        finally:
            for each in (studio, shard_server):
                each.kill()
                each.communicate()
