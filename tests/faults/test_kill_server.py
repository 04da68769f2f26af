"""A server that is killed during a change serves the previous products after its restart, and finishes the change."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from modiste.server.auth import new_key
from modiste.shop.shop import Shop
from tests.faults.writer_process import product
from tests.server.test_run import serving

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def await_update(client: httpx.Client, headers: dict[str, str]) -> dict[str, Any]:
    """Return the server's state of the shop once its update has ended."""
    while (state := client.get("/v1/admin", headers=headers).json())["refreshing"]:
        time.sleep(0.05)
    assert state["error"] == ""
    return state


def test_killed_server_loses_no_acknowledged_product(shop_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, hashed = new_key()
    monkeypatch.setenv("MODISTE_ADMIN_KEY", hashed)
    dice = random.Random(3)
    headers = {"Authorization": f"Bearer {key}"}
    before = len(Shop.open(shop_copy, need="catalogue").catalogue)
    for number in range(10):
        with serving(shop_copy) as (process, url), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            served = await_update(client, headers)
            # All that was acknowledged until now is served.
            assert served["products"] == before + number
            record = product(number)
            assert isinstance(record.photo, bytes)
            files = {"photo": ("p.png", record.photo, "image/png")}
            path = f"/v1/admin/products/{record.id}"
            assert client.put(path, headers=headers, files=files, data={"category": "noise"}).status_code == 202
            time.sleep(dice.uniform(0.0, 1.0))
            process.kill()
            process.wait()
    with serving(shop_copy) as (process, url), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        await_update(client, headers)
        assert client.get("/v1/products/new-9").status_code == 200
