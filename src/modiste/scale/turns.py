"""Turns: one process of a whole cluster at a time sets up the shards of a shop."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from modiste.errors import ShopBusy

NAMESPACE = "modiste"  # of the names that are held: Ray would give each process one of its own
FREEING = 10.0  # seconds for Ray to let go of a name
PAUSE = 0.02


class Holder:
    """An actor, whose name only one can have. It does nothing; Ray ends it with the process that made it."""


@contextmanager
def alone(place: str) -> Generator[None]:
    """Hold the shop at an absolute place for setting up its shards, in the whole cluster; for serving it is not needed.

    Raises ShopBusy where another process has it. One that dies lets go.
    """
    import ray

    name = f"{stem(place)}setting-up"
    maker: Any = ray.remote(num_cpus=0)(Holder)
    try:
        held = maker.options(name=name, namespace=NAMESPACE).remote()
    except ValueError:
        raise ShopBusy(
            f"Another process is setting up the shards of {place}.",
            remedy="Wait until it has ended; then run the same command again, if other numbers are wanted.",
        ) from None
    try:
        yield
    finally:
        ray.kill(held)
        _wait_until_free(name)


def stem(place: str) -> str:
    """What the names of all that runs on a cluster for the shop at an absolute place begin with."""
    return f"modiste-{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}-"


def _wait_until_free(name: str) -> None:
    """Until nobody has a name any more: the next command of the same process may want it at once."""
    import ray

    until = time.monotonic() + FREEING
    while time.monotonic() < until:
        try:
            ray.get_actor(name, namespace=NAMESPACE)
        except ValueError:
            return
        time.sleep(PAUSE)
