"""The compose file as Docker Compose reads it: ports, privileges, and which proxy the studio trusts."""

from __future__ import annotations

import json
import os
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from modiste.server.settings import Settings
from tests.deploy.recipes import DEPLOY, documents, tool

FILE = DEPLOY / "compose.yaml"


def compose_config(**told: str) -> tuple[int, str]:
    """Return the exit status of `docker-compose config` with these variables, and its JSON or its error."""
    said = tool("docker-compose", "-f", str(FILE), "config", "--format", "json", env=os.environ | told)
    return said.returncode, said.stdout or said.stderr


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    status, text = compose_config(MODISTE_SHOP="/srv/my-shop", SITE="studio.shop.example")
    assert status == 0, text
    return json.loads(text)


def test_missing_shop_variable_is_reported():
    status, text = compose_config(MODISTE_SHOP="")
    assert status != 0
    assert "MODISTE_SHOP" in text


def test_only_the_proxy_publishes_ports(config: dict[str, Any]):
    assert "ports" not in config["services"]["studio"]
    published = {(each["published"], each.get("protocol")) for each in config["services"]["proxy"]["ports"]}
    assert published == {("80", "tcp"), ("443", "tcp"), ("443", "udp")}
    assert config["networks"]["inside"]["internal"] is True
    assert set(config["services"]["studio"]["networks"]) == {"inside"}


def test_studio_trusts_only_the_proxy_address(config: dict[str, Any]):
    told = config["services"]["studio"]["environment"]["MODISTE_TRUSTED_PROXIES"]
    (believed,) = Settings(trusted_proxies=tuple(told.split(","))).trusted_proxies
    at = config["services"]["proxy"]["networks"]["inside"]["ipv4_address"]
    assert ip_network(believed).num_addresses == 1
    assert ip_address(at) in ip_network(believed)
    assert ip_address(at) in ip_network(config["networks"]["inside"]["ipam"]["config"][0]["subnet"])


@pytest.mark.parametrize("name", ["studio", "proxy"])
def test_services_have_minimal_privileges(config: dict[str, Any], name: str):
    service = config["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0


def test_proxy_waits_for_a_healthy_studio_with_a_grace_period(config: dict[str, Any]):
    assert config["services"]["proxy"]["depends_on"]["studio"]["condition"] == "service_healthy"
    assert "HEALTHCHECK" in (DEPLOY.parent / "Containerfile").read_text(encoding="utf-8")
    grace = documents(FILE)[0]["services"]["studio"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > Settings().deadline


def test_mounted_files_exist():
    for volume in documents(FILE)[0]["services"]["proxy"]["volumes"]:
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists()
