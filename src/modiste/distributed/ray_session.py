"""A connection to a Ray cluster, or a local Ray, for as long as a command runs."""

from __future__ import annotations

import os
import re
import secrets
import socket
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from modiste.errors import BadOption, MissingExtra, RayClusterError

LOCAL_ADDRESS = "local"
_token = secrets.token_hex(32)  # fixed for the life of this process, since Ray reads it once
CONNECT_TIMEOUT_S = 5.0
AUTH_MODE_VARIABLE, AUTH_TOKEN_VARIABLE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
OBJECT_STORE_BYTES = 512 * 2**20  # for the few items in transit between the processes of a local Ray
# Ray sends usage reports and prints warnings, unless these are set before it is imported.
QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # Otherwise a late call after disconnecting would start a local Ray.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
# Ray ends a process with a stack trace after a minute without the head. A server can continue without it.
RECONNECT_ENVIRONMENT = {"RAY_gcs_rpc_server_reconnect_timeout_s": str(10**8)}


@contextmanager
def connect(address: str) -> Generator[Any]:
    """Connect to the cluster at `address`, HOST:PORT or auto, or start a local Ray, and yield the module `ray`.

    This process must run on a machine of the cluster. An existing connection is reused.

    Raises:
        MissingExtra: Ray is not installed.
        BadOption: the address has another form.
        RayClusterError: the head does not answer, or its Ray or Python is of another version.
    """
    if address != LOCAL_ADDRESS:  # the processes of a local Ray should end with its head
        for name, value in RECONNECT_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    ray = import_ray()
    if address not in (LOCAL_ADDRESS, "auto") and not re.fullmatch(r"[^/]+:\d{1,5}", address):
        raise BadOption(
            f"The Ray address {address!r} is not HOST:PORT, auto or local.",
            remedy="Give HOST:PORT of the head, auto on a machine of the cluster, or local to start Ray here.",
        )
    if ray.is_initialized():
        yield ray
        return
    with ExitStack() as stack:
        options: dict[str, Any] = {"address": address}
        if address not in (LOCAL_ADDRESS, "auto"):
            # With several nodes on one machine, Ray would take any; this is the one on the head's network.
            options["_node_ip_address"] = probe_head(address)
        if address == LOCAL_ADDRESS:
            # It contains sockets, whose paths must be short.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="modiste-", ignore_cleanup_errors=True))
            options |= {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False, "_temp_dir": folder}
            stack.enter_context(_private_token())
        try:
            ray.init(**options, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # Ray raises plain ones too
            raise _connection_error(address, error) from error
        stack.callback(ray.shutdown)
        yield ray


def probe_head(address: str) -> str:
    """Return the address of this machine on the network of HOST:PORT. Raises RayClusterError if nothing answers there.

    Ray itself would try for many minutes.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S) as connection:
            return str(connection.getsockname()[0])
    except (OSError, OverflowError) as error:
        raise _connection_error(address, error) from error


def _connection_error(address: str, error: Exception) -> RayClusterError:
    message = (str(error).strip() or type(error).__name__).splitlines()[0]
    return RayClusterError(
        f"Cannot connect to the cluster at {address}: {message}",
        remedy="Start it with `ray start --head --port 6379`, the same versions of Python and Ray and the same token "
        "everywhere, and run this command on one of its machines; or give --ray local.",
    )


@contextmanager
def _private_token() -> Generator[None]:
    """Use a private token, unless the environment configures Ray's authentication.

    Ray would write its own to the home directory.
    """
    if AUTH_MODE_VARIABLE in os.environ or AUTH_TOKEN_VARIABLE in os.environ:
        yield
        return
    os.environ[AUTH_TOKEN_VARIABLE] = _token
    try:
        yield
    finally:
        for name in (AUTH_MODE_VARIABLE, AUTH_TOKEN_VARIABLE):  # Ray sets the first
            os.environ.pop(name, None)


def import_ray() -> Any:
    """Import Ray. Raises MissingExtra."""
    if find_spec("ray") is None:
        raise MissingExtra(
            "A Ray cluster needs the package ray, which is not installed.", remedy="Run `pip install 'modiste[scale]'`."
        )
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


# Processors, as Ray counts them. Replicas share the processors of their machine.
REPLICA_CPUS = 0.05
TASK_CPUS = 0.9  # fits beside one or two replicas
RELEASE_TIMEOUT_S = 10.0  # for finished work to release its processors
POLL_SECONDS = 0.5
CPU_TOLERANCE = 1e-6


def check_capacity(shards: int, replicas: int) -> None:
    """Raise RayClusterError if the cluster has too few free processors for `replicas` replicas of each shard."""
    import ray

    required, until = shards * replicas * REPLICA_CPUS, time.monotonic() + RELEASE_TIMEOUT_S
    while True:
        total, free = (
            float(resources.get("CPU", 0.0)) for resources in (ray.cluster_resources(), ray.available_resources())
        )
        if required <= free + CPU_TOLERANCE:
            return
        if required > total + CPU_TOLERANCE or time.monotonic() > until:
            raise RayClusterError(
                f"{shards} shards of {replicas} replicas need {required:g} processors, {REPLICA_CPUS:g} for each "
                f"replica. The cluster has {total:g}, of which {free:g} are free.",
                remedy="Give smaller --shards or --replicas, add machines with `ray start --address HEAD:6379`, or "
                "wait until other work ends.",
            )
        time.sleep(POLL_SECONDS)
