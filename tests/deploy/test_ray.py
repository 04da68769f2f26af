"""The file for Ray's cluster launcher: taken by Ray's own check, and one address of the head everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.recipes import DEPLOY, documents

FILE = DEPLOY / "ray-cluster.yaml"


@pytest.fixture(scope="module")
def held() -> dict[str, Any]:
    return documents(FILE)[0]


def test_ray_takes_it_as_its_launcher_would(held: dict[str, Any]):
    util = pytest.importorskip("ray.autoscaler._private.util", reason="the extra scale has Ray")
    prepared = util.prepare_config(held)  # for machines that one has: what `ray up` makes of it
    util.validate_config(prepared)
    (node,) = prepared["available_node_types"].values()
    assert node["min_workers"] == node["max_workers"] == len(held["provider"]["worker_ips"])
    with pytest.raises(Exception, match="head_address"):
        util.validate_config(util.prepare_config(held | {"head_address": "10.0.0.10"}))


def test_the_head_is_meant_by_one_address_and_its_dashboard_is_not_open(held: dict[str, Any]):
    head = held["provider"]["head_ip"]
    started = " ".join(held["head_start_ray_commands"])
    assert f"--node-ip-address={head}" in started
    assert "--dashboard-host=127.0.0.1" in started
    port = re.search(r"--port=(\d+)", started)
    assert port is not None
    assert f"--address={head}:{port[1]}" in " ".join(held["worker_start_ray_commands"])
