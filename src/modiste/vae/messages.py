"""What processes that train together say to each other: a line of JSON, and tensors as safetensors. Never a pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load, save
from torch import Tensor

from modiste.vae.photos import pixels_of
from modiste.vae.prepared import as_looks, as_planes
from modiste.vae.run import Run
from modiste.vae.steps import Batch


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a run meet: an address, and a key that who comes must know."""

    host: str
    port: int
    key: bytes


def pack(said: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> bytes:
    """A message of `said`, which JSON can hold, and of tensors on the CPU."""
    return json.dumps(said).encode() + b"\n" + save(tensors or {})


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `pack` put into a message."""
    head, _, rest = message.partition(b"\n")
    return json.loads(head), load(rest)


def photos_in(run: Run, rows: npt.NDArray[np.int64], *, full: bool) -> dict[str, Tensor]:
    """The photos of a slice of a batch as they are sent: as small as they are stored."""
    held = run.photos.held
    if not full:
        assert held.looks is not None
        return {"bodies": torch.from_numpy(held.bodies[rows]), "looks": torch.from_numpy(held.looks[rows])}
    jpegs = [held.jpeg(row) for row in rows]
    tensors = {
        "jpegs": torch.frombuffer(bytearray(b"".join(jpegs)), dtype=torch.uint8),
        "sizes": torch.tensor([len(jpeg) for jpeg in jpegs]),
    }
    posterior = run.posterior_of(rows)
    if posterior is not None:
        tensors |= {"mean": posterior[0].cpu(), "std": posterior[1].cpu()}
    return tensors


def batch_in(tensors: dict[str, Tensor]) -> Batch:
    """The batch that `photos_in` sent, decoded."""
    if "bodies" in tensors:
        return Batch(body=as_planes(tensors["bodies"].numpy()), looks=as_looks(tensors["looks"].numpy()))
    parts = tensors["jpegs"].split(tensors["sizes"].tolist())
    whole = as_planes(np.stack([pixels_of(part.numpy().tobytes()) for part in parts]))
    posterior = (tensors["mean"], tensors["std"]) if "mean" in tensors else None
    return Batch(whole=whole, posterior=posterior)
