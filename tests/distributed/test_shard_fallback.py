"""A server that searches on the shards of a real Ray Serve gives the same results with shards and without."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from modiste.cli import main
from modiste.pipeline.index import index_shop
from modiste.server.app import create_app
from modiste.shop.shop import Shop
from tests.server.test_run import serving

pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.filterwarnings("ignore::Warning")]


def server_results(client: Any, shop: Shop) -> list[Any]:
    """Return a server's results for some products: similar ones and recommendations."""
    results: list[Any] = []
    for id_ in shop.catalogue.ids[:4]:
        for route, body in (
            ("similar", {"k": 5}),
            ("similar", {"k": 5, "scope": "catalogue", "method": "mean", "metric": "manhattan"}),
            ("similar", {"k": 5, "where": {"category": [shop.catalogue.categories[0]]}}),
            ("recommend", {"by": "category"}),
        ):
            answer = client.post(f"/v1/{route}", json={"product": id_} | body)
            assert answer.status_code == 200, answer.text
            results.append(answer.json())
    return results


def results_without_shards(path: Path) -> list[Any]:
    """The results of a server without shards."""
    with TestClient(create_app(Shop.open(path, need="map"))) as client:
        return server_results(client, Shop.open(path))


def test_server_gives_the_same_answers_after_the_shards_are_deleted(shop: Path) -> None:
    from ray import serve

    from modiste.distributed.shard_client import ShardClient
    from modiste.distributed.shard_fallback import FallbackBackend

    client = ShardClient(str(shop), deadline=3.0)
    opened = Shop.open(shop, need="map")
    backend = FallbackBackend(client, opened.version, opened.query_engine.backend)
    with TestClient(create_app(opened, None, lambda *_: backend)) as studio:
        assert server_results(studio, opened) == results_without_shards(shop)
        assert backend.search_shards([]) == []
        assert "index" not in vars(opened)  # which it never needed
        for name in serve.status().applications:
            serve.delete(name)
        began = time.monotonic()
        assert server_results(studio, opened) == results_without_shards(shop)
        assert backend.search_shards([]) is None
        assert time.monotonic() - began < 20  # of 16 questions the first few have waited
    client.close()


def test_newer_version_is_searched_locally_until_it_is_deployed(shop: Path) -> None:
    from modiste.distributed.shard_client import ShardClient
    from modiste.distributed.shard_deploy import deploy
    from modiste.distributed.shard_fallback import FallbackBackend

    client = ShardClient(str(shop))
    index_shop(shop, tau=0.2)
    opened = Shop.open(shop, need="map")
    backend = FallbackBackend(client, opened.version, opened.query_engine.backend)
    expected = results_without_shards(shop)
    with TestClient(create_app(opened, None, lambda *_: backend)) as studio:
        assert backend.search_shards([]) is None
        assert server_results(studio, opened) == expected
        deploy(str(shop), 3, 1)
        client.refresh()
        assert backend.search_shards([]) == []
        assert server_results(studio, opened) == expected
    client.close()


def test_serve_uses_running_shards(shop: Path, cluster: Any) -> None:
    address = cluster.get_runtime_context().gcs_address
    with (
        serving(shop, "--ray", address) as (process, url),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        assert server_results(client, Shop.open(shop)) == results_without_shards(shop)
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert "searching in this server" not in log
    assert "Traceback" not in log


def test_serve_without_running_shards_fails(small: Path, cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    index_shop(small)
    address = cluster.get_runtime_context().gcs_address
    assert main(["serve", "--shop", str(small), "--port", "0", "--ray", address]) == 8
    assert "modiste shards --shop" in capsys.readouterr().err


def test_serve_with_a_local_ray_fails(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--shop", str(small), "--port", "0", "--ray", "local"]) == 2
    assert "modiste shards" in capsys.readouterr().err
