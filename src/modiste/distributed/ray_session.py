"""A Ray cluster: joined, or started on this machine, for as long as a command runs."""

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

from modiste.errors import BadOption, ClusterError, MissingExtra

LOCAL_ADDRESS = "local"
_token = secrets.token_hex(32)  # the same as long as this process lives, since Ray asks for it once
CONNECT_TIMEOUT_S = 5.0  # seconds for the head to answer
AUTH_MODE_VARIABLE, AUTH_TOKEN_VARIABLE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
OBJECT_STORE_BYTES = (
    512 * 2**20
)  # for what travels between the processes of a Ray on this machine: a few pieces
# Ray reports to its makers, warns of things to come, and more, unless it is told not to before it is imported.
QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # What still asks when a cluster is left would start a Ray of its own.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
# Ray ends a process, with a stack trace, whose head has been away for a minute: what serves, or trains, can do without.
RECONNECT_ENVIRONMENT = {"RAY_gcs_rpc_server_reconnect_timeout_s": str(10**8)}


@contextmanager
def connect(address: str) -> Generator[Any]:
    """Ray, as a module, connected to the cluster at `address` (HOST:PORT, or auto); `local` starts one here.

    This process must run on a machine of the cluster. One that is connected already stays so.

    Raises:
        MissingExtra: Ray is not installed.
        BadOption: an address of another kind.
        ClusterError: nobody answers there, or its Ray or Python is of another version.
    """
    if address != LOCAL_ADDRESS:  # whose own processes end with a head that is gone
        for name, value in RECONNECT_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    ray = import_ray()
    if address not in (LOCAL_ADDRESS, "auto") and not re.fullmatch(r"[^/]+:\d{1,5}", address):
        raise BadOption(
            f"The cluster's address is {address!r}.",
            remedy="Give HOST:PORT of its head, auto on one of its machines, or local to start one here.",
        )
    if ray.is_initialized():
        yield ray
        return
    with ExitStack() as until:
        options: dict[str, Any] = {"address": address}
        if address not in (LOCAL_ADDRESS, "auto"):
            # Of several nodes on one machine Ray would take any; ours is the one whose network the head is on.
            options["_node_ip_address"] = probe_head(address)
        if address == LOCAL_ADDRESS:
            # Sockets lie in there, whose names must be short.
            folder = until.enter_context(
                tempfile.TemporaryDirectory(prefix="modiste-", ignore_cleanup_errors=True)
            )
            options |= {
                "object_store_memory": OBJECT_STORE_BYTES,
                "include_dashboard": False,
                "_temp_dir": folder,
            }
            until.enter_context(_private_token())
        try:
            ray.init(**options, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # Ray raises plain ones too
            raise _connection_error(address, error) from error
        until.callback(ray.shutdown)
        yield ray


def probe_head(address: str) -> str:
    """Look whether anybody is at HOST:PORT, and give the address that this machine has there; Ray itself would try for
    many minutes. Raises ClusterError."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S) as line:
            return str(line.getsockname()[0])
    except (OSError, OverflowError) as error:
        raise _connection_error(address, error) from error


def _connection_error(address: str, error: Exception) -> ClusterError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ClusterError(
        f"The cluster at {address} cannot be joined: {first}",
        remedy="Start it with `ray start --head --port 6379`, the same versions of Python and Ray and the same token "
        "everywhere, and run this command on one of its machines; or give --ray local.",
    )


@contextmanager
def _private_token() -> Generator[None]:
    """A token that nobody else on this machine has, unless the environment says how a Ray is to be kept closed; Ray
    would leave one in the home directory."""
    if AUTH_MODE_VARIABLE in os.environ or AUTH_TOKEN_VARIABLE in os.environ:
        yield
        return
    os.environ[AUTH_TOKEN_VARIABLE] = _token
    try:
        yield
    finally:
        for name in (AUTH_MODE_VARIABLE, AUTH_TOKEN_VARIABLE):  # of which Ray sets the first
            os.environ.pop(name, None)


def import_ray() -> Any:
    """Ray, as a module. Raises MissingExtra."""
    if find_spec("ray") is None:
        raise MissingExtra(
            "Working on a cluster needs Ray, which is not installed.",
            remedy="Run `pip install 'modiste[scale]'`.",
        )
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


# Of a processor, as Ray counts them: replicas are placed by machine, and share its processors.
REPLICA_CPUS = 0.05
TASK_CPUS = 0.9  # of one, for a piece of work: where a replica or two are, it fits beside them
RELEASE_TIMEOUT_S = 10.0  # seconds for what has just ended to give back what it had
POLL_SECONDS = 0.5
CPU_TOLERANCE = 1e-6


def check_capacity(shards: int, replicas: int) -> None:
    """Raise ClusterError where the cluster has too few free processors for `replicas` replicas of each shard."""
    import ray

    wanted, until = shards * replicas * REPLICA_CPUS, time.monotonic() + RELEASE_TIMEOUT_S
    while True:
        has, free = (
            float(held.get("CPU", 0.0)) for held in (ray.cluster_resources(), ray.available_resources())
        )
        if wanted <= free + CPU_TOLERANCE:
            return
        if wanted > has + CPU_TOLERANCE or time.monotonic() > until:
            raise ClusterError(
                f"{shards} shards of {replicas} replicas want {wanted:g} processors, "
                f"{REPLICA_CPUS:g} for each replica. "
                f"The "
                f"cluster has {has:g}, of which {free:g} are free.",
                remedy="Give smaller --shards or --replicas, add machines with `ray start --address HEAD:6379`, or "
                "wait until other work has ended.",
            )
        time.sleep(POLL_SECONDS)
