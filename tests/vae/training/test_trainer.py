"""Training reduces the error, resumes to the same weights, and fails cleanly."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from modiste.errors import BadOption, NonFiniteLoss, ResumeError, TrainingError
from modiste.vae.config import ModelConfig
from modiste.vae.training import PRESETS, TrainSettings, Vae, train
from modiste.vae.training.checkpoint import read_notes
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.schedule import restore_hardware
from modiste.vae.training.trainer import trim_metrics
from modiste.vae.training.vae import WEIGHTS_FILE

FRAME = (48, 36)


def settings(**changes: object) -> TrainSettings:
    return TrainSettings(**({"frame": FRAME, "latent": 4, "epochs": 3, "batch_size": 8} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_training_writes_a_complete_model(photos, ids, tmp_path: Path, preset: str) -> None:
    seen: list[dict] = []
    config = train(photos, ids, settings(preset=preset), tmp_path, on_progress=seen.append)
    directory = tmp_path / config.model_id
    names = {path.name for path in directory.iterdir()}
    assert names >= {"config.json", "model.safetensors", "encoder.onnx", "decoder.onnx", "README.md"}
    assert names >= {"reconstructions.png", "traversals.png", "metrics.jsonl"}
    assert ModelConfig.load(directory) == config
    assert config.metrics["onnx_difference"] <= 1e-4
    assert len(config.epsilon) == len(config.kl_per_latent) == 4
    assert set(config.validation_ids) < set(ids)
    written = {name: (directory / name).read_bytes() for name in ("encoder.onnx", "decoder.onnx")}
    assert config.files == {name: hashlib.sha256(data).hexdigest() for name, data in written.items()}
    assert not any(b"site-packages" in data or b"network.py" in data for data in written.values())
    assert {event["stage"] for event in seen} == {"read", "train", "epoch"}
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]
    assert list((tmp_path).glob("run-*/tensorboard/events*"))
    weights = {name: torch.from_numpy(array) for name, array in load_file(directory / WEIGHTS_FILE).items()}
    Vae(config.preset, config.frame, config.latent, config.network).load_state_dict(weights)


@pytest.mark.slow
def test_training_reduces_the_error(photos, ids, tmp_path: Path) -> None:
    short = train(photos, ids, settings(epochs=2), tmp_path)
    longer = train(photos, ids, settings(epochs=25), tmp_path)
    assert longer.metrics["psnr"] > short.metrics["psnr"] + 2.0


@pytest.mark.parametrize(("preset", "epochs"), [("default", 2), ("default", 3), ("paper", 1)])
def test_exact_number_of_epochs_is_trained(photos, ids, tmp_path: Path, preset: str, epochs: int) -> None:
    config = train(photos, ids, settings(preset=preset, epochs=epochs), tmp_path)
    assert config.training["epochs"] == epochs
    lines = (tmp_path / config.model_id / "metrics.jsonl").read_text().splitlines()
    whole_frames = [json.loads(line)["full_frame"] for line in lines]
    assert whole_frames == ([True] if preset == "paper" else [False] * (epochs - 1) + [True])


def test_one_epoch_is_rejected_for_two_phases(photos, ids, tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="two phases") as caught:
        train(photos, ids, settings(epochs=1), tmp_path)
    assert "Give 2 or more" in caught.value.remedy


@pytest.mark.slow
def test_seed_determines_the_model(photos, ids, tmp_path: Path) -> None:
    first = train(photos, ids, settings(epochs=2), tmp_path / "a")
    again = train(photos, ids, settings(epochs=2), tmp_path / "b")
    other = train(photos, ids, settings(epochs=2, seed=1), tmp_path / "c")
    assert first.model_id == again.model_id != other.model_id


SCRIPT = """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from conftest import drawn_photos
    from modiste.vae.training import TrainSettings, train
    settings = TrainSettings(frame=(48, 36), latent=4, epochs=12, batch_size=8)
    say = lambda event: print(event["stage"], flush=True)
    photos, ids = drawn_photos(64, 48, 36), [f"p{{n}}" for n in range(64)]
    train(photos, ids, settings, Path({out!r}), resume=True, on_progress=say)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ended", [3, 11])  # in the first phase, and in the decoder's
def test_resumed_run_ends_with_the_same_weights(photos, ids, tmp_path: Path, ended: int) -> None:
    whole = train(photos, ids, settings(epochs=12), tmp_path / "whole")
    out = tmp_path / "killed"
    script = textwrap.dedent(SCRIPT.format(tests=str(Path(__file__).parent), out=str(out)))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    epochs = 0
    assert process.stdout is not None
    for line in process.stdout:
        epochs += line.strip() == "epoch"
        if epochs == ended:
            time.sleep(0.02)  # kill it during the next epoch
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert not list(out.glob("*/config.json"))
    resumed = train(photos, ids, settings(epochs=12), out, resume=True)
    expected = load_file(tmp_path / "whole" / whole.model_id / "model.safetensors")
    got = load_file(out / resumed.model_id / "model.safetensors")
    assert all(np.array_equal(expected[name], got[name]) for name in expected)
    assert resumed.model_id == whole.model_id
    lines = (out / resumed.model_id / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, 13))


def test_metrics_after_the_checkpoint_are_dropped_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n{"epo')
    trim_metrics(path, 2)
    assert path.read_text() == '{"epoch": 1}\n{"epoch": 2}\n'


def test_resuming_a_finished_run_returns_its_model(photos, ids, tmp_path: Path) -> None:
    first = train(photos, ids, settings(epochs=2), tmp_path)
    seen: list[dict] = []
    assert train(photos, ids, settings(epochs=2), tmp_path, resume=True, on_progress=seen.append) == first
    assert not seen


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("bounds", [{"epochs": 2}, {"epochs": None, "minutes": 0.01}, {"epochs": None}])
def test_every_preset_trains_with_every_bound_and_resumes(
    photos, ids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, bounds: dict
) -> None:
    monkeypatch.setattr("modiste.vae.training.schedule.DEFAULT_PHOTOS_SEEN", 1)
    monkeypatch.setattr("modiste.vae.training.schedule.MIN_EPOCHS", 2)
    seen: list[dict] = []

    def stop(event: dict) -> None:
        seen.append(event)
        if event["stage"] == "epoch":
            raise KeyboardInterrupt

    requested = settings(preset=preset, **bounds)
    with pytest.raises(KeyboardInterrupt):
        train(photos, ids, requested, tmp_path, on_progress=stop)
    planned = seen[-1]["epochs"]
    config = train(photos, ids, requested, tmp_path, resume=True)
    assert config.training["epochs"] == planned
    if "minutes" not in bounds:
        assert planned == 2
    lines = (tmp_path / config.model_id / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["full_frame"] is (preset == "paper")


@pytest.mark.parametrize(("preset", "epochs"), [("default", 12), ("paper", 6)])
def test_epochs_fill_the_minutes(
    photos, ids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, epochs: int
) -> None:
    """Half a minute has room for 2 full-frame epochs of 5 s and 10 small ones of 2 s, or 6 of the paper preset."""
    monkeypatch.setattr("modiste.vae.training.schedule.epoch_seconds", lambda run, *, full: 5.0 if full else 2.0)
    seen: list[dict] = []

    def stop(event: dict) -> None:
        seen.append(event)
        if event["stage"] == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(photos, ids, settings(preset=preset, epochs=None, minutes=0.5), tmp_path, on_progress=stop)
    assert seen[-1]["epochs"] == epochs


def test_non_finite_loss_stops_and_keeps_the_checkpoint(photos, ids, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLoss, match="epoch 1"):
        train(photos, ids, settings(learning_rate=float("inf")), tmp_path)
    assert list(tmp_path.glob("run-*/checkpoint.safetensors"))
    assert not list(tmp_path.glob("*/config.json"))


def test_damaged_checkpoint_is_rejected(photos, ids, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLoss):
        train(photos, ids, settings(learning_rate=float("inf")), tmp_path)
    (checkpoint,) = tmp_path.glob("run-*/checkpoint.safetensors")
    checkpoint.write_bytes(b"not a checkpoint")
    with pytest.raises(ResumeError, match="cannot be read"):
        train(photos, ids, settings(learning_rate=float("inf")), tmp_path, resume=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": "best"},
        {"epochs": 0},
        {"minutes": 1.0},
        {"epochs": None, "minutes": -1.0},
        {"latent": 0},
        {"frame": (8, 8)},
        {"batch_size": 1},
        {"device": "abacus"},
    ],
)
def test_invalid_settings_are_rejected(photos, ids, tmp_path: Path, changes: dict) -> None:
    with pytest.raises(BadOption) as caught:
        train(photos, ids, settings(**changes), tmp_path)
    assert caught.value.remedy


def test_too_few_products_and_photos_of_another_size_are_rejected(photos, ids, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at least 8"):
        train(photos[:4], ids[:4], settings(), tmp_path)
    with pytest.raises(TrainingError, match="36x48"):
        train(photos, ids, settings(frame=(64, 64)), tmp_path)


@pytest.mark.slow
def test_long_run_autotunes_once(photos, ids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    monkeypatch.setattr("modiste.vae.training.schedule.MIN_TUNED_PHOTOS", 100)
    monkeypatch.setattr("modiste.vae.training.autotune.MIN_SPEEDUP", 0.0)  # the fastest wins by any margin
    seen: list[dict] = []

    def stop(event: dict) -> None:
        seen.append(event)
        if event["stage"] == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(photos, ids, settings(), tmp_path, on_progress=stop)
    assert [event["stage"] for event in seen].count("tune") == 2
    (checkpoint,) = tmp_path.glob("run-*/checkpoint.safetensors")
    began = read_notes(checkpoint)
    assert set(began) >= {"bfloat16", "channels_last"}
    seen.clear()
    train(photos, ids, settings(), tmp_path, resume=True, on_progress=seen.append)
    assert "tune" not in {event["stage"] for event in seen}
    assert torch.get_num_threads() == threads  # restored after autotuning


def test_bfloat16_run_is_not_resumed_without_native_bfloat16(tmp_path: Path) -> None:
    plain = Hardware(torch.device("cpu"), bfloat16=False)
    assert restore_hardware(plain, {"bfloat16": False, "channels_last": False}, tmp_path).channels_last is False
    with pytest.raises(ResumeError, match="support natively"):
        restore_hardware(plain, {"bfloat16": True}, tmp_path)
