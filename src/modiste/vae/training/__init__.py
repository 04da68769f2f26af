"""The network, its losses, training and ONNX export. The only package that imports torch."""

from __future__ import annotations

from modiste.vae.training.settings import PRESETS, TrainSettings
from modiste.vae.training.trainer import train
from modiste.vae.training.vae import Vae

__all__ = ["PRESETS", "TrainSettings", "Vae", "train"]
