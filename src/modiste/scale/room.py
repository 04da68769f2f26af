"""Room: whether a cluster has processors for more replicas; Ray would wait for them without end and without a word."""

from __future__ import annotations

import time

from modiste.errors import ClusterError

# Of a processor, as Ray counts them: replicas are placed by machine, and share its processors.
SHARE = 0.05
PIECE = 0.9  # of one, for a piece of work: where a replica or two are, it fits beside them
PATIENCE = 10.0  # seconds for what has just ended to give back what it had
LOOK = 0.5
CLOSE = 1e-6


def check_room(shards: int, replicas: int) -> None:
    """Raise ClusterError where the cluster has too few free processors for `replicas` replicas of each shard."""
    import ray

    wanted, until = shards * replicas * SHARE, time.monotonic() + PATIENCE
    while True:
        has, free = (
            float(held.get("CPU", 0.0)) for held in (ray.cluster_resources(), ray.available_resources())
        )
        if wanted <= free + CLOSE:
            return
        if wanted > has + CLOSE or time.monotonic() > until:
            raise ClusterError(
                f"{shards} shards of {replicas} replicas want {wanted:g} processors, {SHARE:g} for each replica. The "
                f"cluster has {has:g}, of which {free:g} are free.",
                remedy="Give smaller --shards or --replicas, add machines with `ray start --address HEAD:6379`, or "
                "wait until other work has ended.",
            )
        time.sleep(LOOK)
