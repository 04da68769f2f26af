"""The file for Ray's cluster launcher passes Ray's own validation, and uses one address for the head."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.recipes import DEPLOY, documents

FILE = DEPLOY / "ray-cluster.yaml"


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return documents(FILE)[0]


def test_cluster_config_is_valid_for_the_ray_launcher(config: dict[str, Any]):
    util = pytest.importorskip("ray.autoscaler._private.util", reason="the extra scale has Ray")
    prepared = util.prepare_config(config)  # for machines that one has: what `ray up` makes of it
    util.validate_config(prepared)
    (node,) = prepared["available_node_types"].values()
    assert node["min_workers"] == node["max_workers"] == len(config["provider"]["worker_ips"])
    with pytest.raises(Exception, match="head_address"):
        util.validate_config(util.prepare_config(config | {"head_address": "10.0.0.10"}))


def test_head_has_one_address_and_a_local_dashboard(config: dict[str, Any]):
    head = config["provider"]["head_ip"]
    started = " ".join(config["head_start_ray_commands"])
    assert f"--node-ip-address={head}" in started
    assert "--dashboard-host=127.0.0.1" in started
    port = re.search(r"--port=(\d+)", started)
    assert port is not None
    assert f"--address={head}:{port[1]}" in " ".join(config["worker_start_ray_commands"])
