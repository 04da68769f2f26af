"""Export of a network to ONNX, and comparison with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from modiste.errors import TrainingError
from modiste.vae.onnx import import_onnx_runtime
from modiste.vae.training.network import (
    LOG_STD_RANGE,
    LOG_STD_SPREAD,
    OUTLINE_SHARPNESS,
    Decoder,
    Encoder,
    PaperDecoder,
    PaperEncoder,
)
from modiste.vae.training.onnx_graph import OnnxGraph
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
    (directory / "encoder.onnx").write_bytes(encoder_bytes(vae.encoder))
    (directory / "decoder.onnx").write_bytes(decoder_bytes(vae.decoder, vae.latent))
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


def encoder_bytes(encoder: nn.Module) -> bytes:
    """Return the ONNX file of an encoder: `photo` to `mean` and `std`."""
    graph = OnnxGraph()
    if isinstance(encoder, PaperEncoder):
        frame, head = encoder.frame, encoder.head
        pads = [0, 0, 0, 0, 0, 0, *encoder.padding]
        x = graph.add("Pad", graph.add("Transpose", "photo", perm=[0, 3, 1, 2]), pads, 1.0)
        x = graph.layers(x, [encoder.features, encoder.dense, head])
        half = head.out_features // 2
        graph.add("Slice", x, [0], [half], [1], output="mean")
        log_std = graph.add("Mul", _clip(graph, graph.add("Slice", x, [half], [2 * half], [1]), -12.0, 4.0), 0.5)
    else:
        assert isinstance(encoder, Encoder)
        frame, head = encoder.frame, encoder.head
        x = graph.add("Transpose", "photo", perm=[0, 3, 1, 2])
        if encoder.ratio > 1:
            square = [encoder.ratio] * 2
            x = graph.add("AveragePool", x, kernel_shape=square, strides=square, ceil_mode=1, count_include_pad=0)
        x = graph.layers(graph.add("Sub", x, 0.5), [encoder.features, encoder.dense, head])
        half = head.out_features // 2
        graph.add("Slice", x, [0], [half], [1], output="mean")
        offset = graph.add("Tanh", graph.add("Slice", x, [half], [2 * half], [1]))
        log_std = graph.add("Add", graph.add("Mul", offset, LOG_STD_SPREAD), encoder.log_std.clamp(*LOG_STD_RANGE))
    graph.add("Exp", log_std, output="std")
    return graph.to_bytes("photo", [*frame, 3], {"mean": [half], "std": [half]})


def decoder_bytes(decoder: nn.Module, latent: int) -> bytes:
    """Return the ONNX file of a decoder of `latent` latents: `code` to `photo`."""
    graph = OnnxGraph()
    if isinstance(decoder, PaperDecoder):
        x = graph.layers("code", decoder.dense)
        x = graph.add("Reshape", x, [-1, 64, *decoder.grid])
        x = graph.add("Sigmoid", graph.layers(x, decoder.features))
        frame = decoder.frame
    else:
        assert isinstance(decoder, Decoder)
        frame = decoder.frame
        x = graph.add("Reshape", graph.layers("code", decoder.dense), [-1, *decoder.start_shape])
        x = graph.layers(x, [decoder.blocks[0]])
        for size, block in zip(decoder.sizes[1:], list(decoder.blocks)[1:], strict=True):
            x = graph.layers(_resize(graph, x, size, "nearest"), [block])
        colours = [graph.layers(x, [layer]) for layer in (decoder.colour, decoder.ground)]
        outline = graph.layers(x, [decoder.outline])
        x = graph.add("Concat", graph.add("Sigmoid", graph.add("Concat", *colours, axis=1)), outline, axis=1)
        if decoder.ratio > 1:
            size = (decoder.sizes[-1][0] * decoder.ratio, decoder.sizes[-1][1] * decoder.ratio)
            x = _resize(graph, x, size, "linear")
        product, ground, logits = (graph.add("Slice", x, [low], [high], [1]) for low, high in ((0, 3), (3, 6), (6, 7)))
        share = graph.add("Sigmoid", graph.add("Mul", logits, OUTLINE_SHARPNESS))
        x = graph.add("Add", ground, graph.add("Mul", share, graph.add("Sub", product, ground)))
    x = graph.add("Slice", x, [0, 0], [*frame], [2, 3])
    graph.add("Transpose", x, perm=[0, 2, 3, 1], output="photo")
    return graph.to_bytes("code", [latent], {"photo": [*frame, 3]})


def _clip(graph: OnnxGraph, x: str, low: float, high: float) -> str:
    return graph.add("Clip", x, low, high)


def _resize(graph: OnnxGraph, x: str, size: tuple[int, int], mode: str) -> str:
    """Add what `functional.interpolate` does to `(b, c, h, w)`; mode "nearest" or "linear"."""
    options = (
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if mode == "nearest"
        else {"coordinate_transformation_mode": "half_pixel"}
    )
    return graph.add("Resize", x, "", "", [*size], axes=[2, 3], mode=mode, **options)
