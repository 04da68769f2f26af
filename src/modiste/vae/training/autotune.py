"""Autotuning: time some real training steps and choose the fastest hardware settings."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from modiste.images.descriptors import COLOUR_SIZE, SHAPE_SIZE
from modiste.vae.training.hardware import Hardware
from modiste.vae.training.losses import joint_phase_loss
from modiste.vae.training.network import body_size
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.vae import Vae

TIMEOUT_SECONDS = 120
MEASURED_STEPS = 3  # after one to warm up
# Other settings must be this much faster than the default ones, so that noise changes nothing.
MIN_SPEEDUP = 1.15


@dataclass(frozen=True)
class Throughput:
    """Photos per second of a training step of the default preset, with some hardware settings."""

    threads: int
    bfloat16: bool
    channels_last: bool
    batch_size: int
    images_per_second: float


def hardware_candidates(hardware: Hardware) -> Iterator[Hardware]:
    """Yield the default settings (all threads, native bfloat16, channels last), then others."""
    yield hardware
    if hardware.device.type != "cpu":
        return
    if hardware.threads > 1:
        yield replace(hardware, threads=max(1, hardware.threads // 2))
    yield replace(hardware, bfloat16=not hardware.bfloat16)
    yield replace(hardware, channels_last=not hardware.channels_last)


def choose_fastest(
    hardware: Hardware, settings: TrainSettings, batch_sizes: Sequence[int] = ()
) -> tuple[Hardware, list[Throughput]]:
    """Return the settings that are clearly fastest, or the default ones, and all measurements.

    The measurement runs in its own process: it would change how later sums are rounded in this one, and a resumed run
    could not repeat that. If the process fails, the default settings are returned without measurements. `hardware` are
    the default settings; `batch_sizes` are measured with them, beside that of the run's `settings`.
    """
    candidates = list(hardware_candidates(hardware))
    request = {
        "settings": settings.identity(),
        "device": str(hardware.device),
        "ways": [[option.threads, option.bfloat16, option.channels_last] for option in candidates],
        "others": list(batch_sizes),
    }
    try:
        command = [sys.executable, "-m", "modiste.vae.training.autotune", json.dumps(request)]
        process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS)
        results = [Throughput(**result) for result in json.loads(process.stdout)]
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return hardware, []
    best = max(range(len(candidates)), key=lambda i: results[i].images_per_second)
    is_faster = results[best].images_per_second >= MIN_SPEEDUP * results[0].images_per_second
    return candidates[best] if is_faster else hardware, results


def measure_request(text: str) -> list[Throughput]:
    """Answer a request of `choose_fastest`: measure each candidate, then the first with each other batch size."""
    request = json.loads(text)
    identity = request["settings"]
    settings = TrainSettings(
        frame=tuple(identity["frame"]), latent=identity["latent"], batch_size=identity["batch_size"]
    )
    device = torch.device(request["device"])
    candidates = [
        Hardware(device, bfloat16, channels_last, threads) for threads, bfloat16, channels_last in request["ways"]
    ]
    results = [measure_throughput(hardware, settings) for hardware in candidates]
    return results + [
        measure_throughput(candidates[0], replace(settings, batch_size=size)) for size in request["others"]
    ]


def measure_throughput(hardware: Hardware, settings: TrainSettings) -> Throughput:
    """Time steps of the default preset's first phase on noise.

    Changes torch's number of threads for the rest of the process.
    """
    torch.set_num_threads(hardware.threads)
    generator = torch.Generator().manual_seed(0)
    vae = Vae.untrained("default", settings.frame, settings.latent).to(hardware.device)
    if hardware.channels_last:
        vae = vae.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.Adam(vae.parameters(), settings.learning_rate, fused=True)
    layout = torch.channels_last if hardware.channels_last else torch.contiguous_format
    batch = settings.batch_size
    body = torch.rand((batch, 3, *body_size(settings.frame)), generator=generator)
    body = body.to(hardware.device, memory_format=layout)
    shape, colour = (torch.zeros((batch, size), device=hardware.device) for size in (SHAPE_SIZE, COLOUR_SIZE))
    noise = torch.zeros((batch, settings.latent), device=hardware.device)
    times: list[float] = []
    for _ in range(1 + MEASURED_STEPS):
        start = time.perf_counter()
        with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bfloat16):
            terms = joint_phase_loss(vae, body, body, (shape, colour), noise, settings)
        optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimizer.step()
        float(terms.loss.detach())  # waits for a GPU
        times.append(time.perf_counter() - start)
    return Throughput(
        hardware.threads, hardware.bfloat16, hardware.channels_last, batch, batch / float(np.median(times[1:]))
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(result) for result in measure_request(sys.argv[1])]))
