"""Generations: each setting up of a shop's shards is an application of Ray Serve; the newest that runs is asked."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Any

from modiste.distributed.ray_session import SHARE, check_room, reach
from modiste.distributed.shard_builder import pack
from modiste.distributed.shard_replica import Shard
from modiste.errors import BadCount, ClusterError, ShopBusy
from modiste.search.sharding import check_shards
from modiste.storage.location import absolute

MOST_REPLICAS = 64
LINGERING = 30.0  # seconds that a replica that is taken down has for what it was asked
SEEN = 2.0  # seconds within which every front has
SHARD = "shard-{}"
DIGITS = 6  # of a generation's number
UP, COMING = ("RUNNING",), ("RUNNING", "STARTING", "RECOVERING", "UPDATING")  # states of replicas


def running(place: str) -> list[str]:
    """The applications that answer for the shop at an absolute place, the newest first.

    Raises ClusterError where the cluster's head does not answer.
    """
    own = stem(place)
    apps = _applications()
    return sorted(
        (name for name, app in apps.items() if name.startswith(own) and _answers(app)), reverse=True
    )


def replicas_of(name: str, states: Collection[str] = UP) -> dict[int, int]:
    """How many replicas of each shard of an application are in some states. Raises ClusterError as `running` does."""
    app = _applications().get(name)
    if app is None:
        return {}
    counts: dict[int, int] = {}
    for each, told in app.deployments.items():
        found = {str(getattr(state, "value", state)): count for state, count in told.replica_states.items()}
        counts[int(each.rpartition("-")[2])] = sum(found.get(state, 0) for state in states)
    return counts


def set_up(
    place: str, shards: int, replicas: int, told: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Set up the shards of the shop at a place beside those that run, have these asked, and take the others down.

    Nobody who asks meanwhile is refused, and every answer is of one version and one number of shards. Of two processes
    that set up the same shop, on whatever machines of the cluster, one does.

    Args:
        told: is called with what is being done, a few words.

    Returns:
        {"shop", "version", "products", "shards", "replicas", "generation"}.

    Raises:
        BadCount: numbers of shards or replicas that cannot be.
        ShopBusy: another process is doing it.
        ClusterError: there are too few processors for the replicas, or they do not start; what ran before goes on.
        and what opening the shop raises.
    """
    check_shards(shards)
    if not 1 <= replicas <= MOST_REPLICAS:
        raise BadCount(f"{replicas} replicas were asked for.", remedy=f"Give 1 to {MOST_REPLICAS}.")
    place = absolute(place)
    with alone(place):
        check_room(shards, replicas)
        return _set_up(place, shards, replicas, told or (lambda _: None))


def _set_up(place: str, shards: int, replicas: int, tell: Callable[[str], None]) -> dict[str, Any]:
    from ray import serve

    tell("packing the shards")
    packs = pack(place, shards)
    whole = packs.whole()
    if whole is None:
        raise ClusterError(f"{packs.root} is damaged.", remedy="Remove it: it is made anew.")
    serve.start(proxy_location="Disabled")
    own = stem(place)
    before = [name for name in serve.status().applications if name.startswith(own)]
    number = 1 + max((int(name.removeprefix(own)[:DIGITS]) for name in before), default=0)
    # Of one that was taken down by other means another may have the number: whoever asked it must see that it is gone.
    name = f"{own}{number:0{DIGITS}d}-{secrets.token_hex(4)}"
    tell(f"starting {shards} x {replicas} replicas, which measure crowding where that was not done yet")
    try:
        begin(name, place, packs.version, shards, replicas)
    except RuntimeError as error:
        serve.delete(name)
        raise ClusterError(
            f"The shards of {place} do not start: {str(error).strip().splitlines()[0]}",
            remedy="See that all machines have Modiste and reach the shop, and the logs of Ray Serve.",
        ) from error
    if before:
        tell("taking down the shards before")
        time.sleep(SEEN)
        for each in before:
            serve.delete(each)  # each replica first answers what it was asked
    return {
        "shop": place,
        "version": packs.version,
        "products": whole.count,
        "shards": shards,
        "replicas": replicas,
        "generation": number,
    }


def begin(name: str, place: str, version: str, shards: int, replicas: int) -> None:
    """Start an application of shards, and wait until it answers. Raises RuntimeError, as Ray Serve does."""
    from ray import serve

    settings: dict[str, Any] = {
        "num_replicas": replicas,
        "max_ongoing_requests": 64,
        "health_check_period_s": 1.0,
        "health_check_timeout_s": 30.0,
        "graceful_shutdown_timeout_s": LINGERING,
        "graceful_shutdown_wait_loop_s": 0.5,
        "ray_actor_options": {"num_cpus": SHARE},
        "logging_config": {"log_level": "INFO", "enable_access_log": False},
    }
    made = serve.deployment(**settings)
    parts = [made(Shard).options(name=SHARD.format(i)) for i in range(shards)]
    others = [part.bind(place, version, i, shards) for i, part in enumerate(parts) if i > 0]
    serve.run(parts[0].bind(place, version, 0, shards, *others), name=name, route_prefix=None)


def _applications() -> dict[str, Any]:
    """What Ray Serve says of all applications. It would wait without end for a head that is gone, and begin a Ray of
    its own where it was left meanwhile."""
    import ray
    from ray import serve

    reach(ray.get_runtime_context().gcs_address)
    return serve.status().applications


def _answers(app: Any) -> bool:
    """Whether an application has come up: one that has lost replicas since still answers."""
    return str(getattr(app.status, "value", app.status)) in ("RUNNING", "UNHEALTHY")


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
