"""The network, its objective, its training and its export. The only room that imports torch."""

from __future__ import annotations

from modiste.vae.model import Vae
from modiste.vae.settings import PRESETS, TrainSettings
from modiste.vae.train import train

__all__ = ["PRESETS", "TrainSettings", "Vae", "train"]
