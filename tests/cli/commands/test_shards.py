"""The command shards: its errors, and answers from a local Ray that equal those of the studio."""

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
SECRET, UNIQUE = "5ec2e7" * 10, "unique-query-text"


@pytest.fixture
def short_tmp() -> Iterator[str]:
    """Yield a directory with a short name, since Ray creates sockets in it."""
    with tempfile.TemporaryDirectory(prefix="m", ignore_cleanup_errors=True) as folder:
        yield folder


def test_local_ray_needs_a_port(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--ray", "local"]) == 2
    assert "--port" in capsys.readouterr().err


def test_invalid_ray_address_exits_with_2(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "--shop", str(small), "--ray", "nowhere"]) == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_shards_help_has_examples(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["shards", "--help"]) == 0
    out = capsys.readouterr().out
    for example in ("--ray local --shards 2 --port 8100", "--shards 4 --replicas 2", "curl -d", "/v1/similar"):
        assert example in out


@pytest.mark.slow
def test_answers_equal_those_of_the_studio(small: Path, tmp_path: Path, short_tmp: str) -> None:
    command = [sys.executable, "-m", "modiste", "shards", "--shop", str(small), "--ray", "local"]
    command += ["--shards", "2", "--replicas", "1", "--port", "0", "--json"]
    environment = os.environ | {"MODISTE_CACHE": str(tmp_path / "cache"), "MODISTE_LOG": "json"}
    environment |= {"TMPDIR": short_tmp, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": SECRET}
    shop = Shop.open(small, need="map")
    ids = shop.catalogue.ids
    bodies = [
        ("similar", {"product": ids[3]}),
        ("similar", {"code": shop.code_of(ids[5]).tolist(), "scope": "catalogue", "k": 5, "tau": 0.3}),
        ("similar", {"product": ids[0], "method": "mean", "metric": "manhattan", "exclude": [ids[1]]}),
        ("similar", {"product": UNIQUE}),
        ("similar", {"product": ids[0], "where": {"nothing": [UNIQUE]}}),
        ("similar", {"product": ids[0], "where": {UNIQUE: ["x"]}}),
        ("recommend", {"product": ids[0], "photo": UNIQUE}),
        ("similar", {"product": ids[0], "where": {"category": [shop.catalogue.categories[0]]}}),
        ("recommend", {"product": ids[4]}),
        ("recommend", {"product": ids[4], "method": "shift:mean", "by": "cluster"}),
        ("recommend", {"product": ids[4], "k": 0}),
    ]
    log = tmp_path / "stderr"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            started = json.loads("".join(itertools.takewhile(lambda line: line != "}\n", process.stdout)) + "}")
            with TestClient(create_app(shop)) as studio, httpx.Client(timeout=60) as client:
                for route, body in bodies:
                    expected = studio.post(f"/v1/{route}", json=body)
                    response = client.post(f"{started['url']}v1/{route}", json=body)
                    assert response.status_code == expected.status_code
                    if expected.status_code == 200:
                        assert response.json() == expected.json()
                    else:
                        assert response.json()["code"] == expected.json()["code"]
                ready = client.get(f"{started['url']}readyz").json()
                assert "modiste_request_seconds" in client.get(f"{started['url']}metrics").text
            assert ready["shop_version"] == shop.version
            assert [each["replicas"] for each in ready["shards"]] == [1, 1]
            assert sum(each["products"] for each in ready["shards"]) == len(ids)
            logs = [path for path in Path(short_tmp).rglob("*") if path.is_file() and "logs" in path.parts]
            replicas = [path.read_text() for path in logs if path.name.startswith("replica_")]
            assert sum("products are ready" in each for each in replicas) == 2
            assert '"route": "/v1/similar"' in log.read_text()
            for path in [log, *logs]:  # no secrets and no queries in the logs
                text = path.read_bytes()
                assert SECRET.encode() not in text, path
                assert UNIQUE.encode() not in text, path
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode in (0, 130)
