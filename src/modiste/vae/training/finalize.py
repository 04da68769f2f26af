"""The end of a run: weights, exports, metrics and the model card, moved into place at once."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from modiste.errors import StorageError
from modiste.storage.atomic import atomic_dir
from modiste.storage.checksums import file_sha256
from modiste.vae.card import write_card
from modiste.vae.config import NETWORK_FILES, ModelConfig
from modiste.vae.training.dataset import PhotoDataset
from modiste.vae.training.losses import kl_per_latent
from modiste.vae.training.onnx_export import export_onnx
from modiste.vae.training.previews import write_previews
from modiste.vae.training.run import TrainRun
from modiste.vae.training.vae import WEIGHTS_FILE, Vae, weights_to_bytes


def save_final_model(run: TrainRun, ids: Sequence[str]) -> ModelConfig:
    """Save the run's best weights as `models/<model id>`; the id is a hash of the weights.

    Raises StorageError if the disk refuses, and TrainingError if the ONNX export differs from torch.
    """
    models_dir, settings = run.directory.parent, run.settings
    photos, validation_rows = run.photos, run.validation_rows
    vae = Vae(run.network.preset, run.network.frame, run.network.latent, run.network.options)
    vae.load_state_dict({name: tensor.cpu() for name, tensor in (run.best_weights or run.average_weights).items()})
    vae.eval()
    data = weights_to_bytes(vae)
    model_id = hashlib.sha256(data).hexdigest()[:12]
    try:
        with atomic_dir(models_dir / model_id) as directory:
            (directory / WEIGHTS_FILE).write_bytes(data)
            examples = torch.from_numpy(photos.read_photos(validation_rows[:4])).float().div(255.0)
            difference = export_onnx(vae, directory, examples)
            epsilon = np.random.default_rng([settings.seed, 1]).standard_normal(settings.latent)
            config = ModelConfig(
                model_id=model_id,
                preset=settings.preset,
                frame=settings.frame,
                latent=settings.latent,
                epsilon=tuple(float(value) for value in epsilon),
                background=settings.background,
                catalogue_hash=settings.catalogue_hash,
                network=vae.options,
                training=settings.identity()
                | {"products": len(ids), "epochs": run.progress.epochs, "seconds": round(run.progress.seconds, 1)},
                metrics=held_out_metrics(vae, photos, validation_rows) | {"onnx_difference": difference},
                kl_per_latent=mean_kl(vae, photos),
                validation_ids=tuple(str(ids[row]) for row in validation_rows),
                files={name: file_sha256(directory / name) for name in NETWORK_FILES},
            )
            write_previews(vae, photos, validation_rows, directory)
            if (run.directory / "metrics.jsonl").exists():
                shutil.copy(run.directory / "metrics.jsonl", directory)
            write_card(config, directory)
            config.save(directory)
    except OSError as error:
        raise StorageError(
            f"The model could not be written under {models_dir}: {error}.",
            remedy="Free some space or fix the permissions, then run the same command with --resume.",
        ) from error
    return config


@torch.no_grad()
def held_out_metrics(vae: Vae, photos: PhotoDataset, rows: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return mean squared error and mean PSNR (dB) of reconstructions of the validation photos."""
    errors: list[float] = []
    for start in range(0, len(rows), 32):
        real = torch.from_numpy(photos.read_photos(rows[start : start + 32])).float().div(255.0)
        _, _, reconstruction = vae(real)
        errors += (reconstruction - real).square().mean(dim=(1, 2, 3)).tolist()
    psnr = float(np.mean([-10.0 * math.log10(max(error, 1e-10)) for error in errors]))
    return {"mse": float(np.mean(errors)), "psnr": psnr}


@torch.no_grad()
def mean_kl(vae: Vae, photos: PhotoDataset) -> tuple[float, ...]:
    """Return the KL of each latent in nats, averaged over the catalogue: how much each slider matters."""
    total = torch.zeros(vae.latent, dtype=torch.float64)
    count = len(photos.bodies)
    for start in range(0, count, 256):
        rows = np.arange(start, min(start + 256, count))
        if vae.preset == "paper":
            mean, std = vae.encoder(torch.from_numpy(photos.read_photos(rows)).float().div(255.0))
        else:
            mean, std = vae.encoder.encode_body(photos.read_bodies(rows))  # type: ignore[operator]
        total += kl_per_latent(mean, std).double().sum(0)
    return tuple(float(value) for value in total / count)
