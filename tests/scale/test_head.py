"""The head of a cluster is lost for good: what a studio, a server of shards and a training do without it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from modiste.errors import ClusterError
from modiste.shop.indexing import index_shop
from modiste.shop.shop import Shop
from modiste.vae import train
from tests.scale.nodes import await_ready, cluster, why_not
from tests.scale.test_training import finish
from tests.vae.conftest import drawn_photos
from tests.vae.test_together import NEAR, losses, processes, settings

pytestmark = [pytest.mark.slow, pytest.mark.faults]
LOST = 75.0  # seconds: Ray ends its own processes after 60


def similar(url: str, shop: Shop) -> list[Any]:
    """What is answered about some products."""
    found: list[Any] = []
    with httpx.Client(timeout=30, trust_env=False) as client:
        for id_ in shop.catalogue.ids[:5]:
            answer = client.post(f"{url}/v1/similar", json={"product": id_, "k": 5})
            assert answer.status_code == 200, answer.text
            found.append([(each["id"], each["score"]) for each in answer.json()["results"]])
    return found


def test_a_studio_goes_on_and_a_server_of_shards_ends(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    monkeypatch.setenv("MODISTE_CACHE", str(tmp_path / "cache"))
    index_shop(small)
    shop = Shop.open(small)
    with cluster(1) as machines:
        host = machines.ip(1)
        asked = ("--shop", str(small), "--host", host, "--port")
        door = machines.modiste("shards", *asked, "8100", "--replicas", "1", node=1)
        door_url, studio_url = f"http://{host}:8100", f"http://{host}:8200"
        await_ready(door_url)
        studio = machines.modiste("serve", *asked, "8200", node=1)
        try:
            await_ready(studio_url)
            expected = similar(door_url, shop)
            assert similar(studio_url, shop) == expected
            machines.kill(0)
            until = time.monotonic() + LOST
            while time.monotonic() < until:
                assert similar(studio_url, shop) == expected
                time.sleep(5)
            assert studio.poll() is None
            _, err = door.communicate(timeout=120)
            assert door.returncode == ClusterError.exit_code, err
            assert "has not answered for a minute" in err
            assert "Traceback" not in err
            assert similar(studio_url, shop) == expected
        finally:
            for each in (studio, door):
                each.kill()
                each.communicate()


def test_a_training_on_another_machine_comes_to_its_end(tmp_path: Path) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    with cluster(2) as machines:
        command = [sys.executable, "-m", "tests.scale.trained", machines.address, str(tmp_path)]
        process = subprocess.Popen(
            machines.inside(1, command), env=machines.environment, stdout=subprocess.PIPE, text=True
        )
        model = finish(process, tmp_path, "train 2 3", lambda: machines.kill(0))
    assert model is not None
    assert processes(tmp_path, model)[0] == 2.0
    directory, threads = tmp_path / "alone", torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modiste.vae.hardware.cpu_has_bfloat16", lambda: False)
        torch.set_num_threads(1)
        alone = train(drawn_photos(64, 48, 36), [f"p{n}" for n in range(64)], settings(), directory)
    torch.set_num_threads(threads)
    assert losses(tmp_path, model) == pytest.approx(losses(directory, alone), rel=NEAR)
