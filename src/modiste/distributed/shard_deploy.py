"""Generations: each setting up of a shop's shards is an application of Ray Serve; the newest that runs is asked."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Any

from modiste.distributed.ray_session import REPLICA_CPUS, check_capacity, probe_head
from modiste.distributed.shard_builder import build_shards
from modiste.distributed.shard_replica import ShardReplica
from modiste.errors import BadCount, ClusterError, ShopBusy
from modiste.search.sharding import check_shard_count
from modiste.storage.location import absolute_location

MAX_REPLICAS = 64
DRAIN_SECONDS = 30.0  # seconds that a replica that is taken down has for what it was asked
SWITCH_SECONDS = 2.0  # seconds within which every front has
DEPLOYMENT_NAME = "shard-{}"
GENERATION_DIGITS = 6  # of a generation's number
RUNNING_STATES, STARTING_STATES = (
    ("RUNNING",),
    ("RUNNING", "STARTING", "RECOVERING", "UPDATING"),
)  # states of replicas


def list_running(location: str) -> list[str]:
    """The applications that answer for the shop at an absolute place, the newest first.

    Raises ClusterError where the cluster's head does not answer.
    """
    own = app_prefix(location)
    apps = _list_applications()
    return sorted(
        (name for name, app in apps.items() if name.startswith(own) and _is_running(app)), reverse=True
    )


def count_replicas(name: str, states: Collection[str] = RUNNING_STATES) -> dict[int, int]:
    """How many replicas of each shard of an application are in some states. Raises ClusterError as `running` does."""
    app = _list_applications().get(name)
    if app is None:
        return {}
    counts: dict[int, int] = {}
    for each, told in app.deployments.items():
        found = {str(getattr(state, "value", state)): count for state, count in told.replica_states.items()}
        counts[int(each.rpartition("-")[2])] = sum(found.get(state, 0) for state in states)
    return counts


def deploy(
    location: str, shards: int, replicas: int, on_status: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Set up the shards of the shop at a place beside those that run, have these asked, and take the others down.

    Nobody who asks meanwhile is refused, and every answer is of one version and one number of shards. Of two processes
    that set up the same shop, on whatever machines of the cluster, one does.

    Args:
        told: is called with what is being done, a few words.

    Returns:
        {"shop", "shop_version", "products", "shards", "replicas", "generation"}.

    Raises:
        BadCount: numbers of shards or replicas that cannot be.
        ShopBusy: another process is doing it.
        ClusterError: there are too few processors for the replicas, or they do not start; what ran before goes on.
        and what opening the shop raises.
    """
    check_shard_count(shards)
    if not 1 <= replicas <= MAX_REPLICAS:
        raise BadCount(f"{replicas} replicas were asked for.", remedy=f"Give 1 to {MAX_REPLICAS}.")
    location = absolute_location(location)
    with deploy_lock(location):
        check_capacity(shards, replicas)
        return _deploy(location, shards, replicas, on_status or (lambda _: None))


def _deploy(location: str, shards: int, replicas: int, on_status: Callable[[str], None]) -> dict[str, Any]:
    from ray import serve

    on_status("packing the shards")
    packs = build_shards(location, shards)
    whole = packs.summary()
    if whole is None:
        raise ClusterError(f"{packs.root} is damaged.", remedy="Remove it: it is made anew.")
    serve.start(proxy_location="Disabled")
    own = app_prefix(location)
    before = [name for name in serve.status().applications if name.startswith(own)]
    number = 1 + max((int(name.removeprefix(own)[:GENERATION_DIGITS]) for name in before), default=0)
    # Of one that was taken down by other means another may have the number: whoever asked it must see that it is gone.
    name = f"{own}{number:0{GENERATION_DIGITS}d}-{secrets.token_hex(4)}"
    on_status(f"starting {shards} x {replicas} replicas, which measure crowding where that was not done yet")
    try:
        start_application(name, location, packs.version, shards, replicas)
    except RuntimeError as error:
        serve.delete(name)
        raise ClusterError(
            f"The shards of {location} do not start: {str(error).strip().splitlines()[0]}",
            remedy="See that all machines have Modiste and reach the shop, and the logs of Ray Serve.",
        ) from error
    if before:
        on_status("taking down the shards before")
        time.sleep(SWITCH_SECONDS)
        for each in before:
            serve.delete(each)  # each replica first answers what it was asked
    return {
        "shop": location,
        "shop_version": packs.version,
        "products": whole.product_count,
        "shards": shards,
        "replicas": replicas,
        "generation": number,
    }


def start_application(name: str, location: str, version: str, shards: int, replicas: int) -> None:
    """Start an application of shards, and wait until it answers. Raises RuntimeError, as Ray Serve does."""
    from ray import serve

    settings: dict[str, Any] = {
        "num_replicas": replicas,
        "max_ongoing_requests": 64,
        "health_check_period_s": 1.0,
        "health_check_timeout_s": 30.0,
        "graceful_shutdown_timeout_s": DRAIN_SECONDS,
        "graceful_shutdown_wait_loop_s": 0.5,
        "ray_actor_options": {"num_cpus": REPLICA_CPUS},
        "logging_config": {"log_level": "INFO", "enable_access_log": False},
    }
    made = serve.deployment(**settings)
    parts = [made(ShardReplica).options(name=DEPLOYMENT_NAME.format(i)) for i in range(shards)]
    others = [part.bind(location, version, i, shards) for i, part in enumerate(parts) if i > 0]
    serve.run(parts[0].bind(location, version, 0, shards, *others), name=name, route_prefix=None)


def _list_applications() -> dict[str, Any]:
    """What Ray Serve says of all applications. It would wait without end for a head that is gone, and begin a Ray of
    its own where it was left meanwhile."""
    import ray
    from ray import serve

    probe_head(ray.get_runtime_context().gcs_address)
    return serve.status().applications


def _is_running(app: Any) -> bool:
    """Whether an application has come up: one that has lost replicas since still answers."""
    return str(getattr(app.status, "value", app.status)) in ("RUNNING", "UNHEALTHY")


NAMESPACE = "modiste"  # of the names that are held: Ray would give each process one of its own
RELEASE_TIMEOUT_S = 10.0  # seconds for Ray to let go of a name
POLL_SECONDS = 0.02


class LockActor:
    """An actor, whose name only one can have. It does nothing; Ray ends it with the process that made it."""


@contextmanager
def deploy_lock(location: str) -> Generator[None]:
    """Hold the shop at an absolute place for setting up its shards, in the whole cluster; for serving it is not needed.

    Raises ShopBusy where another process has it. One that dies lets go.
    """
    import ray

    name = f"{app_prefix(location)}setting-up"
    maker: Any = ray.remote(num_cpus=0)(LockActor)
    try:
        held = maker.options(name=name, namespace=NAMESPACE).remote()
    except ValueError:
        raise ShopBusy(
            f"Another process is setting up the shards of {location}.",
            remedy="Wait until it has ended; then run the same command again, if other numbers are wanted.",
        ) from None
    try:
        yield
    finally:
        ray.kill(held)
        _wait_until_released(name)


def app_prefix(location: str) -> str:
    """What the names of all that runs on a cluster for the shop at an absolute place begin with."""
    return f"modiste-{hashlib.sha256(location.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}-"


def _wait_until_released(name: str) -> None:
    """Until nobody has a name any more: the next command of the same process may want it at once."""
    import ray

    until = time.monotonic() + RELEASE_TIMEOUT_S
    while time.monotonic() < until:
        try:
            ray.get_actor(name, namespace=NAMESPACE)
        except ValueError:
            return
        time.sleep(POLL_SECONDS)
