"""One training run in flight: its state, a step, the averaged weights, and how they do on held-out photos."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modiste.vae.training.checkpoint import RunProgress, network_tensors
from modiste.vae.training.dataset import PhotoDataset
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.step import (
    Batch,
    StepSettings,
    TrainState,
    compute_loss,
    train_step,
)
from modiste.vae.training.vae import Vae

WARM_UP_STEPS = 200
DECODER_PHASE_EMA = 0.995  # of the second phase, which is short


def full_frame_epochs(settings: TrainSettings, epochs: int) -> int:
    """Return how many epochs work on whole frames: all of the paper preset; of the default at least one, never all."""
    if settings.preset == "paper":
        return epochs
    return min(epochs - 1, max(1, round(settings.full_frame_share * epochs)))


@dataclass
class TrainRun(TrainState):
    """One training run in flight."""

    photos: PhotoDataset
    train_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    average_weights: dict[str, Tensor]
    best_weights: dict[str, Tensor]
    progress: RunProgress
    directory: Path
    posteriors: tuple[Tensor, Tensor] | None = None  # of all photos, once the encoder is settled

    @property
    def batch_size(self) -> int:
        """Photos per step: the settings', or fewer where the catalogue is small."""
        return min(self.settings.batch_size, max(2, len(self.train_rows) // 8))

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; the few photos that do not fill a batch wait for another epoch's order."""
        return max(1, len(self.train_rows) // self.batch_size)

    @property
    def first_full_epoch(self) -> int:
        """The first epoch that works on whole frames: 0 for the paper's preset, one near the end for ours."""
        return self.progress.epochs - full_frame_epochs(self.settings, self.progress.epochs)

    def is_full_frame_epoch(self, epoch: int) -> bool:
        """Whether an epoch works on whole frames."""
        return epoch >= self.first_full_epoch

    def load_batch(self, rows: npt.NDArray[np.int64], whole: Tensor | None) -> Batch:
        """The photos in `rows`, `(b,)`, on the device: small ones, or, where they were read already, `whole` ones."""
        if whole is None:
            batch = Batch(body=self.photos.read_bodies(rows), descriptors=self.photos.descriptors(rows))
        else:
            batch = Batch(full_frames=whole, posterior=self.posterior_rows(rows))
        return batch.to(self.hardware.device)

    def posterior_rows(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor] | None:
        """Mean and deviation of the photos in `rows`, `(b, n)` each, once they are settled."""
        if self.posteriors is None:
            return None
        held = torch.from_numpy(rows).to(self.hardware.device)
        return self.posteriors[0][held], self.posteriors[1][held]

    def freeze_encoder(self) -> None:
        """Begin, or go on with, the second phase: the averaged encoder is final, and only the decoder learns.

        The averaged weights are taken over where the phase begins; a run that is resumed has them already.
        """
        if self.progress.done == self.first_full_epoch:
            self.network.load_state_dict(self.average_weights)
        for part in (self.network.encoder, self.network.describer):
            if part is not None:
                part.requires_grad_(False)
        self.posteriors = encode_all(self)


@torch.no_grad()
def encode_all(run: TrainRun) -> tuple[Tensor, Tensor]:
    """Mean and deviation of every photo, `(N, n)` each, by the averaged encoder."""
    encoder = averaged_network(run).encoder
    parts: list[tuple[Tensor, Tensor]] = []
    with torch.autocast(run.hardware.device.type, torch.bfloat16, enabled=run.hardware.bfloat16):
        for start in range(0, len(run.photos.bodies), 256):
            body = run.photos.read_bodies(slice(start, start + 256)).to(run.hardware.device)
            parts.append(encoder.encode_body(body))  # type: ignore[operator]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def take_steps(
    run: TrainRun, batches: Sequence[npt.NDArray[np.int64]], steps: Sequence[StepSettings], full: bool
) -> Iterator[dict[str, float]]:
    """Take steps, each with its batch of rows; yield the loss terms after each step."""
    for rows, step, whole in zip(batches, steps, run.photos.batches(batches, full=full), strict=True):
        yield train_step(run, run.load_batch(rows, whole), step)


def learning_rate(run: TrainRun, step: int) -> float:
    """Of each phase: linear warm-up, then half a cosine down to 2 %."""
    phase = run.first_full_epoch * run.steps_per_epoch
    begin, end = (phase, run.progress.epochs * run.steps_per_epoch) if step >= phase else (0, phase)
    total = end - begin
    warm = min(1.0, (step - begin + 1) / min(WARM_UP_STEPS, max(1, total // 10)))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - begin) / total))
    return run.settings.learning_rate * warm * fall


@torch.no_grad()
def update_average(run: TrainRun, step: int) -> None:
    """Exponential moving average of weights and buffers; short-sighted where a phase begins."""
    begin = run.first_full_epoch * run.steps_per_epoch
    drawing = step >= begin > 0
    since = step - begin if drawing else step
    decay = min(DECODER_PHASE_EMA if drawing else run.settings.ema, (1 + since) / (10 + since))
    for name, tensor in network_tensors(run.network).items():
        if tensor.is_floating_point():
            run.average_weights[name].lerp_(tensor, 1.0 - decay)
        else:
            run.average_weights[name].copy_(tensor)


def averaged_network(run: TrainRun) -> Vae:
    """A copy of the network with the averaged weights, ready to judge."""
    network = copy.deepcopy(run.network)
    network.load_state_dict(run.average_weights)
    return network.eval()


@torch.no_grad()
def validate(run: TrainRun, full: bool) -> dict[str, float]:
    """Mean loss terms of the averaged weights on the validation photos, and PSNR in dB."""
    rows = run.validation_rows
    batches = [rows[i : i + 64] for i in range(0, len(rows), 64)]
    sums: dict[str, float] = {}
    network = averaged_network(run)
    for part, whole in zip(batches, run.photos.batches(batches, full=full), strict=True):
        judged = torch.zeros(len(part), run.settings.latent)
        terms = compute_loss(run, network, run.load_batch(part, whole), judged, None)
        for name, value in terms.as_dict().items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(part) / len(rows)
    return sums | {"psnr": -10.0 * math.log10(max(sums["mse"], 1e-10))}
