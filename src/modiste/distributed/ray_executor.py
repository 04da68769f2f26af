"""RayFleet: pieces of a stage as Ray tasks, few at once, in order, done again where a machine was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from modiste._version import __version__
from modiste.distributed.ray_session import TASK_CPUS, connect, probe_head
from modiste.errors import ClusterError, ModisteError
from modiste.parallel import ITEMS_PER_WORKER, ordered_map

Given = TypeVar("Given")
Piece = TypeVar("Piece")
Done = TypeVar("Done")
MAX_RETRIES = 5  # of a piece whose worker dies, after the first
NO_WORKERS_TIMEOUT_S = 60.0  # seconds to wait for a cluster without workers
POLL_SECONDS = 5.0  # seconds between looks at how many there are
HEAD_TIMEOUT_S = 20.0  # seconds without an answer of the head after which it is given up


@contextmanager
def ray_executor(address: str) -> Generator[RayExecutor]:
    """The workers of the cluster at `address`. Raises what `connected` raises."""
    with connect(address) as ray:
        yield RayExecutor(ray)


class RayExecutor:
    """A Fleet of Ray's workers: one for each processor of the cluster, which may come and go.

    Ray does a piece again where its worker or machine dies; since a piece's answer is taken once, and in order,
    nothing is lost and nothing doubled. Workers need Modiste installed, of the same version.
    """

    def __init__(self, ray: Any) -> None:
        """`ray` is the module, connected."""
        self._ray = ray
        self._task = ray.remote(num_cpus=TASK_CPUS, max_retries=MAX_RETRIES, scheduling_strategy="SPREAD")(
            _run_item
        )
        self._head_address = ray.get_runtime_context().gcs_address
        self._cpu_count, self._polled_at, self._answered_at = 0, 0.0, time.monotonic()

    @property
    def workers(self) -> int:
        """How many there are now. Raises ClusterError where the head is away."""
        if time.monotonic() - self._polled_at > POLL_SECONDS or self._cpu_count == 0:
            if self._is_head_alive():
                self._cpu_count = int(self._ray.cluster_resources().get("CPU", 0))
            self._polled_at = time.monotonic()
        return self._cpu_count

    def _is_head_alive(self) -> bool:
        """Whether the head answers. Ray ends the process, with a stack trace, where it has not for a minute."""
        try:
            probe_head(self._head_address)
        except ClusterError:
            if time.monotonic() - self._answered_at < HEAD_TIMEOUT_S:
                return False
            raise ClusterError(
                f"The head of the cluster, at {self._head_address}, has not answered for {HEAD_TIMEOUT_S:.0f} seconds.",
                remedy="Start Ray again on all machines, then run the same command again: it goes on where it was.",
            ) from None
        self._answered_at = time.monotonic()
        return True

    def map(
        self, setup: Callable[[Given], Callable[[Piece], Done]], context: Given, items: Iterable[Piece]
    ) -> Iterator[Done]:
        """See Fleet. Raises ClusterError where there is no worker, or one that dies of every try."""
        shared = self._ray.put((setup, context))
        yield from ordered_map(
            items,
            lambda piece: self._task.remote([shared], __version__, piece),
            self._await_result,
            lambda: ITEMS_PER_WORKER * max(self.workers, 1),
        )

    def _await_result(self, task: Any) -> Any:
        began = time.monotonic()
        while not self._ray.wait([task], timeout=POLL_SECONDS)[0]:
            if self.workers > 0:
                began = time.monotonic()
            elif time.monotonic() - began > NO_WORKERS_TIMEOUT_S:
                raise ClusterError(
                    f"The cluster has had no worker for {NO_WORKERS_TIMEOUT_S:.0f} seconds.",
                    remedy="Start some with `ray start --address HEAD:6379`, then run the same command again.",
                )
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, ModisteError):
                raise cause from None
            raise ClusterError(
                f"A worker failed: {type(cause or error).__name__}: {cause or error}.",
                remedy="See that all machines have the same Modiste with the same packages.",
            ) from error
        except self._ray.exceptions.RayError as error:
            first = str(error).strip().splitlines()[0]
            raise ClusterError(
                f"A piece of the work was lost {MAX_RETRIES + 1} times: {first}",
                remedy="See the memory of the workers, and Ray's logs; then run the same command again.",
            ) from error


_functions: dict[str, Any] = {}  # what this worker's process has made of what it was given last


def _run_item(shared: list[Any], version: str, item: Any) -> Any:
    """A piece, in a worker's process."""
    import ray

    if version != __version__:
        raise ClusterError(
            f"A worker has Modiste {__version__}, this command is {version}.",
            remedy="Install the same version on every machine of the cluster.",
        )
    key = shared[0].hex()
    if key not in _functions:
        _functions.clear()
        begin, given = ray.get(shared[0])
        _functions[key] = begin(given)
    return _functions[key](item)
