"""`modiste shards`: what is refused before anything starts, and the HTTP answers of a studio from a real Ray Serve."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from modiste.cli import main
from modiste.server.app import create_app
from modiste.shop.shop import Shop

pytest.importorskip("ray")
SECRET, ASKED = "5ec2e7" * 10, "what-nobody-else-asks"


@pytest.fixture
def scratch() -> Iterator[str]:
    """A directory whose name is short: sockets lie in there."""
    with tempfile.TemporaryDirectory(prefix="m", ignore_cleanup_errors=True) as folder:
        yield folder


def test_a_local_cluster_needs_a_port(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--ray", "local"]) == 2
    assert "--port" in capsys.readouterr().err


def test_an_address_that_is_none(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--ray", "nowhere"]) == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["shards", "--help"]) == 0
    said = capsys.readouterr().out
    for example in ("--ray local --shards 2 --port 8100", "--shards 4 --replicas 2", "curl -d", "/v1/similar"):
        assert example in said


@pytest.mark.slow
def test_a_client_notices_no_difference(small: Path, tmp_path: Path, scratch: str) -> None:
    command = [sys.executable, "-m", "modiste", "shards", "--shop", str(small), "--ray", "local"]
    command += ["--shards", "2", "--replicas", "1", "--port", "0", "--json"]
    environment = os.environ | {"MODISTE_CACHE": str(tmp_path / "cache"), "MODISTE_LOG": "json"}
    environment |= {"TMPDIR": scratch, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": SECRET}
    shop = Shop.open(small, need="map")
    ids = shop.catalogue.ids
    bodies = [
        ("similar", {"product": ids[3]}),
        ("similar", {"code": shop.code_of(ids[5]).tolist(), "scope": "catalogue", "k": 5, "tau": 0.3}),
        ("similar", {"product": ids[0], "method": "mean", "metric": "manhattan", "exclude": [ids[1]]}),
        ("similar", {"product": ASKED}),
        ("similar", {"product": ids[0], "where": {"nothing": [ASKED]}}),
        ("similar", {"product": ids[0], "where": {ASKED: ["x"]}}),
        ("recommend", {"product": ids[0], "photo": ASKED}),
        ("similar", {"product": ids[0], "where": {"category": [shop.catalogue.categories[0]]}}),
        ("recommend", {"product": ids[4]}),
        ("recommend", {"product": ids[4], "method": "shift:mean", "by": "cluster"}),
        ("recommend", {"product": ids[4], "k": 0}),
    ]
    said = tmp_path / "said"
    with (
        said.open("w") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
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
                assert "modiste_request_seconds" in client.get(f"{told['url']}metrics").text
            assert ready["shop_version"] == shop.version
            assert [each["replicas"] for each in ready["shards"]] == [1, 1]
            assert sum(each["products"] for each in ready["shards"]) == len(ids)
            logs = [path for path in Path(scratch).rglob("*") if path.is_file() and "logs" in path.parts]
            replicas = [path.read_text() for path in logs if path.name.startswith("replica_")]
            assert sum("products are ready" in each for each in replicas) == 2
            assert '"route": "/v1/similar"' in said.read_text()
            for path in [said, *logs]:  # neither what is secret, nor what visitors ask
                told = path.read_bytes()
                assert SECRET.encode() not in told, path
                assert ASKED.encode() not in told, path
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode in (0, 130)
