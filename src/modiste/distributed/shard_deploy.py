"""Deploying a shop's shards. Each deployment is an application of Ray Serve; clients use the newest one that runs."""

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
from modiste.errors import BadCount, RayClusterError, ShopBusy
from modiste.search.sharding import check_shard_count
from modiste.storage.location import absolute_location

MAX_REPLICAS = 64
DRAIN_SECONDS = 30.0  # for a replica to finish its queries before it is stopped
SWITCH_SECONDS = 2.0  # within which every client has switched to the new shards
DEPLOYMENT_NAME = "shard-{}"
GENERATION_DIGITS = 6
# States of replicas.
RUNNING_STATES = ("RUNNING",)
STARTING_STATES = ("RUNNING", "STARTING", "RECOVERING", "UPDATING")
NAMESPACE = "modiste"  # without it, Ray gives each process its own
RELEASE_TIMEOUT_S = 10.0  # for Ray to release the name of an actor
POLL_SECONDS = 0.02


def list_running(location: str) -> list[str]:
    """Return the running applications for the shop at an absolute location, the newest first.

    Raises RayClusterError if the cluster's head does not answer.
    """
    prefix = app_prefix(location)
    apps = _list_applications()
    return sorted((name for name, app in apps.items() if name.startswith(prefix) and _is_running(app)), reverse=True)


def count_replicas(name: str, states: Collection[str] = RUNNING_STATES) -> dict[int, int]:
    """Return how many replicas of each shard of an application are in some states. Raises RayClusterError."""
    app = _list_applications().get(name)
    if app is None:
        return {}
    counts: dict[int, int] = {}
    for name_of_shard, deployment in app.deployments.items():
        by_state = {str(getattr(state, "value", state)): count for state, count in deployment.replica_states.items()}
        counts[int(name_of_shard.rpartition("-")[2])] = sum(by_state.get(state, 0) for state in states)
    return counts


def deploy(location: str, shards: int, replicas: int, on_status: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Deploy the shards of a shop beside those that run, switch to the new ones, and stop the others.

    No query is refused meanwhile, and every answer is of one version and one number of shards. Only one process of the
    cluster deploys a shop at a time. Raises also what opening the shop raises.

    Args:
        location: the shop's directory or URL.
        shards: the number of shards.
        replicas: the number of replicas of each shard.
        on_status: called with a few words for each step.

    Returns:
        {"shop", "shop_version", "products", "shards", "replicas", "generation"}.

    Raises:
        BadCount: the number of shards or replicas is out of range.
        ShopBusy: another process is deploying the shop.
        RayClusterError: there are too few processors for the replicas, or they do not start; the previous shards go on.
    """
    check_shard_count(shards)
    if not 1 <= replicas <= MAX_REPLICAS:
        raise BadCount(f"The number of replicas is {replicas}.", remedy=f"Give 1 to {MAX_REPLICAS} replicas.")
    location = absolute_location(location)
    with deploy_lock(location):
        check_capacity(shards, replicas)
        return _deploy(location, shards, replicas, on_status or (lambda _: None))


def _deploy(location: str, shards: int, replicas: int, on_status: Callable[[str], None]) -> dict[str, Any]:
    from ray import serve

    on_status("building the shards")
    files = build_shards(location, shards)
    summary = files.summary()
    if summary is None:
        raise RayClusterError(f"{files.root} is damaged.", remedy="Remove it; it is built again.")
    serve.start(proxy_location="Disabled")
    prefix = app_prefix(location)
    previous = [name for name in serve.status().applications if name.startswith(prefix)]
    number = 1 + max((int(name.removeprefix(prefix)[:GENERATION_DIGITS]) for name in previous), default=0)
    # A random suffix, since a number can be used again after an application was deleted by other means.
    name = f"{prefix}{number:0{GENERATION_DIGITS}d}-{secrets.token_hex(4)}"
    on_status(f"starting {shards} x {replicas} replicas, which measure missing hub penalties")
    try:
        start_application(name, location, files.version, shards, replicas)
    except RuntimeError as error:
        serve.delete(name)
        raise RayClusterError(
            f"The shards of {location} do not start: {str(error).strip().splitlines()[0]}",
            remedy="Check that all machines have Modiste and can read the shop; see the logs of Ray Serve.",
        ) from error
    if previous:
        on_status("stopping the previous shards")
        time.sleep(SWITCH_SECONDS)
        for each in previous:
            serve.delete(each)  # each replica first finishes its queries
    return {
        "shop": location,
        "shop_version": files.version,
        "products": summary.product_count,
        "shards": shards,
        "replicas": replicas,
        "generation": number,
    }


def start_application(name: str, location: str, version: str, shards: int, replicas: int) -> None:
    """Start an application of shards, and wait until it runs. Raises RuntimeError, as Ray Serve does."""
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
    deployment = serve.deployment(**settings)(ShardReplica)
    deployments = [deployment.options(name=DEPLOYMENT_NAME.format(i)) for i in range(shards)]
    others = [each.bind(location, version, i, shards) for i, each in enumerate(deployments) if i > 0]
    serve.run(deployments[0].bind(location, version, 0, shards, *others), name=name, route_prefix=None)


def _list_applications() -> dict[str, Any]:
    """Return Ray Serve's applications. Raises RayClusterError if the head does not answer.

    Ray Serve itself would wait forever for the head.
    """
    import ray
    from ray import serve

    probe_head(ray.get_runtime_context().gcs_address)
    return serve.status().applications


def _is_running(app: Any) -> bool:
    """Return whether an application has started. It still answers after losing replicas."""
    return str(getattr(app.status, "value", app.status)) in ("RUNNING", "UNHEALTHY")


class LockActor:
    """An actor whose unique name is the lock. It does nothing, and Ray ends it with the process that created it."""


@contextmanager
def deploy_lock(location: str) -> Generator[None]:
    """Lock the deployment of a shop's shards in the whole cluster. A process that dies releases the lock.

    Raises ShopBusy if another process has the lock.
    """
    import ray

    name = f"{app_prefix(location)}setting-up"
    actor_class: Any = ray.remote(num_cpus=0)(LockActor)
    try:
        actor = actor_class.options(name=name, namespace=NAMESPACE).remote()
    except ValueError:
        raise ShopBusy(
            f"Another process is deploying the shards of {location}.",
            remedy="Wait until it ends; run the command again if you want other numbers.",
        ) from None
    try:
        yield
    finally:
        ray.kill(actor)
        _wait_until_released(name)


def app_prefix(location: str) -> str:
    """Return the prefix of all names in a cluster for the shop at an absolute location."""
    return f"modiste-{hashlib.sha256(location.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}-"


def _wait_until_released(name: str) -> None:
    """Wait until Ray has released a name, since the same process may need it at once."""
    import ray

    until = time.monotonic() + RELEASE_TIMEOUT_S
    while time.monotonic() < until:
        try:
            ray.get_actor(name, namespace=NAMESPACE)
        except ValueError:
            return
        time.sleep(POLL_SECONDS)
