"""Training: from a shop's photos to a saved model, resumable to the same weights.

Every random draw of a step comes from a seed made of the run's seed and the step's number, and every epoch ends with a
checkpoint. So a killed run that is resumed ends with the weights of one that was never killed.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from modiste.errors import NonFiniteLoss
from modiste.vae.config import ModelConfig, new_model_id
from modiste.vae.training.autotune import choose_fastest
from modiste.vae.training.checkpoint import CHECKPOINT_FILE, RunProgress, load_checkpoint, network_tensors, read_notes
from modiste.vae.training.dataset import PhotoDataset, split_rows
from modiste.vae.training.dataset_cache import cache_key
from modiste.vae.training.finalize import save_final_model
from modiste.vae.training.hardware import choose_hardware, preserve_thread_count
from modiste.vae.training.previews import write_previews
from modiste.vae.training.run import TrainRun, averaged_network, learning_rate, take_steps, update_average, validate
from modiste.vae.training.schedule import is_worth_tuning, plan_epochs, restore_hardware
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.step import StepSettings
from modiste.vae.training.vae import Vae

OnProgress = Callable[[dict[str, Any]], None]
REPORT_SECONDS = 0.2  # between progress events


@preserve_thread_count()
def train(
    photos: Sequence[bytes],
    ids: Sequence[str],
    settings: TrainSettings,
    models_dir: Path,
    *,
    resume: bool = False,
    on_progress: OnProgress | None = None,
) -> ModelConfig:
    """Train a model on JPEGs of the frame's size and save it under `models_dir/<model id>`.

    The run itself (checkpoint, `metrics.jsonl`, TensorBoard events, previews) is in `models_dir/run-<id>`, where the id
    depends on the settings.

    `ids` are those of the photos' products. With `resume`, an earlier run with the same settings continues; otherwise
    it starts over.

    Raises:
        BadOption: a setting is out of range.
        TrainingError: fewer than 8 products, or photos that are not of the frame's size.
        NonFiniteLoss: the loss became infinite or NaN; the last good checkpoint is kept.
        ResumeError: the checkpoint is damaged or was made with other settings.
        StorageError: the disk refuses.
    """
    settings.check()
    report = on_progress or (lambda _: None)
    identity = settings.identity() | {"products": len(ids)}
    directory = models_dir / f"run-{new_model_id(json.dumps(identity, sort_keys=True))}"
    finished = directory / "finished.json"
    if resume and finished.exists():
        model_dir = models_dir / str(json.loads(finished.read_text())["model_id"])
        if (model_dir / "config.json").exists():
            return ModelConfig.load(model_dir)
    if not resume and directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    finished.unlink(missing_ok=True)
    run = start_run(photos, ids, settings, identity, directory, report)
    trim_metrics(directory / "metrics.jsonl", run.progress.done)
    with SummaryWriter(str(directory / "tensorboard"), purge_step=run.progress.done) as board:
        while run.progress.done < run.progress.epochs and not run.progress.stopped:
            train_epoch(run, board, report)
    model = save_final_model(run, ids)
    finished.write_text(json.dumps({"model_id": model.model_id}) + "\n")
    (directory / CHECKPOINT_FILE).unlink(missing_ok=True)
    return model


def trim_metrics(path: Path, done: int) -> None:
    """Drop the records of epochs after the last checkpoint: a killed run repeats them."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        records = [line for line in lines if line.endswith("\n") and json.loads(line)["epoch"] <= done]
        path.write_text("".join(records), encoding="utf-8")


def start_run(
    photos: Sequence[bytes],
    ids: Sequence[str],
    settings: TrainSettings,
    identity: dict[str, Any],
    directory: Path,
    report: OnProgress,
) -> TrainRun:
    """Read the photos, make or load the network, and choose hardware settings and epochs."""
    hardware = choose_hardware(settings.device)
    train_rows, validation_rows = split_rows(ids)
    report({"stage": "read", "done": 0, "total": len(photos)})
    dataset = PhotoDataset(
        photos,
        settings.frame,
        lambda done: report({"stage": "read", "done": done, "total": len(photos)}),
        directory.parent / "prepared",
        cache_key(ids, settings.catalogue_hash or directory.name, settings.frame),
        train_rows=None if settings.preset == "paper" else train_rows,
    )
    checkpoint = directory / CHECKPOINT_FILE
    if checkpoint.exists():
        hardware = restore_hardware(hardware, read_notes(checkpoint), directory)
    elif settings.preset != "paper" and is_worth_tuning(settings, len(train_rows)):
        report({"stage": "tune", "done": 0, "total": 1})
        hardware, _ = choose_fastest(hardware, settings)
        report({"stage": "tune", "done": 1, "total": 1})
    # Set it even if nothing changes: how sums are split, and so rounded, depends on whether it was set.
    torch.set_num_threads(hardware.threads)
    torch.manual_seed(settings.seed)
    network = Vae.untrained(settings.preset, settings.frame, settings.latent).to(hardware.device)
    if hardware.channels_last:
        network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, fused=True)
    average = {name: tensor.clone() for name, tensor in network_tensors(network).items()}
    progress = RunProgress(identity, epochs=0)
    run = TrainRun(
        settings, hardware, network, optimizer, dataset, train_rows, validation_rows, average, {}, progress, directory
    )
    if checkpoint.exists():
        run.progress, loaded, run.best_weights = load_checkpoint(checkpoint, identity, network, optimizer)
        run.average_weights = {name: tensor.to(hardware.device) for name, tensor in loaded.items()}
    else:
        names = ("bfloat16", "channels_last", "threads")
        run.progress.notes |= {name: getattr(hardware, name) for name in names}
        run.progress.epochs = plan_epochs(run)
        run.save_checkpoint()
    return run


def train_epoch(run: TrainRun, board: SummaryWriter, report: OnProgress) -> None:
    """Train one epoch, validate the averaged weights, and write metrics, previews and the checkpoint."""
    progress, settings = run.progress, run.settings
    epoch, full = progress.done, run.is_full_frame_epoch(progress.done)
    if full and settings.preset != "paper" and run.posteriors is None:
        run.freeze_encoder()
    order = np.random.default_rng([settings.seed, epoch]).permutation(run.train_rows)
    batches = [order[i * run.batch_size : (i + 1) * run.batch_size] for i in range(run.steps_per_epoch)]
    first = epoch * run.steps_per_epoch
    steps = [
        StepSettings(settings.seed * 1_000_003 + step, learning_rate(run, step))
        for step in range(first, first + run.steps_per_epoch)
    ]
    sums: dict[str, float] = {}
    start = last_report = time.perf_counter()
    for number, terms in enumerate(take_steps(run, batches, steps, full)):
        update_average(run, first + number)
        if not math.isfinite(terms["loss"]):
            raise NonFiniteLoss(
                f"The loss became {terms['loss']} in epoch {epoch + 1}, step {number + 1}.",
                remedy="The last good checkpoint is kept. Train again with another --seed.",
            )
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value
        now = time.perf_counter()
        if now - last_report > REPORT_SECONDS or number == run.steps_per_epoch - 1:
            last_report, rate = now, (number + 1) / (now - start)
            left = (progress.epochs - epoch) * run.steps_per_epoch - number - 1
            speed = {"images_per_second": rate * run.batch_size, "seconds_left": left / rate}
            report(
                {"stage": "train", "epoch": epoch + 1, "epochs": progress.epochs, "step": number + 1}
                | {"steps": run.steps_per_epoch, **speed}
                | {name: value / (number + 1) for name, value in sums.items()}
            )
    seconds = time.perf_counter() - start
    record = {name: value / run.steps_per_epoch for name, value in sums.items()}
    validation = validate(run, full)
    record |= {f"validation_{name}": value for name, value in validation.items()}
    record |= {
        "epoch": epoch + 1,
        "full_frame": full,
        "images_per_second": run.steps_per_epoch * run.batch_size / seconds,
    }
    progress.done, progress.step = epoch + 1, (epoch + 1) * run.steps_per_epoch
    progress.seconds += seconds
    update_best(run, epoch, validation["loss"], full)
    for name, value in record.items():
        board.add_scalar(name, float(value), epoch + 1)
    with (run.directory / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    if full and (epoch + 1) % max(1, progress.epochs // 6) == 0:
        write_previews(averaged_network(run), run.photos, run.validation_rows, run.directory)
    run.save_checkpoint()
    report({"stage": "epoch", "epochs": progress.epochs} | record)


def update_best(run: TrainRun, epoch: int, loss: float, full: bool) -> None:
    """Keep the best averaged weights of the full-frame phase; end a phase early if it has stopped improving."""
    progress = run.progress
    first_of_phase = full and (epoch == 0 or not run.is_full_frame_epoch(epoch - 1))
    if first_of_phase or progress.best is None or loss < progress.best:
        progress.best, progress.best_epoch = loss, epoch
        if full:
            run.best_weights = {name: tensor.clone() for name, tensor in run.average_weights.items()}
    elif epoch - progress.best_epoch >= run.settings.patience:
        if full:
            progress.stopped = True
        else:
            while not run.is_full_frame_epoch(progress.done):
                progress.done += 1
