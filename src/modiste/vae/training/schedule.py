"""Schedule of a run: its epochs, and the hardware settings of a resumed run."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modiste.errors import ResumeError
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.run import TrainRun, full_frame_epochs, take_steps
from modiste.vae.training.settings import DEFAULT_PHOTOS_SEEN, TrainSettings
from modiste.vae.training.step import StepSettings

MIN_EPOCHS, MAX_EPOCHS = 8, 400
MIN_TUNED_PHOTOS, MIN_TUNED_MINUTES = 30_000, 1.0  # shorter runs begin without autotuning


def restore_hardware(hardware: Hardware, notes: dict[str, Any], directory: Path) -> Hardware:
    """Return the hardware settings that a run began with, because they decide the last digits of the weights.

    Raises ResumeError if this machine does not support them.
    """
    if notes.get("bfloat16") and not hardware.bfloat16:
        raise ResumeError(
            f"The checkpoint in {directory} was made in bfloat16, which this machine does not support natively.",
            remedy="Resume on the machine that started the run, or train without --resume.",
        )
    return replace(
        hardware,
        bfloat16=bool(notes.get("bfloat16")),
        channels_last=bool(notes.get("channels_last", True)),
        threads=int(notes.get("threads", hardware.threads)),
    )


def is_worth_tuning(settings: TrainSettings, products: int) -> bool:
    """Return whether a run is long enough for autotuning, which takes some seconds."""
    photos = DEFAULT_PHOTOS_SEEN if settings.epochs is None else settings.epochs * products
    return photos >= MIN_TUNED_PHOTOS if settings.minutes is None else settings.minutes >= MIN_TUNED_MINUTES


def plan_epochs(run: TrainRun) -> int:
    """Return how many epochs to train.

    With `epochs`, exactly that many; with `minutes`, as many as fit, by timing some steps, but at least one for each
    phase; otherwise as many as show DEFAULT_PHOTOS_SEEN photos.
    """
    settings = run.settings
    if settings.epochs is not None:
        return settings.epochs
    if settings.minutes is None:
        return min(MAX_EPOCHS, max(MIN_EPOCHS, round(DEFAULT_PHOTOS_SEEN / len(run.train_rows))))
    full_seconds = epoch_seconds(run, full=True)
    small_seconds = 0.0 if settings.preset == "paper" else epoch_seconds(run, full=False)

    def seconds(epochs: int) -> float:
        full = full_frame_epochs(settings, epochs)
        return full * full_seconds + (epochs - full) * small_seconds

    epochs = settings.least_epochs
    while seconds(epochs + 1) <= 60.0 * settings.minutes:
        epochs += 1
    return epochs


def epoch_seconds(run: TrainRun, *, full: bool) -> float:
    """Estimate the seconds of an epoch on full frames (`full`) or on bodies, by timing steps of a copy."""
    settings, device = run.settings, run.hardware.device
    trial = copy.copy(run)
    trial.network = copy.deepcopy(run.network)
    trial.optimizer = torch.optim.Adam(trial.network.parameters(), settings.learning_rate)
    if settings.preset != "paper":
        # The second phase reads posteriors; their values do not change how long a step takes.
        shape = (len(run.photos.bodies), settings.latent)
        trial.posteriors = torch.zeros(shape, device=device), torch.ones(shape, device=device)
    rows = run.train_rows[: run.batch_size]
    steps = [StepSettings(seed, settings.learning_rate) for seed in range(7)]
    ends = [time.perf_counter() for _ in take_steps(trial, [rows] * 7, steps, full)]
    # The median of five steps after two to warm up; 8 % more for validation and saving.
    return 1.08 * run.steps_per_epoch * float(np.median(np.diff(ends)[1:]))
