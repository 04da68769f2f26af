"""The commands with the option --ray."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modiste import Shop


def run_modiste(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a new process."""
    command = [sys.executable, "-m", "modiste", *map(str, arguments), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
def test_stages_run_on_a_local_ray(shop_copy: Path):
    pytest.importorskip("ray")
    for command in (("encode",), ("cluster", "--method", "kmeans"), ("index",), ("ingest", "sample")):
        done = run_modiste(command[0], *command[1:], "--shop", shop_copy, "--ray", "local")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert json.loads(done.stdout)
    assert Shop.open(shop_copy, need="catalogue").store.count() == 3000  # some of them were in the shop, and changed


@pytest.mark.parametrize("command", ["ingest", "encode", "cluster", "index"])
def test_unreachable_ray_cluster_exits_with_8(shop_copy: Path, command: str):
    pytest.importorskip("ray")
    source = ["sample"] if command == "ingest" else []
    done = run_modiste(command, *source, "--shop", shop_copy, "--ray", "127.0.0.1:9")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (8, "ray_cluster_error")
    assert "127.0.0.1:9" in error["message"]
    assert "ray start" in error["remedy"]
    assert Shop.open(shop_copy)
