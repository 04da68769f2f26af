"""The training stage: the shop's photos to a model in `models/`, which becomes the shop's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modiste.errors import MissingExtra
from modiste.model.config import ModelConfig
from modiste.shop.progress import Progress
from modiste.shop.writing import opened_for_writing
from modiste.store.disk import disk_errors

if TYPE_CHECKING:
    from modiste.vae import TrainSettings


def train_shop(
    path: str | Path,
    *,
    preset: str = "default",
    latent: int = 16,
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    on_progress: Progress | None = None,
) -> ModelConfig:
    """Train a model on the catalogue of the shop at `path` and make it the shop's model.

    The model before stays in `models/` until then, and in use: a run that fails or is killed changes nothing.

    Raises:
        MissingExtra: torch is not installed.
        BadOption: a setting outside what training can do.
        TrainingError: too few products, a loss that is not finite, a checkpoint of another run.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused.
    """
    train, make_settings = _load_vae()
    asked = asked_of(preset, latent, epochs, minutes, seed)
    with opened_for_writing(path, need="catalogue") as shop:
        settings = make_settings(**asked, frame=shop.frame, device=device, catalogue_hash=shop.store.hash())
        settings.check()
        ids, photos = shop.catalogue.ids, shop.store.photos()  # both ordered by id
        with disk_errors("Training"):
            shop.files.models.mkdir(exist_ok=True)
            config = train(photos, ids, settings, shop.files.models, resume=resume, on_progress=on_progress)
        shop.manifest.with_(model=config.model_id, training=asked).save(shop.path)
    return config


def asked_of(
    preset: str, latent: int, epochs: int | None, minutes: float | None, seed: int
) -> dict[str, Any]:
    """What was asked of a training, as the manifest keeps it."""
    return {"preset": preset, "latent": latent, "epochs": epochs, "minutes": minutes, "seed": seed}


def _load_vae() -> tuple[Any, type[TrainSettings]]:
    if find_spec("torch") is None or find_spec("safetensors") is None or find_spec("onnx") is None:
        raise MissingExtra(
            "Training needs PyTorch, which is not installed.", remedy="Run `pip install 'modiste[train]'`."
        )
    from modiste.vae import TrainSettings, train

    return train, TrainSettings
