"""Tuning: how this machine trains fastest, by a short measurement of real steps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from modiste.images.descriptors import COLOUR_SIZE, SHAPE_SIZE
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.losses import joint_phase_loss
from modiste.vae.training.network import body_size
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.vae import Vae

TIMEOUT_SECONDS = 120  # seconds
MEASURED_STEPS = 3  # measured of each way, after one to warm up
MIN_SPEEDUP = (
    1.15  # how many times faster another way must be than the usual one: a noisy machine changes nothing
)


@dataclass(frozen=True)
class Throughput:
    """How many photos a second pass through a training step of our preset, in one way to run it."""

    threads: int
    bfloat16: bool
    channels_last: bool
    batch_size: int
    images_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def hardware_candidates(hardware: Hardware) -> Iterator[Hardware]:
    """The usual way first: all threads, bfloat16 where it is not emulated, channels last; then others."""
    yield hardware
    if hardware.device.type != "cpu":
        return
    if hardware.threads > 1:
        yield replace(hardware, threads=max(1, hardware.threads // 2))
    yield replace(hardware, bfloat16=not hardware.bfloat16)
    yield replace(hardware, channels_last=not hardware.channels_last)


def choose_fastest(
    hardware: Hardware, settings: TrainSettings, others: Sequence[int] = ()
) -> tuple[Hardware, list[Throughput]]:
    """The way that is clearly fastest, else the usual one; and what was measured, `others` batch sizes too.

    Measured in a process of its own: what it leaves behind in a process decides how later sums are rounded there, and
    a run that is resumed could not repeat it. Where that cannot be, the usual way, and nothing measured.
    """
    tried = list(hardware_candidates(hardware))
    asked = {
        "settings": settings.identity(),
        "device": str(hardware.device),
        "ways": [[each.threads, each.bfloat16, each.channels_last] for each in tried],
        "others": list(others),
    }
    try:
        command = [sys.executable, "-m", "modiste.vae.training.autotune", json.dumps(asked)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS)
        found = [Throughput(**each) for each in json.loads(done.stdout)]
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return hardware, []
    usual, best = found[0], max(range(len(tried)), key=lambda i: found[i].images_per_second)
    clearly = found[best].images_per_second >= MIN_SPEEDUP * usual.images_per_second
    return tried[best] if clearly else hardware, found


def measure_request(text: str) -> list[Throughput]:
    """What `fastest` asks its own process: the pace of each way, then of the first with each other batch size."""
    asked = json.loads(text)
    known = asked["settings"]
    settings = TrainSettings(
        frame=tuple(known["frame"]), latent=known["latent"], batch_size=known["batch_size"]
    )
    device = torch.device(asked["device"])
    tried = [Hardware(device, short, last, threads) for threads, short, last in asked["ways"]]
    found = [measure_throughput(each, settings) for each in tried]
    return found + [
        measure_throughput(tried[0], replace(settings, batch_size=size)) for size in asked["others"]
    ]


def measure_throughput(way: Hardware, settings: TrainSettings) -> Throughput:
    """Measure steps of our preset's first phase on photos of noise. Leaves torch's threads as they were measured."""
    torch.set_num_threads(way.threads)
    generator = torch.Generator().manual_seed(0)
    vae = Vae.untrained("default", settings.frame, settings.latent).to(way.device)
    if way.channels_last:
        vae = vae.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.Adam(vae.parameters(), settings.learning_rate, fused=True)
    layout = torch.channels_last if way.channels_last else torch.contiguous_format
    batch = settings.batch_size
    body = torch.rand((batch, 3, *body_size(settings.frame)), generator=generator)
    body = body.to(way.device, memory_format=layout)
    looks = tuple(torch.zeros((batch, size), device=way.device) for size in (SHAPE_SIZE, COLOUR_SIZE))
    noise = torch.zeros((batch, settings.latent), device=way.device)
    times: list[float] = []
    for _ in range(1 + MEASURED_STEPS):
        began = time.perf_counter()
        with torch.autocast(way.device.type, torch.bfloat16, enabled=way.bfloat16):
            terms = joint_phase_loss(vae, body, body, (looks[0], looks[1]), noise, settings)
        optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimizer.step()
        float(terms.loss.detach())  # waits for a GPU
        times.append(time.perf_counter() - began)
    return Throughput(
        way.threads, way.bfloat16, way.channels_last, batch, batch / float(np.median(times[1:]))
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps([each.as_dict() for each in measure_request(sys.argv[1])]))
