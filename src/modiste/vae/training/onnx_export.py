"""Export of a network to ONNX, and comparison with torch."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from modiste.errors import TrainingError
from modiste.vae.onnx import import_onnx_runtime
from modiste.vae.training.vae import Vae

# The largest allowed difference between torch and ONNX Runtime, of photos in [0, 1] and of posteriors.
MAX_DIFFERENCE = 1e-4


def export_onnx(vae: Vae, directory: Path, photos: Tensor) -> float:
    """Write `encoder.onnx` and `decoder.onnx` into `directory`; return the largest difference from torch.

    `photos` are real ones for the comparison, float32 `(b, H, W, 3)` in [0, 1], b of 2 or more. Raises TrainingError if
    the exported networks differ from torch by more than 1e-4.
    """
    vae = vae.to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    with torch.no_grad():
        mean, std = vae.encoder(photos)
        reconstruction = vae.decoder(mean)
    write_onnx(vae.encoder, photos, directory / "encoder.onnx", "photo", ["mean", "std"])
    write_onnx(vae.decoder, mean, directory / "decoder.onnx", "code", ["photo"])
    worst = 0.0
    for name, inputs, expected in (
        ("encoder", {"photo": photos}, [mean, std]),
        ("decoder", {"code": mean}, [reconstruction]),
    ):
        session = import_onnx_runtime().InferenceSession(
            str(directory / f"{name}.onnx"), providers=["CPUExecutionProvider"]
        )
        for rows in (slice(None), slice(0, 1)):
            feeds = {key: value[rows].numpy() for key, value in inputs.items()}
            outputs = session.run(None, feeds)
            for output, tensor in zip(outputs, expected, strict=True):
                worst = max(worst, float(np.abs(np.asarray(output) - tensor[rows].numpy()).max()))
    if not worst <= MAX_DIFFERENCE:
        raise TrainingError(
            f"The ONNX export differs from torch by {worst:.2e}; at most {MAX_DIFFERENCE:.0e} is allowed.",
            remedy="Please report this with the versions of torch and onnxruntime.",
        )
    return worst


def write_onnx(network: nn.Module, example: Tensor, path: Path, input_name: str, outputs: list[str]) -> None:
    """Export one network with a dynamic batch size and its weights in the file."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns about its own internals; the comparison with torch is the check that matters.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[input_name],
            output_names=outputs,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # they contain stack traces with this machine's paths
    program.save(str(path), external_data=False)
