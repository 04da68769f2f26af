"""The training stage: trains a model on the shop's photos, and makes it the shop's model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from modiste.choices import Preset
from modiste.errors import MissingExtra
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.storage.error_translation import storage_errors
from modiste.storage.product_store import ProductStore
from modiste.vae.config import ModelConfig

if TYPE_CHECKING:
    from modiste.vae.training import TrainSettings


def train_shop(
    path: str | Path,
    *,
    preset: Preset = "default",
    latent: int = 16,
    epochs: int | None = None,
    minutes: float | None = None,
    photos: int | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    on_progress: Progress | None = None,
) -> ModelConfig:
    """Train a model on the catalogue of the shop at `path` and make it the shop's model.

    It trains on at most `photos` products (32,000 if None), selected by a hash of their ids, which limits time and disk
    space for a large catalogue. The previous model stays in use until then: a run that fails or is killed changes
    nothing.

    Raises:
        MissingExtra: torch is not installed.
        BadOption: a setting is out of range.
        TrainingError: too few products, a loss that is not finite, or a checkpoint of another run.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk failed.
    """
    train, make_settings, subsample = _import_training()
    options = training_settings(preset, latent, epochs, minutes, photos, seed)
    with open_for_writing(path, need="catalogue") as shop:
        settings = make_settings(
            preset=preset,
            frame=shop.frame,
            latent=latent,
            epochs=epochs,
            minutes=minutes,
            seed=seed,
            device=device,
            catalogue_hash=shop.store.hash(),
        )
        settings.check()
        ids = subsample(shop.catalogue.ids, photos)
        stored = StoredPhotos(shop.store, ids)
        models = shop.files.models
        with storage_errors("Training"):
            models.mkdir(exist_ok=True)
            config = train(stored, ids, settings, models, resume=resume, on_progress=on_progress)
        shop.manifest.with_changes(model=config.model_id, training=options).save(shop.files.root)
    return config


class StoredPhotos(Sequence[bytes]):
    """The JPEGs of products, read from the store a slice at a time, so that they need not fit in memory."""

    def __init__(self, store: ProductStore, ids: Sequence[str]) -> None:
        self._store, self._ids = store, ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, rows: int) -> bytes: ...
    @overload
    def __getitem__(self, rows: slice) -> list[bytes]: ...
    def __getitem__(self, rows: int | slice) -> bytes | list[bytes]:
        if isinstance(rows, slice):
            return self._store.photos(self._ids[rows])
        return self._store.photos([self._ids[rows]])[0]


def training_settings(
    preset: Preset, latent: int, epochs: int | None, minutes: float | None, photos: int | None, seed: int
) -> dict[str, Any]:
    """Return the options of a training as the manifest keeps them; `photos` only if it was given."""
    options = {"preset": preset, "latent": latent, "epochs": epochs, "minutes": minutes, "seed": seed}
    return options if photos is None else options | {"photos": photos}


def _import_training() -> tuple[Any, type[TrainSettings], Callable[[Sequence[str], int | None], Sequence[str]]]:
    if find_spec("torch") is None or find_spec("safetensors") is None or find_spec("onnx") is None:
        raise MissingExtra(
            "Training needs PyTorch, which is not installed.", remedy="Run `pip install 'modiste[train]'`."
        )
    from modiste.vae.training import TrainSettings, train
    from modiste.vae.training.dataset import subsample

    return train, TrainSettings, subsample
