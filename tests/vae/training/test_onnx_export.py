"""The exported networks give what torch gives, for every preset and for frames that no stride divides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from modiste.errors import TrainingError
from modiste.vae.training import onnx_export
from modiste.vae.training.onnx_export import export_onnx
from modiste.vae.training.onnx_graph import OnnxGraph
from modiste.vae.training.vae import Vae


def trained_once(preset: str, frame: tuple[int, int]) -> tuple[Vae, torch.Tensor]:
    """Return a network whose batch norms have seen photos, and the photos."""
    torch.manual_seed(0)
    vae = Vae.untrained(preset, frame, 5)
    photos = torch.rand(4, *frame, 3)
    vae.train()
    vae(photos)
    return vae.eval(), photos


@pytest.mark.parametrize("preset", ["default", "paper"])
@pytest.mark.parametrize("frame", [(240, 180), (33, 50), (100, 77)])
def test_export_gives_what_torch_gives(preset: str, frame: tuple[int, int], tmp_path: Path) -> None:
    vae, photos = trained_once(preset, frame)
    assert export_onnx(vae, tmp_path, photos) < 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decoder.onnx", "encoder.onnx"]


def test_a_different_export_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vae, photos = trained_once("default", (33, 50))
    other, _ = trained_once("default", (33, 50))
    with torch.no_grad():
        dict(other.decoder.named_parameters())["ground.bias"].zero_()
    decoder = onnx_export.decoder_bytes(other.decoder, other.latent)
    monkeypatch.setattr(onnx_export, "decoder_bytes", lambda *_: decoder)
    with pytest.raises(TrainingError, match="differs from torch"):
        export_onnx(vae, tmp_path, photos)


def test_unknown_layer_is_named() -> None:
    with pytest.raises(NotImplementedError, match="Softplus"):
        OnnxGraph().layers("x", [nn.Softplus()])
