"""Models that others would train, for the same time: pythae's objectives on our network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from modiste.shop.shop import Shop
from modiste.vae.onnx import OnnxModel
from modiste.vae.training import TrainSettings
from modiste.vae.training import train as train_vae
from modiste.vae.training.network import Decoder, Encoder, body_ratio, downscale
from modiste.vae.training.vae import DEFAULT_CHANNELS

Photos = NDArray[np.uint8]
Floats = NDArray[np.float32]

BATCH, RATE = 64, 1.5e-3
# Our default preset with one thing changed, for what it moves; trained short, so compared with the first alone.
VARIED: dict[str, dict[str, float]] = {
    "short": {},
    "short, no descriptors": {"shape": 0.0, "colour": 0.0},
    "short, none of shape": {"shape": 0.0},
    "short, none of colours": {"colour": 0.0},
    "short, latents may go together": {"independence": 0.0},
    "short, no consistency": {"consistency": 0.0},
    "short, chroma as it is": {"chroma": 1.0},
    "short, chroma × 3": {"chroma": 3.0},
    "short, ground as the product": {"foreground": 1.0},
}
NAMES = ("plain autoencoder", "pythae VAE", "pythae β-TC-VAE", "pythae WAE")


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that encodes photos `(b, H, W, 3)` to `(b, n)`, and decodes codes."""

    encode: Callable[[Photos], Floats]
    decode: Callable[[Floats], Photos]


def train(
    name: str, photos: Iterator[Photos], frame: tuple[int, int], latent: int, minutes: float, seed: int
) -> Trained:
    """Train one of NAMES for `minutes`, on batches of photos: Adam, a cosine schedule, batches of 64, bfloat16."""
    ratio = body_ratio(frame)
    bodies = torch.cat([downscale(planes(part), ratio).mul(255.0).round().to(torch.uint8) for part in photos])
    torch.manual_seed(seed)
    model = make(name, frame, latent)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    random = np.random.default_rng(seed)
    began, step = time.monotonic(), 0
    while (share := (time.monotonic() - began) / (60.0 * minutes)) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share)))
        rows = torch.from_numpy(random.choice(len(bodies), BATCH, replace=False))
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            batch: Any = {"data": bodies[rows].float().div(255.0)}
            loss = model(batch, dataset_size=len(bodies)).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 200.0)
        optimizer.step()
        step += 1
    model.eval()
    print(f"{name}: {step * BATCH:,} photos seen in {minutes:g} minutes")

    @torch.inference_mode()
    def encode(part: Photos) -> Floats:
        return model.encoder(downscale(planes(part), ratio)).embedding.float().numpy()

    @torch.inference_mode()
    def decode(codes: Floats) -> Photos:
        drawn = model.decoder(torch.from_numpy(codes)).reconstruction.float()
        full = functional.interpolate(drawn, scale_factor=ratio, mode="bilinear", align_corners=False)
        full = full[:, :, : frame[0], : frame[1]].clamp(0, 1).mul(255.0).round().to(torch.uint8)
        return full.permute(0, 2, 3, 1).numpy()

    return Trained(encode, decode)


def vary(name: str, shop: Shop, folder: Path, epochs: int, seed: int) -> Trained:
    """Train one of VARIED on a shop's photos for `epochs`; the model is kept in `folder`, where training resumes."""
    changed: dict[str, Any] = VARIED[name]
    settings = TrainSettings(frame=shop.frame, epochs=epochs, seed=seed, **changed)
    folder.mkdir(parents=True, exist_ok=True)
    config = train_vae(shop.store.photos(), shop.catalogue.ids, settings, folder, resume=True)
    engine = OnnxModel.load(folder / config.model_id, threads=2)
    return Trained(lambda photos: engine.encode(photos)[0], engine.decode)


def planes(photos: Photos) -> Tensor:
    """Convert uint8 `(b, H, W, 3)` to float32 `(b, 3, H, W)` in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(photos)).permute(0, 3, 1, 2).float().div(255.0)


def make(name: str, frame: tuple[int, int], latent: int) -> Any:
    """Return the model: pythae's objective with our encoder and the body of our decoder."""
    from pythae.models import AE, VAE, WAE_MMD, AEConfig, BetaTCVAE, BetaTCVAEConfig, VAEConfig, WAE_MMD_Config
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encodes(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim = latent
            self.inner = Encoder(frame, latent, DEFAULT_CHANNELS)
            del self.inner.log_std

        def forward(self, x: Tensor) -> Any:
            mean, log_covariance = self.inner.head(self.inner.dense(self.inner.features(x - 0.5))).float().chunk(2, 1)
            return ModelOutput(embedding=mean, log_covariance=log_covariance.clamp(-12.0, 4.0))

    class Decodes(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Decoder(frame, latent, DEFAULT_CHANNELS)

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=torch.sigmoid(self.inner.decode_body(z)[1].float()))

    size = downscale(torch.zeros(1, 3, *frame), body_ratio(frame)).shape[1:]
    kinds: dict[str, tuple[Any, Any]] = {
        "plain autoencoder": (AE, AEConfig),
        "pythae VAE": (VAE, VAEConfig),
        "pythae β-TC-VAE": (BetaTCVAE, BetaTCVAEConfig),
        "pythae WAE": (WAE_MMD, WAE_MMD_Config),
    }
    model, config = kinds[name]
    network: nn.Module = model(config(input_dim=tuple(size), latent_dim=latent), Encodes(), Decodes())
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
