"""A training with the machines of a cluster, small and in float32: to be run on one of them, and its like to be killed.

    python -m tests.scale.trained ADDRESS DIRECTORY

It prints a line for each step, and at last the model's id.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

import modiste.vae.hardware
from modiste.scale.cluster import connected
from modiste.scale.partners import ray_partners
from modiste.vae import train
from tests.vae.conftest import drawn_photos
from tests.vae.test_together import settings


def main() -> None:
    """Train, resuming what there is."""
    address, directory = sys.argv[1], Path(sys.argv[2])
    modiste.vae.hardware.cpu_has_bfloat16 = lambda: False
    sys.modules["modiste.vae.train"].TELL_EVERY = 0.0  # type: ignore[attr-defined]
    torch.set_num_threads(1)

    def say(event: dict[str, Any]) -> None:
        print(event["stage"], event.get("epoch"), event.get("step"), event.get("processes"), flush=True)

    photos, ids = drawn_photos(64, 48, 36), [f"p{number}" for number in range(64)]
    with connected(address) as ray, ray_partners(ray) as partners:
        model = train(photos, ids, settings(), directory, resume=True, partners=partners, on_progress=say)
    print("model", model.model_id, flush=True)


if __name__ == "__main__":
    main()
