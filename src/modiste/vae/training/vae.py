"""The Vae module: encoder and decoder with their configuration, saved and loaded without pickle."""

from __future__ import annotations

from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from modiste.images.descriptors import COLOUR_SIZE, SHAPE_SIZE
from modiste.vae.training.network import DescriptorHead, build_network

DEFAULT_CHANNELS = 24
WEIGHTS_FILE = "model.safetensors"


class Vae(nn.Module):
    """A variational autoencoder; photos are float32 `(b, H, W, 3)` in [0, 1] at both ends."""

    def __init__(self, preset: str, frame: tuple[int, int], latent: int, options: dict[str, Any]) -> None:
        super().__init__()
        self.preset, self.frame, self.latent, self.options = preset, frame, latent, options
        self.encoder, self.decoder = build_network(preset, frame, latent, **options)
        self.describer = None if preset == "paper" else DescriptorHead(latent, SHAPE_SIZE + COLOUR_SIZE)

    @classmethod
    def untrained(cls, preset: str, frame: tuple[int, int], latent: int) -> Vae:
        """Return an untrained network of a preset."""
        options: dict[str, Any] = {} if preset == "paper" else {"width": DEFAULT_CHANNELS}
        return cls(preset, frame, latent, options)

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return posterior mean and std, `(b, n)` each, and the mean's reconstruction, `(b, H, W, 3)`."""
        mean, std = self.encoder(photo)
        return mean, std, self.decoder(mean)


def weights_to_bytes(vae: Vae) -> bytes:
    """Return the content of WEIGHTS_FILE: weights and buffers as float32 safetensors."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float32 if tensor.is_floating_point() else None).contiguous().clone()
        for name, tensor in vae.state_dict().items()
    }
    return save(tensors)
