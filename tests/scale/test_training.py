"""Machines that train one model together: the model of one, also where one of them is lost, cut off, or the first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from modiste.errors import MissingExtra
from modiste.model.config import ModelConfig
from modiste.scale.fleet import RayFleet
from modiste.shop.shop import Shop
from modiste.shop.training import train_shop
from modiste.vae import train
from tests.scale.nodes import Cluster, cluster, why_not
from tests.vae.conftest import drawn_photos
from tests.vae.test_together import NEAR, losses, processes, settings

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.fixture(scope="module")
def machines() -> Iterator[Cluster]:
    """A head, and two workers of one processor each."""
    if (why := why_not()) is not None:
        pytest.skip(why)
    with cluster(2) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of one process."""
    directory, threads = tmp_path_factory.mktemp("alone"), torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modiste.vae.hardware.cpu_has_bfloat16", lambda: False)
        torch.set_num_threads(1)
        model = train(drawn_photos(64, 48, 36), [f"p{n}" for n in range(64)], settings(), directory)
    torch.set_num_threads(threads)
    return losses(directory, model)


def begin(machines: Cluster, directory: Path) -> subprocess.Popen[str]:
    """Train on the head, with the others."""
    command = [sys.executable, "-m", "tests.scale.trained", machines.address, str(directory)]
    return subprocess.Popen(
        machines.inside(0, command), env=machines.environment, stdout=subprocess.PIPE, text=True
    )


def finish(
    process: subprocess.Popen[str], directory: Path, at: str, strike: Callable[[], object]
) -> ModelConfig | None:
    """Strike once the line `at` is printed, and read on to the end; the model, if there is one."""
    model = None
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(at):
            strike()
        if line.startswith("model"):
            model = ModelConfig.load(directory / line.split()[1])
    process.wait()
    process.stdout.close()
    return model


def test_machines_make_the_model_of_one_and_one_that_is_killed_changes_nothing(
    machines: Cluster, alone: list[float], tmp_path: Path
) -> None:
    process = begin(machines, tmp_path)
    model = finish(process, tmp_path, "train 2 3", lambda: machines.kill(1))
    machines.start(1)
    assert model is not None
    took_part = processes(tmp_path, model)
    assert took_part[0] == 3.0
    assert 2.0 < took_part[1] < 3.0
    assert losses(tmp_path, model) == pytest.approx(alone, rel=NEAR)


def test_a_machine_that_is_cut_off_changes_nothing(
    machines: Cluster, alone: list[float], tmp_path: Path
) -> None:
    process = begin(machines, tmp_path)
    model = finish(process, tmp_path, "train 2 3", lambda: machines.cut(2))
    machines.mend(2)
    machines.kill(2)
    machines.start(2)
    assert model is not None
    assert 2.0 < processes(tmp_path, model)[1] < 3.0
    assert losses(tmp_path, model) == pytest.approx(alone, rel=NEAR)


def test_a_run_whose_first_process_is_killed_goes_on(
    machines: Cluster, alone: list[float], tmp_path: Path
) -> None:
    process = begin(machines, tmp_path)
    assert finish(process, tmp_path, "train 3 2", process.kill) is None
    model = finish(begin(machines, tmp_path), tmp_path, "never", lambda: None)
    assert model is not None
    lines = (tmp_path / model.model_id / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    assert losses(tmp_path, model) == pytest.approx(alone, rel=NEAR)


def test_a_shop_is_trained_by_a_fleet(fleet: RayFleet, small: Path) -> None:
    model = train_shop(small, latent=4, epochs=2, fleet=fleet)
    assert processes(small / "models", model) == [2.0, 2.0]
    assert Shop.open(small, need="model").files.model(model.model_id).is_dir()


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from modiste.scale import partners

    monkeypatch.setattr(partners, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"modiste\[train\]"):
        partners._part("127.0.0.1", 1, b"", 1)
