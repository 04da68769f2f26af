"""The compose file, as Docker Compose reads it, and what the proxy and the studio in it believe of each other."""

from __future__ import annotations

import json
import os
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from modiste.server.settings import Settings
from tests.deploy.recipes import DEPLOY, documents, tool

FILE = DEPLOY / "compose.yaml"


def read(**told: str) -> tuple[int, str]:
    """What Docker Compose makes of the file: its exit status, and JSON or what is wrong."""
    said = tool("docker-compose", "-f", str(FILE), "config", "--format", "json", env=os.environ | told)
    return said.returncode, said.stdout or said.stderr


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    status, text = read(MODISTE_SHOP="/srv/my-shop", SITE="studio.shop.example")
    assert status == 0, text
    return json.loads(text)


def test_without_a_shop_it_says_so():
    status, text = read(MODISTE_SHOP="")
    assert status != 0
    assert "MODISTE_SHOP" in text


def test_only_the_proxy_is_reached_from_outside(whole: dict[str, Any]):
    assert "ports" not in whole["services"]["studio"]
    published = {(each["published"], each.get("protocol")) for each in whole["services"]["proxy"]["ports"]}
    assert published == {("80", "tcp"), ("443", "tcp"), ("443", "udp")}
    assert whole["networks"]["inside"]["internal"] is True
    assert set(whole["services"]["studio"]["networks"]) == {"inside"}


def test_the_studio_believes_the_proxy_and_nobody_else(whole: dict[str, Any]):
    told = whole["services"]["studio"]["environment"]["MODISTE_TRUSTED_PROXIES"]
    (believed,) = Settings(trusted_proxies=tuple(told.split(","))).trusted_proxies
    at = whole["services"]["proxy"]["networks"]["inside"]["ipv4_address"]
    assert ip_network(believed).num_addresses == 1
    assert ip_address(at) in ip_network(believed)
    assert ip_address(at) in ip_network(whole["networks"]["inside"]["ipam"]["config"][0]["subnet"])


@pytest.mark.parametrize("name", ["studio", "proxy"])
def test_neither_may_more_than_it_needs(whole: dict[str, Any], name: str):
    service = whole["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0


def test_the_proxy_waits_for_a_studio_that_is_ready_and_lets_it_end(whole: dict[str, Any]):
    assert whole["services"]["proxy"]["depends_on"]["studio"]["condition"] == "service_healthy"
    assert "HEALTHCHECK" in (DEPLOY.parent / "Containerfile").read_text(encoding="utf-8")
    grace = documents(FILE)[0]["services"]["studio"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > Settings().deadline


def test_what_is_mounted_is_here():
    for volume in documents(FILE)[0]["services"]["proxy"]["volumes"]:
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists()
