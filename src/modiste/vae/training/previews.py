"""Preview pictures of a model in training: reconstructions and latent traversals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from modiste.vae.training.dataset import PhotoDataset
from modiste.vae.training.vae import Vae

COLUMNS = 8
TRAVERSAL_STEPS = 7
TRAVERSAL_STD_RANGE = 2.5  # standard deviations of the prior, to each side


@torch.no_grad()
def write_previews(network: Vae, photos: PhotoDataset, rows: npt.NDArray[np.int64], directory: Path) -> None:
    """Write `reconstructions.png` (photo above reconstruction) and `traversals.png` (one row per latent).

    `rows` are the photos to show, `(m,)`; `network` is in evaluation mode.
    """
    device = next(network.parameters()).device
    real = photos.read_photos(rows[:COLUMNS])
    mean, _, reconstruction = network(torch.from_numpy(real).float().div(255.0).to(device))
    pairs = np.concatenate([tile_row(real), tile_row(to_pixels(reconstruction))])
    Image.fromarray(pairs).save(directory / "reconstructions.png")
    tiles: list[npt.NDArray[np.uint8]] = []
    for latent in range(min(network.latent, 32)):
        codes = mean[:1].repeat(TRAVERSAL_STEPS, 1)
        codes[:, latent] = torch.linspace(-TRAVERSAL_STD_RANGE, TRAVERSAL_STD_RANGE, TRAVERSAL_STEPS, device=device)
        tiles.append(tile_row(to_pixels(network.decoder(codes))[:, ::2, ::2]))
    Image.fromarray(np.concatenate(tiles)).save(directory / "traversals.png")


def to_pixels(photo: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Convert float photos `(b, H, W, 3)` in [0, 1] to uint8."""
    return photo.mul(255.0).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def tile_row(photos: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Put photos `(b, h, w, 3)` side by side: `(h, b·w, 3)`."""
    return np.concatenate(list(photos), axis=1)
