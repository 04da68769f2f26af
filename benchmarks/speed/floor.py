"""Lower bounds from this machine's memory bandwidth and arithmetic, and how close a scan, a frame and a step are."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from report import Report, timed
from torch import nn

from modiste.vae.training.network import body_size
from modiste.vae.training.vae import Vae

FRAME, LATENT = (240, 180), 16


@numba.njit(nogil=True, fastmath=True)
def read(values: Any) -> float:
    """Return the sum of float32 values: memory reads only."""
    total = np.float32(0.0)
    for i in range(len(values)):
        total += values[i]
    return total


def bandwidth_of(values: Any) -> float:
    """Return the bytes per second of reading values once."""
    return values.nbytes / timed(lambda _: read(values))


def products_of(kind: torch.dtype) -> float:
    """Return the operations per second of a matrix product, in one thread."""
    torch.set_num_threads(1)
    side = 2048
    a, b = (torch.rand(side, side).to(kind) for _ in range(2))
    return 2.0 * side**3 / timed(lambda _: a @ b)


def measure(report: Report) -> None:
    """Measure bytes per second from memory, and operations per second of a matrix product, in one thread."""
    report.heading("the floor of this machine, one thread")
    report.note("memory, GB/s", bandwidth_of(np.ones(100_000_000, np.float32)) / 1e9)
    report.note("float32, GFLOP/s", products_of(torch.float32) / 1e9)
    report.note("bfloat16, GFLOP/s", products_of(torch.bfloat16) / 1e9)
    vae = Vae.untrained("default", FRAME, LATENT).eval()
    body = torch.zeros(1, 3, *body_size(FRAME))
    code = torch.zeros(1, LATENT)
    assert vae.describer is not None
    frame = operations(vae.decoder, lambda: vae.decoder(code))
    encoder = operations(vae.encoder, lambda: vae.encoder.encode_body(body))  # type: ignore[operator]
    describer = operations(vae.describer, lambda: vae.describer(code))  # type: ignore[misc]
    report.note("operations of a frame, MFLOP", frame / 1e6)
    report.note("operations of an encoding, MFLOP", encoder / 1e6)
    # The photo and the moved photo go in; a backward pass is two forward ones.
    report.note("operations of a photo in training, MFLOP", 3 * (2 * encoder + frame + describer) / 1e6)


def gaps(report: Report) -> None:
    """Add, for each cost of this run, its lower bound, our value and their ratio."""
    ratios, about = report.ratios, report.about
    if "memory, GB/s" not in about:
        return
    rows: dict[str, dict[str, float | str]] = {}
    memory, plain, short = (about[name] for name in ("memory, GB/s", "float32, GFLOP/s", "bfloat16, GFLOP/s"))
    if "likelihood, hard, 1 M / FAISS flat IP" in ratios:
        # Mean and weight of 16 latents, and a constant; two subtractions or additions and two products each.
        rows["scan of 1 M, all read, ms"] = {
            "moved": "132 MB",
            "operations": "64 MFLOP",
            "floor": 132.0 / memory,
            "ours": ratios["likelihood, hard, 1 M / FAISS flat IP"]["ours"],
        }
    if "frame" in ratios:
        work = about["operations of a frame, MFLOP"]
        rows["frame, ms"] = {
            "moved": "130 kB out",
            "operations": f"{work:.0f} MFLOP",
            "floor": work / plain,
            "ours": ratios["frame"]["ours"],
        }
    if "encoding" in ratios:
        work = about["operations of an encoding, MFLOP"]
        rows["encoding, two threads, ms a product"] = {
            "moved": "520 kB in float32",
            "operations": f"{work:.0f} MFLOP and a JPEG",
            "floor": (work / plain + 1e3 / about["JPEG decoding, one thread, products/s"]) / 2,
            "ours": 1e3 / ratios["encoding"]["ours"],
        }
    if "training step, one thread, photos/s" in about:
        work = about["operations of a photo in training, MFLOP"]
        rows["training, one thread, ms a photo"] = {
            "moved": "its activations, some 10 MB",
            "operations": f"{work:.0f} MFLOP",
            "floor": work / short,
            "ours": 1e3 / about["training step, one thread, photos/s"],
        }
    for name, row in rows.items():
        row["times the floor"] = float(row["ours"]) / float(row["floor"])
        report.note(f"floor: {name}", row)


def operations(network: nn.Module, run: Any) -> float:
    """Return the multiplications and additions of a pass through a network's convolutions and dense layers."""
    total = 0.0

    def count(layer: Any, _: Any, out: torch.Tensor) -> None:
        nonlocal total
        total += 2.0 * out.numel() * layer.weight[0].numel()

    hooks = [
        layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return total
