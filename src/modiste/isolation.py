"""How a process of our own is started that is to have nothing of the one that starts it but what it is sent."""

from __future__ import annotations

import os
import sys


def worker_command(module: str, *words: str) -> list[str]:
    """What starts a module of Modiste in a process of its own."""
    return [sys.executable, "-P", "-m", module, *words]


def clean_environment() -> dict[str, str]:
    """Our own, without our keys; with the places where Modiste was found, and one thread to a library."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MODISTE_")}
    places = os.pathsep.join(place for place in sys.path if place)
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    return own | {"PYTHONPATH": places} | single
