"""The Vae module: encoder and decoder with their configuration, saved and loaded without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from modiste.errors import SchemaError, ShopIncomplete
from modiste.images.descriptors import COLOUR_SIZE, SHAPE_SIZE
from modiste.vae.config import ModelConfig
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

    @classmethod
    def from_pretrained(cls, directory: Path | str) -> tuple[Vae, ModelConfig]:
        """Load the network in `directory`, in evaluation mode, and its configuration.

        Raises ShopIncomplete if a file is missing, and SchemaError if a file is damaged, or the weights do not match
        the configuration.
        """
        directory = Path(directory)
        config = ModelConfig.load(directory)
        vae = cls(config.preset, config.frame, config.latent, config.network)
        path = directory / WEIGHTS_FILE
        remedy = "Train the model again with `modiste train`."
        try:
            vae.load_state_dict(load_file(path))
        except FileNotFoundError:
            raise ShopIncomplete(f"There are no weights at {path}.", remedy=remedy) from None
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise SchemaError(f"{path} does not match its config.json: {reason}", remedy=remedy) from None
        return vae.eval(), config


def weights_to_bytes(vae: Vae) -> bytes:
    """Return the content of WEIGHTS_FILE: weights and buffers as float32 safetensors."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float32 if tensor.is_floating_point() else None).contiguous().clone()
        for name, tensor in vae.state_dict().items()
    }
    return save(tensors)
