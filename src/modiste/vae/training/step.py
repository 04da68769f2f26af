"""One training step: random draws, loss, gradient and Adam update."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modiste.vae.training.augment import shift_and_zoom
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.losses import LossTerms, decoder_phase_loss, joint_phase_loss, paper_loss
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.vae import Vae


@dataclass
class TrainState:
    """A network in training, with its optimizer."""

    settings: TrainSettings
    hardware: Hardware
    network: Vae
    optimizer: torch.optim.Optimizer


@dataclass(frozen=True)
class StepSettings:
    """The seed of a step's random draws, and its learning rate."""

    seed: int
    learning_rate: float


@dataclass(frozen=True)
class Batch:
    """The photos of a step, on the device. Each phase fills the fields that it needs; the others are None.

    `body` are photos at the body's size, `(b, 3, h, w)`; `descriptors` those of shape and of colour, `(b, 2892)` and
    `(b, 390)`; `full_frames` are photos of the frame's size, `(b, 3, H, W)`; `posterior` their means and standard
    deviations, `(b, n)` each, once the encoder is frozen.
    """

    body: Tensor | None = None
    descriptors: tuple[Tensor, Tensor] | None = None
    full_frames: Tensor | None = None
    posterior: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        photos = self.full_frames if self.body is None else self.body
        return 0 if photos is None else len(photos)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(
            None if self.body is None else self.body.to(device),
            None if self.descriptors is None else (self.descriptors[0].to(device), self.descriptors[1].to(device)),
            None if self.full_frames is None else self.full_frames.to(device),
            None if self.posterior is None else (self.posterior[0].to(device), self.posterior[1].to(device)),
        )


def train_step(state: TrainState, batch: Batch, step: StepSettings) -> dict[str, float]:
    """Take one step of Adam on a batch and return its loss terms."""
    settings = state.settings
    torch.manual_seed(step.seed)
    noise, offsets = torch.randn(len(batch), settings.latent), torch.rand(len(batch), 3)
    state.network.train()
    terms = compute_loss(state, state.network, batch, noise, offsets)
    state.optimizer.zero_grad(set_to_none=True)
    terms.loss.backward()  # pyright: ignore[reportUnknownMemberType]
    norm = torch.nn.utils.clip_grad_norm_(state.network.parameters(), settings.clip_norm)
    for group in state.optimizer.param_groups:
        group["lr"] = step.learning_rate
    state.optimizer.step()
    return {name: float(value.detach()) for name, value in terms.as_dict().items()} | {"gradient_norm": float(norm)}


def compute_loss(state: TrainState, network: Vae, batch: Batch, noise: Tensor, offsets: Tensor | None) -> LossTerms:
    """Return the loss of a batch that `network` encodes and decodes, with the settings and hardware of `state`.

    Codes are `noise` `(b, n)` standard deviations from the mean. `offsets` are shift and zoom of the photos, `(b, 3)`
    in [0, 1]; None for no change.
    """
    settings, hardware = state.settings, state.hardware
    noise = noise.to(hardware.device)
    with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bfloat16):
        if batch.body is not None:
            assert batch.descriptors is not None
            augmented = batch.body if offsets is None else shift_and_zoom(batch.body, offsets)
            return joint_phase_loss(network, batch.body, augmented, batch.descriptors, noise, settings)
        assert batch.full_frames is not None
        if batch.posterior is not None:
            mean, std = batch.posterior
            return decoder_phase_loss(network.decoder, batch.full_frames, mean, std, noise, settings)  # type: ignore[arg-type]
        photo = batch.full_frames.permute(0, 2, 3, 1)
        mean, std = network.encoder(photo)
        return paper_loss(mean, std, network.decoder(mean + std * noise).float(), photo)
