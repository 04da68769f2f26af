"""The plan of a run: how it is carried out on this machine, and for how many epochs."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modiste.errors import ResumeError
from modiste.vae.hardware import Hardware
from modiste.vae.run import Run, full_epochs, take_steps
from modiste.vae.settings import DEFAULT_PHOTOS_SEEN, TrainSettings
from modiste.vae.steps import Step

MIN_EPOCHS, MAX_EPOCHS = 8, 400
TUNED_FROM, TUNED_MINUTES = 30_000, 1.0  # photos shown, or minutes: shorter runs begin at once


def as_begun(hardware: Hardware, notes: dict[str, Any], directory: Path) -> Hardware:
    """The way that a run began in: it decides the last digits. Raises ResumeError where this machine has not got it."""
    if notes.get("bfloat16") and not hardware.bfloat16:
        raise ResumeError(
            f"The checkpoint in {directory} was made in bfloat16, which this machine would have to emulate.",
            remedy="Resume on the machine that began, or train without --resume.",
        )
    return replace(
        hardware,
        bfloat16=bool(notes.get("bfloat16")),
        channels_last=bool(notes.get("channels_last", True)),
        threads=int(notes.get("threads", hardware.threads)),
    )


def worth_tuning(settings: TrainSettings, products: int) -> bool:
    """Whether a run is long enough to begin with a measurement of some seconds."""
    shown = DEFAULT_PHOTOS_SEEN if settings.epochs is None else settings.epochs * products
    return shown >= TUNED_FROM if settings.minutes is None else settings.minutes >= TUNED_MINUTES


def plan_epochs(run: Run) -> int:
    """Epochs to train: as asked, or as many as fit the minutes, measured; or as many as show DEFAULT_PHOTOS_SEEN.

    Our preset has two phases, and so at least two epochs.
    """
    settings = run.settings
    least = 1 if settings.preset == "paper" else 2
    if settings.epochs is not None:
        return max(least, settings.epochs)
    if settings.minutes is None:
        return min(MAX_EPOCHS, max(MIN_EPOCHS, round(DEFAULT_PHOTOS_SEEN / len(run.train_rows))))
    trial = copy.copy(run)
    trial.network = copy.deepcopy(run.network)
    shape = (len(run.photos.bodies), settings.latent)
    device = run.hardware.device
    trial.posteriors = torch.zeros(shape, device=device), torch.ones(shape, device=device)
    trial.optimizer = torch.optim.Adam(trial.network.parameters(), settings.learning_rate)
    # 8 % more: validation, saving.
    seconds = {full: 1.08 * run.steps * time_step(trial, full) for full in (False, True)}

    def lasts(epochs: int) -> float:
        full = epochs if settings.preset == "paper" else full_epochs(settings, epochs)
        return full * seconds[True] + (epochs - full) * seconds[False]

    epochs = least
    while lasts(epochs + 1) <= 60.0 * settings.minutes:
        epochs += 1
    return epochs


def time_step(run: Run, full: bool) -> float:
    """Seconds that one step takes, the median of five after two to warm up."""
    rows = run.train_rows[: run.batch]
    steps = [Step(seed, run.settings.learning_rate) for seed in range(7)]
    ended = [
        time.perf_counter()
        for _ in take_steps(run, [rows] * 7, steps, full or run.settings.preset == "paper")
    ]
    return float(np.median(np.diff(ended)[1:]))
