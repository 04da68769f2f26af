"""A real Ray cluster on this machine: nodes in network namespaces with own addresses, to be killed and cut off."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PORT = 6379
_NUMBERS = itertools.count()
BIN = Path(sys.executable).parent
SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_raylet_start_wait_time_s": "200",  # however busy this machine is
    # Workers get a processor as quickly as this machine's other processes.
    "RAY_worker_niceness": "0",
    # A machine that cannot be reached is given up after some 5 seconds, in the place of 30.
    "RAY_grpc_client_keepalive_time_ms": "10000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_health_check_failure_threshold": "3",
}


def why_not() -> str | None:
    """Return why network namespaces are impossible here; None if they are possible."""
    if shutil.which("ip") is None:
        return "needs the program ip (iproute2)"
    tried = subprocess.run(["ip", "netns", "add", f"mtry{os.getpid()}"], capture_output=True, check=False)
    if tried.returncode:
        return "needs the right to make network namespaces (root)"
    subprocess.run(["ip", "netns", "del", f"mtry{os.getpid()}"], check=True)
    return None


def run(*command: str) -> None:
    """Run a command of `ip`."""
    subprocess.run(command, check=True, capture_output=True)


@dataclass
class Cluster:
    """A cluster of nodes. Node 0 is the head and does no work; the others have one processor each."""

    folder: str
    name: str
    started: set[int] = field(default_factory=set[int])
    environment: dict[str, str] = field(default_factory=lambda: {**os.environ, **SETTINGS})  # of what runs on a node

    @property
    def address(self) -> str:
        """The head's address, HOST:PORT."""
        return f"{self.ip(0)}:{PORT}"

    def ip(self, node: int) -> str:
        """Return the IP address of a node."""
        return f"10.77.{os.getpid() % 250}.{node + 1}"

    def space(self, node: int) -> str:
        """Return the network namespace of a node."""
        return f"{self.name}-{node}"

    def make(self, node: int) -> None:
        """Create a node's namespace, connected to the bridge."""
        space, near, far = self.space(node), f"{self.name}v{node}", f"{self.name}w{node}"
        run("ip", "netns", "add", space)
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        run("ip", "link", "set", far, "netns", space)
        run("ip", "link", "set", near, "master", f"{self.name}b", "up")
        run("ip", "-n", space, "addr", "add", f"{self.ip(node)}/24", "dev", far)
        run("ip", "-n", space, "link", "set", far, "up")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "route", "add", "default", "via", self.ip(200))

    def start(self, node: int, cpus: int | None = None) -> None:
        """Start Ray on a node."""
        cpus = (0 if node == 0 else 1) if cpus is None else cpus
        role = ["--head", f"--port={PORT}", "--include-dashboard=false", f"--temp-dir={self.folder}"]
        role = role if node == 0 else [f"--address={self.address}"]
        command = [str(BIN / "ray"), "start", *role, f"--node-ip-address={self.ip(node)}", f"--num-cpus={cpus}"]
        command += ["--object-store-memory=200000000", "--disable-usage-stats"]
        done = subprocess.run(
            self.inside(node, command), env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.started.add(node)

    def inside(self, node: int, command: Sequence[str]) -> list[str]:
        """Wrap a command so that it runs on a node, with the node's own directory for Ray."""
        own = Path(f"{self.folder}.{node}")
        own.mkdir(exist_ok=True)
        mounted = ["sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', str(own), self.folder]
        return ["ip", "netns", "exec", self.space(node), *mounted, *command]

    def modiste(self, *arguments: str, node: int = 0) -> subprocess.Popen[str]:
        """Start the command line on a node, with --ray."""
        command = [str(BIN / "modiste"), *arguments, "--ray", self.address]
        return subprocess.Popen(
            self.inside(node, command), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def pids(self, node: int) -> list[int]:
        """Return the ids of all processes on a node."""
        process = subprocess.run(["ip", "netns", "pids", self.space(node)], capture_output=True, text=True, check=False)
        return [int(each) for each in process.stdout.split()]

    def workers(self, node: int) -> list[int]:
        """Return the ids of the worker processes on a node."""
        worker_pids: list[int] = []
        for pid in self.pids(node):
            with suppress(OSError):
                if (
                    Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
                    and b"IDLE" not in Path(f"/proc/{pid}/cmdline").read_bytes()
                ):
                    worker_pids.append(pid)
        return worker_pids

    def kill(self, node: int) -> None:
        """Kill everything on a node with SIGKILL: to the others, the machine has lost its power."""
        for _ in range(3):
            for pid in self.pids(node):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        self.started.discard(node)

    def cut(self, node: int) -> None:
        """Disconnect a node from the network."""
        run("ip", "link", "set", f"{self.name}v{node}", "down")

    def mend(self, node: int) -> None:
        """Connect a node to the network again."""
        run("ip", "link", "set", f"{self.name}v{node}", "up")


def await_ready(url: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """Return a server's /readyz once it is ready and `fits`. Raises TimeoutError."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"{url}/readyz", timeout=20, trust_env=False)
            if answer.status_code == 200 and fits(answer.json()):
                return answer.json()
        time.sleep(0.5)
    raise TimeoutError(url)


@contextmanager
def cluster(nodes: int) -> Iterator[Cluster]:
    """Yield a head and `nodes` workers."""
    folder = tempfile.mkdtemp(prefix="mray-")
    machines = Cluster(folder, f"m{os.getpid() % 10000}x{next(_NUMBERS) % 100}")
    try:
        run("ip", "link", "add", f"{machines.name}b", "type", "bridge")
        run("ip", "addr", "add", f"{machines.ip(200)}/24", "dev", f"{machines.name}b")
        run("ip", "link", "set", f"{machines.name}b", "up")
        for node in range(nodes + 1):
            machines.make(node)
            machines.start(node)
        yield machines
    finally:
        for node in range(nodes + 2):
            machines.kill(node)
            subprocess.run(["ip", "netns", "del", machines.space(node)], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"{machines.name}b"], capture_output=True, check=False)
        for each in [folder, *(f"{folder}.{node}" for node in range(nodes + 2))]:
            shutil.rmtree(each, ignore_errors=True)
