"""`modiste shards`: what is refused before anything starts, and the HTTP answers of a studio from a real Ray Serve."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from modiste.cli import main
from modiste.shop.shop import Shop
from modiste.studio.app import create_app

pytest.importorskip("ray")


def test_a_local_cluster_needs_a_port(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--cluster", "local"]) == 2
    assert "--port" in capsys.readouterr().err


def test_an_address_that_is_none(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--cluster", "nowhere"]) == 2
    assert "HOST:PORT" in capsys.readouterr().err


@pytest.mark.slow
def test_a_client_notices_no_difference(small: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modiste", "shards", "--shop", str(small), "--cluster", "local"]
    command += ["--shards", "2", "--replicas", "1", "--port", "0", "--json"]
    environment = os.environ | {"MODISTE_CACHE": str(tmp_path / "cache")}
    shop = Shop.open(small, need="map")
    ids = shop.catalogue.ids
    bodies = [
        ("similar", {"product": ids[3]}),
        ("similar", {"code": shop.code_of(ids[5]).tolist(), "scope": "catalogue", "k": 5, "tau": 0.3}),
        ("similar", {"product": ids[0], "method": "mean", "metric": "manhattan", "exclude": [ids[1]]}),
        ("similar", {"product": "nobody"}),
        ("similar", {"product": ids[0], "where": {"nothing": ["x"]}}),
        ("similar", {"product": ids[0], "where": {"category": [shop.catalogue.categories[0]]}}),
        ("recommend", {"product": ids[4]}),
        ("recommend", {"product": ids[4], "method": "shift:mean", "by": "cluster"}),
        ("recommend", {"product": ids[4], "k": 0}),
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads("".join(itertools.takewhile(lambda line: line != "}\n", process.stdout)) + "}")
            with TestClient(create_app(shop)) as studio, httpx.Client(timeout=60) as client:
                for route, body in bodies:
                    expected = studio.post(f"/v1/{route}", json=body)
                    found = client.post(f"{told['url']}v1/{route}", json=body)
                    assert found.status_code == expected.status_code
                    if expected.status_code == 200:
                        assert found.json() == expected.json()
                    else:
                        assert found.json()["code"] == expected.json()["code"]
                ready = client.get(f"{told['url']}readyz").json()
            assert ready["version"] == shop.version
            assert [each["replicas"] for each in ready["shards"]] == [1, 1]
            assert sum(each["products"] for each in ready["shards"]) == len(ids)
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode in (0, 130)
