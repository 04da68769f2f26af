"""The state of a training run: averaged weights, learning rate, phases and validation."""

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

from modiste.vae.training.checkpoint import CHECKPOINT_FILE, RunProgress, network_tensors, save_checkpoint
from modiste.vae.training.dataset import PhotoDataset
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.step import Batch, StepSettings, TrainState, compute_loss, train_step
from modiste.vae.training.vae import Vae

WARM_UP_STEPS = 200
DECODER_PHASE_EMA = 0.995  # the second phase is short


def full_frame_epochs(settings: TrainSettings, epochs: int) -> int:
    """Return the number of full-frame epochs: all of the paper preset; of the default at least one, never all."""
    if settings.preset == "paper":
        return epochs
    return min(epochs - 1, max(1, round(settings.full_frame_share * epochs)))


@dataclass
class TrainRun(TrainState):
    """The state of a training run."""

    photos: PhotoDataset
    train_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    average_weights: dict[str, Tensor]
    best_weights: dict[str, Tensor]
    progress: RunProgress
    directory: Path
    posteriors: tuple[Tensor, Tensor] | None = None  # of all photos, once the encoder is frozen

    @property
    def batch_size(self) -> int:
        """Photos per step: the settings', or fewer if the catalogue is small."""
        return min(self.settings.batch_size, max(2, len(self.train_rows) // 8))

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; the photos that do not fill a batch are left out of that epoch."""
        return max(1, len(self.train_rows) // self.batch_size)

    @property
    def first_full_epoch(self) -> int:
        """The first full-frame epoch: 0 for the paper preset, one near the end for the default."""
        return self.progress.epochs - full_frame_epochs(self.settings, self.progress.epochs)

    def is_full_frame_epoch(self, epoch: int) -> bool:
        """Return whether an epoch trains on full frames."""
        return epoch >= self.first_full_epoch

    def save_checkpoint(self) -> None:
        """Write the checkpoint of the run. Raises StorageError."""
        path = self.directory / CHECKPOINT_FILE
        save_checkpoint(path, self.progress, self.network, self.average_weights, self.best_weights, self.optimizer)

    def load_batch(self, rows: npt.NDArray[np.int64], full_frames: Tensor | None) -> Batch:
        """Return the photos in `rows`, `(b,)`, on the device: `full_frames` if given, else bodies and descriptors."""
        if full_frames is None:
            batch = Batch(body=self.photos.read_bodies(rows), descriptors=self.photos.descriptors(rows))
        else:
            batch = Batch(full_frames=full_frames, posterior=self.posterior_rows(rows))
        return batch.to(self.hardware.device)

    def posterior_rows(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor] | None:
        """Return mean and std of the photos in `rows`, `(b, n)` each, once the encoder is frozen."""
        if self.posteriors is None:
            return None
        index = torch.from_numpy(rows).to(self.hardware.device)
        return self.posteriors[0][index], self.posteriors[1][index]

    def freeze_encoder(self) -> None:
        """Begin or resume the second phase: the averaged encoder is final, and only the decoder learns.

        The network takes the averaged weights at the start of the phase; a resumed run has them already.
        """
        if self.progress.done == self.first_full_epoch:
            self.network.load_state_dict(self.average_weights)
        for module in (self.network.encoder, self.network.describer):
            if module is not None:
                module.requires_grad_(False)
        self.posteriors = encode_all(self)


@torch.no_grad()
def encode_all(run: TrainRun) -> tuple[Tensor, Tensor]:
    """Return mean and std of every photo by the averaged encoder, `(N, n)` each."""
    encoder = averaged_network(run).encoder
    batches: list[tuple[Tensor, Tensor]] = []
    with torch.autocast(run.hardware.device.type, torch.bfloat16, enabled=run.hardware.bfloat16):
        for start in range(0, len(run.photos.bodies), 256):
            body = run.photos.read_bodies(slice(start, start + 256)).to(run.hardware.device)
            batches.append(encoder.encode_body(body))  # type: ignore[operator]
    return torch.cat([mean for mean, _ in batches]), torch.cat([std for _, std in batches])


def take_steps(
    run: TrainRun, batches: Sequence[npt.NDArray[np.int64]], steps: Sequence[StepSettings], full: bool
) -> Iterator[dict[str, float]]:
    """Take one step for each batch of rows; yield its loss terms."""
    for rows, step, full_frames in zip(batches, steps, run.photos.batches(batches, full=full), strict=True):
        yield train_step(run, run.load_batch(rows, full_frames), step)


def learning_rate(run: TrainRun, step: int) -> float:
    """Return a step's learning rate: in each phase, linear warm-up, then half a cosine down to 2 %."""
    phase = run.first_full_epoch * run.steps_per_epoch
    begin, end = (phase, run.progress.epochs * run.steps_per_epoch) if step >= phase else (0, phase)
    total = end - begin
    warm = min(1.0, (step - begin + 1) / min(WARM_UP_STEPS, max(1, total // 10)))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - begin) / total))
    return run.settings.learning_rate * warm * fall


@torch.no_grad()
def update_average(run: TrainRun, step: int) -> None:
    """Update the exponential moving average of weights and buffers; its window is short at the start of a phase."""
    begin = run.first_full_epoch * run.steps_per_epoch
    in_decoder_phase = step >= begin > 0
    since = step - begin if in_decoder_phase else step
    decay = min(DECODER_PHASE_EMA if in_decoder_phase else run.settings.ema, (1 + since) / (10 + since))
    for name, tensor in network_tensors(run.network).items():
        if tensor.is_floating_point():
            run.average_weights[name].lerp_(tensor, 1.0 - decay)
        else:
            run.average_weights[name].copy_(tensor)


def averaged_network(run: TrainRun) -> Vae:
    """Return a copy of the network with the averaged weights, in evaluation mode."""
    network = copy.deepcopy(run.network)
    network.load_state_dict(run.average_weights)
    return network.eval()


@torch.no_grad()
def validate(run: TrainRun, full: bool) -> dict[str, float]:
    """Return mean loss terms of the averaged weights on the validation photos, and PSNR in dB."""
    rows = run.validation_rows
    batches = [rows[i : i + 64] for i in range(0, len(rows), 64)]
    sums: dict[str, float] = {}
    network = averaged_network(run)
    for batch, full_frames in zip(batches, run.photos.batches(batches, full=full), strict=True):
        noise = torch.zeros(len(batch), run.settings.latent)
        terms = compute_loss(run, network, run.load_batch(batch, full_frames), noise, None)
        for name, value in terms.as_dict().items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(batch) / len(rows)
    return sums | {"psnr": -10.0 * math.log10(max(sums["mse"], 1e-10))}
