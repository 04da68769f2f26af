"""The training stage: the shop's photos to a model in `models/`, which becomes the shop's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from modiste.errors import MissingExtra
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.storage.product_store import ProductStore
from modiste.storage.refusals import storage_errors
from modiste.vae.config import ModelConfig

if TYPE_CHECKING:
    from modiste.vae.training import TrainSettings


def train_shop(
    path: str | Path,
    *,
    preset: str = "default",
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

    It learns from `photos` products at most, 32,000 if None, drawn by their ids: so that it takes no longer, and no
    more disk, however large the catalogue is.

    The model before stays in `models/` until then, and in use: a run that fails or is killed changes nothing.

    Raises:
        MissingExtra: torch is not installed.
        BadOption: a setting outside what training can do.
        TrainingError: too few products, a loss that is not finite, a checkpoint of another run.
        ShopBusy: another process is writing to the shop.
        StorageError: the disk refused.
    """
    train, make_settings, drawn = _import_training()
    asked = training_settings(preset, latent, epochs, minutes, photos, seed)
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
        ids = drawn(shop.catalogue.ids, photos)
        stored = StoredPhotos(shop.store, ids)
        models = shop.files.models
        with storage_errors("Training"):
            models.mkdir(exist_ok=True)
            config = train(stored, ids, settings, models, resume=resume, on_progress=on_progress)
        shop.manifest.with_changes(model=config.model_id, training=asked).save(shop.files.root)
    return config


class StoredPhotos(Sequence[bytes]):
    """The JPEGs of products, read from the store a slice at a time: no catalogue is too large for memory."""

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
    preset: str, latent: int, epochs: int | None, minutes: float | None, photos: int | None, seed: int
) -> dict[str, Any]:
    """What was asked of a training, as the manifest keeps it; without `photos` where that was left out, as before."""
    asked = {"preset": preset, "latent": latent, "epochs": epochs, "minutes": minutes, "seed": seed}
    return asked if photos is None else asked | {"photos": photos}


def _import_training() -> tuple[
    Any, type[TrainSettings], Callable[[Sequence[str], int | None], Sequence[str]]
]:
    if find_spec("torch") is None or find_spec("safetensors") is None or find_spec("onnx") is None:
        raise MissingExtra(
            "Training needs PyTorch, which is not installed.", remedy="Run `pip install 'modiste[train]'`."
        )
    from modiste.vae.training import TrainSettings, train
    from modiste.vae.training.dataset import subsample

    return train, TrainSettings, subsample
