"""Pictures of a model as it learns: reconstructions, and what each latent does."""

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
TRAVERSAL_STD_RANGE = 2.5  # in units of the prior's standard deviation


@torch.no_grad()
def write_previews(network: Vae, photos: PhotoDataset, rows: npt.NDArray[np.int64], directory: Path) -> None:
    """Write `reconstructions.png` (photo above drawing) and `traversals.png` (one row per latent) into `directory`.

    `rows` are the photos to show, `(m,)`; `network` is ready to judge.
    """
    device = next(network.parameters()).device
    real = photos.read_photos(rows[:COLUMNS])
    given = torch.from_numpy(real).float().div(255.0).to(device)
    mean, _, drawn = network(given)
    pair = np.concatenate([tile_row(real), tile_row(to_pixels(drawn))])
    Image.fromarray(pair).save(directory / "reconstructions.png")
    lines: list[npt.NDArray[np.uint8]] = []
    for latent in range(min(network.latent, 32)):
        codes = mean[:1].repeat(TRAVERSAL_STEPS, 1)
        codes[:, latent] = torch.linspace(
            -TRAVERSAL_STD_RANGE, TRAVERSAL_STD_RANGE, TRAVERSAL_STEPS, device=device
        )
        lines.append(tile_row(to_pixels(network.decoder(codes))[:, ::2, ::2]))
    Image.fromarray(np.concatenate(lines)).save(directory / "traversals.png")


def to_pixels(photo: torch.Tensor) -> npt.NDArray[np.uint8]:
    """float `(b, H, W, 3)` in [0, 1] to uint8."""
    return photo.mul(255.0).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def tile_row(photos: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`(b, h, w, 3)` side by side: `(h, b·w, 3)`."""
    return np.concatenate(list(photos), axis=1)
