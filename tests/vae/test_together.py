"""Processes that train together: the result of one, whoever comes, goes or is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.vae.company import Company, company

from modiste.errors import NonFiniteLoss
from modiste.model.config import ModelConfig
from modiste.vae import Partners, TrainSettings, train
from modiste.vae.messages import Meeting
from modiste.vae.together import Together

# Rounding grows as a network learns. Measured: between one process with one thread and with two, the losses of the
# epochs differ by up to 6e-4 of themselves; between one process and two or three, by up to 1.6e-3.
NEAR = 5e-3


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One thread, and float32: rounding differs by what is tested, and by nothing else."""
    monkeypatch.setattr("modiste.vae.hardware.cpu_has_bfloat16", lambda: False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def settings(**changes: Any) -> TrainSettings:
    held = {"frame": (48, 36), "latent": 4, "epochs": 4, "batch_size": 16, "learning_rate": 2e-4}
    return TrainSettings(**(held | changes))


def losses(directory: Path, model: ModelConfig) -> list[float]:
    """Of each epoch, on what is learnt and on what is held out."""
    lines = (directory / model.model_id / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)[name] for line in lines for name in ("loss", "validation_loss")]


def processes(directory: Path, model: ModelConfig) -> list[float]:
    """How many took part in each epoch, on average over its steps."""
    lines = (directory / model.model_id / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["processes"] for line in lines]


@pytest.fixture(scope="session")
def alone(
    photos: list[bytes], ids: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[ModelConfig, list[float]]]:
    """The model of a preset that one process makes, and its losses; made once."""
    made: dict[str, tuple[ModelConfig, list[float]]] = {}

    def of(preset: str) -> tuple[ModelConfig, list[float]]:
        if preset not in made:
            directory = tmp_path_factory.mktemp(preset)
            model = train(photos, ids, settings(preset=preset), directory)
            made[preset] = model, losses(directory, model)
        return made[preset]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["default", "paper"])
def test_three_processes_make_the_model_of_one(photos, ids, tmp_path: Path, alone, preset: str) -> None:
    with company(2) as partners:
        model = train(photos, ids, settings(preset=preset), tmp_path, partners=partners)
    expected, expected_losses = alone(preset)
    assert processes(tmp_path, model) == [3.0] * 4
    assert losses(tmp_path, model) == pytest.approx(expected_losses, rel=NEAR)
    assert model.metrics["psnr"] == pytest.approx(expected.metrics["psnr"], abs=0.02)
    assert not any(process.poll() is None for process in partners.processes)  # all have gone home


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 4])  # while all learn; and while only the decoder does
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_partner_that_dies_or_stops_answering_changes_nothing(
    photos, ids, tmp_path: Path, alone, monkeypatch: pytest.MonkeyPatch, epoch: int, how: signal.Signals
) -> None:
    monkeypatch.setattr(sys.modules["modiste.vae.train"], "TELL_EVERY", 0.0)
    monkeypatch.setattr("modiste.vae.together.PATIENCE", 8.0)
    hit: list[int] = []

    def strike(event: dict[str, Any]) -> None:
        if event["stage"] == "train" and event["epoch"] == epoch and event["step"] == 2 and not hit:
            hit.append(partners.processes[0].pid)
            os.kill(hit[0], how)

    with company(2) as partners:
        model = train(photos, ids, settings(), tmp_path, partners=partners, on_progress=strike)
    assert hit
    took_part = processes(tmp_path, model)
    assert 2.0 < took_part[epoch - 1] < 3.0
    _, expected = alone("default")
    assert losses(tmp_path, model) == pytest.approx(expected, rel=NEAR)


@pytest.mark.faults
@pytest.mark.slow
def test_without_a_partner_left_it_goes_on_alone_and_takes_in_who_comes(
    photos, ids, tmp_path: Path, alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["modiste.vae.train"], "TELL_EVERY", 0.0)

    class Late(Company):
        """The one partner is killed in the first epoch; the next comes in the third."""

        def running(self) -> int:
            return super().running() if epoch in (1, 3) else self.places

    epoch = 1

    def strike(event: dict[str, Any]) -> None:
        nonlocal epoch
        if event["stage"] == "train" and event["epoch"] == 1 and event["step"] == 2:
            partners.processes[0].kill()
        if event["stage"] == "epoch":
            epoch = event["epoch"] + 1

    partners: Partners
    with company(1, Late) as partners:
        model = train(photos, ids, settings(epochs=6), tmp_path, partners=partners, on_progress=strike)
    first, second, *others = processes(tmp_path, model)
    assert 1.0 < first < 2.0
    assert second == 1.0
    assert others[-1] == 2.0


SCRIPT = """
    import sys
    sys.path.insert(0, {root!r})
    from pathlib import Path
    import torch
    import modiste.vae.hardware
    from modiste.vae import train
    from tests.vae.company import company
    from tests.vae.conftest import drawn_photos
    from tests.vae.test_together import settings
    modiste.vae.hardware.cpu_has_bfloat16 = lambda: False
    torch.set_num_threads(1)
    def say(event):
        print(event["stage"], event.get("epoch"), event.get("step"), flush=True)
    sys.modules["modiste.vae.train"].TELL_EVERY = 0.0
    photos, ids = drawn_photos(64, 48, 36), [f"p{{n}}" for n in range(64)]
    with company(2) as partners:
        print("partners", flush=True)
        train(photos, ids, settings(), Path({out!r}), resume=True, partners=partners, on_progress=say)
"""


@pytest.mark.faults
@pytest.mark.slow
def test_a_run_whose_first_process_is_killed_goes_on_with_fewer(photos, ids, tmp_path: Path, alone) -> None:
    script = textwrap.dedent(SCRIPT.format(root=str(Path(__file__).parents[2]), out=str(tmp_path)))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.split() == ["train", "2", "2"]:
            process.kill()
            break
    process.wait()
    process.stdout.close()
    assert not list(tmp_path.glob("*/config.json"))
    with company(1) as partners:
        model = train(photos, ids, settings(), tmp_path, resume=True, partners=partners)
    assert processes(tmp_path, model) == [3.0, 2.0, 2.0, 2.0]
    _, expected = alone("default")
    assert losses(tmp_path, model) == pytest.approx(expected, rel=NEAR)


def test_a_loss_that_is_not_finite_sends_the_partners_home(photos, ids, tmp_path: Path) -> None:
    with company(1) as partners:
        with pytest.raises(NonFiniteLoss):
            train(photos, ids, settings(learning_rate=float("inf")), tmp_path, partners=partners)
        assert partners.processes[0].wait(20) == 0


@pytest.mark.slow
def test_minutes_are_planned_by_the_steps_that_are_taken_together(photos, ids, tmp_path: Path) -> None:
    with company(1) as partners:
        model = train(photos, ids, settings(epochs=None, minutes=0.1), tmp_path, partners=partners)
    assert set(processes(tmp_path, model)) == {2.0}
    assert model.training["seconds"] < 30


def test_who_does_not_know_the_key_is_not_let_in(photos, ids, tmp_path: Path) -> None:
    class Strange(Company):
        def start(self, meeting: Any) -> None:
            super().start(type(meeting)(meeting.host, meeting.port, bytes(32)))

    with company(1, Strange) as partners:
        model = train(photos, ids, settings(epochs=1, preset="paper"), tmp_path, partners=partners)
        assert partners.processes[0].wait(20) == 1
    assert processes(tmp_path, model) == [1.0]


@pytest.mark.slow
def test_those_who_never_come_are_waited_for_once(
    photos, ids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modiste.vae.together.READY", 1.0)
    waits: list[float] = []
    real = Together._await_partners

    def measured(self: Together) -> None:
        began = time.monotonic()
        real(self)
        waits.append(time.monotonic() - began)

    monkeypatch.setattr(Together, "_await_partners", measured)

    class Elsewhere(Company):
        """One that is said to have been started, and is not."""

        def start(self, meeting: Meeting) -> None:
            pass

        def running(self) -> int:
            return 1

    with company(1, Elsewhere) as partners:
        train(photos, ids, settings(), tmp_path, partners=partners)
    assert len(waits) >= 4
    assert waits[0] >= 1.0 > max(waits[1:])
