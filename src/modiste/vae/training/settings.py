"""Presets and settings of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from modiste.choices import Preset
from modiste.errors import BadOption

PRESETS: tuple[Preset, ...] = get_args(Preset)

# About 22 passes over 11,000 products. From 150,000 to 250,000, colour and reconstructions gain a little, category
# nothing.
DEFAULT_PHOTOS_SEEN = 250_000


@dataclass(frozen=True)
class TrainSettings:
    """Settings of a training run. `frame` is (height, width); `minutes` and `epochs` exclude each other.

    `losses.py` explains the weights of the default preset's loss.
    """

    preset: Preset = "default"
    frame: tuple[int, int] = (240, 180)
    latent: int = 16
    epochs: int | None = None
    minutes: float | None = None
    seed: int = 0
    device: str = "auto"
    catalogue_hash: str = ""
    background: tuple[int, int, int] = (255, 255, 255)
    batch_size: int = 64
    learning_rate: float = 1.5e-3
    chroma: float = 1.5
    foreground: float = 3.0
    silhouette: float = 0.5
    shape: float = 0.4
    colour: float = 0.16
    consistency: float = 0.5
    independence: float = 30.0
    layers: float = 0.5
    outline: float = 0.3
    full_frame_share: float = 0.2
    patience: int = 10
    clip_norm: float = 200.0
    ema: float = 0.999

    @property
    def least_epochs(self) -> int:
        """The smallest number of epochs: one for each phase of the preset."""
        return 1 if self.preset == "paper" else 2

    def check(self) -> None:
        """Raise BadOption if a setting is out of range."""
        if self.preset not in PRESETS:
            raise BadOption(f"Unknown preset: {self.preset!r}.", remedy=f"Choose one of {', '.join(PRESETS)}.")
        if self.epochs is not None and self.minutes is not None:
            raise BadOption("epochs and minutes cannot be used together.", remedy="Give one of them.")
        if self.epochs is not None and self.epochs < 1:
            raise BadOption(f"epochs is {self.epochs}.", remedy="Give 1 or more.")
        if self.epochs is not None and self.epochs < self.least_epochs:
            raise BadOption(
                f"epochs is {self.epochs}; the preset {self.preset} has two phases and needs {self.least_epochs}.",
                remedy=f"Give {self.least_epochs} or more, or the preset paper.",
            )
        if self.minutes is not None and not 0 < self.minutes < 100_000:
            raise BadOption(f"minutes is {self.minutes}.", remedy="Give a number above 0.")
        if not 1 <= self.latent <= 512:
            raise BadOption(f"latent is {self.latent}.", remedy="Give a number of latents from 1 to 512.")
        if min(self.frame) < 16 or max(self.frame) > 2048:
            height, width = self.frame
            raise BadOption(f"The frame is {width}x{height}.", remedy="Each side must be 16 to 2048 pixels.")
        if self.batch_size < 2:
            raise BadOption(f"batch_size is {self.batch_size}.", remedy="Batch normalisation needs 2 or more.")

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide the weights, as JSON values; a resumed checkpoint must have the same."""
        settings = {name: value for name, value in asdict(self).items() if name != "device"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
