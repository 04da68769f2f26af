"""RayExecutor: the items of a stage as Ray tasks, in order, retried if a machine is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from modiste._version import __version__
from modiste.distributed.ray_session import TASK_CPUS, connect, probe_head
from modiste.errors import ModisteError, RayClusterError
from modiste.parallel import ITEMS_PER_WORKER, ordered_map

Context = TypeVar("Context")
Item = TypeVar("Item")
Result = TypeVar("Result")
MAX_RETRIES = 5  # of an item whose worker dies
NO_WORKERS_TIMEOUT_S = 60.0
POLL_SECONDS = 5.0  # between counts of the workers
HEAD_TIMEOUT_S = 20.0


@contextmanager
def ray_executor(address: str) -> Generator[RayExecutor]:
    """Yield the executor of the cluster at `address`. Raises what `connect` raises."""
    with connect(address) as ray:
        yield RayExecutor(ray)


class RayExecutor:
    """An Executor on Ray's workers: one for each processor of the cluster, whose machines may come and go.

    Ray retries an item if its worker or machine dies. Each result is taken once and in order, so none is lost or
    duplicated. Every worker needs the same version of Modiste.
    """

    def __init__(self, ray: Any) -> None:
        """Create it from the module `ray`, connected."""
        self._ray = ray
        self._task = ray.remote(num_cpus=TASK_CPUS, max_retries=MAX_RETRIES, scheduling_strategy="SPREAD")(_run_item)
        self._head_address = ray.get_runtime_context().gcs_address
        self._cpu_count, self._polled_at, self._answered_at = 0, 0.0, time.monotonic()

    @property
    def workers(self) -> int:
        """The current number of workers. Raises RayClusterError if the head does not answer."""
        if time.monotonic() - self._polled_at > POLL_SECONDS or self._cpu_count == 0:
            if self._is_head_alive():
                self._cpu_count = int(self._ray.cluster_resources().get("CPU", 0))
            self._polled_at = time.monotonic()
        return self._cpu_count

    def _is_head_alive(self) -> bool:
        """Return whether the head answers. Raises RayClusterError before Ray ends the process with a stack trace."""
        try:
            probe_head(self._head_address)
        except RayClusterError:
            if time.monotonic() - self._answered_at < HEAD_TIMEOUT_S:
                return False
            raise RayClusterError(
                f"The cluster's head, {self._head_address}, has not answered for {HEAD_TIMEOUT_S:.0f} seconds.",
                remedy="Start Ray again on all machines, then run the same command again: it continues.",
            ) from None
        self._answered_at = time.monotonic()
        return True

    def map(
        self, setup: Callable[[Context], Callable[[Item], Result]], context: Context, items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield the results; see Executor. Raises RayClusterError without workers or retries left."""
        shared = self._ray.put((setup, context))
        yield from ordered_map(
            items,
            lambda item: self._task.remote([shared], __version__, item),
            self._await_result,
            lambda: ITEMS_PER_WORKER * max(self.workers, 1),
        )

    def _await_result(self, task: Any) -> Any:
        waiting_since = time.monotonic()
        while not self._ray.wait([task], timeout=POLL_SECONDS)[0]:
            if self.workers > 0:
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > NO_WORKERS_TIMEOUT_S:
                raise RayClusterError(
                    f"The cluster has had no worker for {NO_WORKERS_TIMEOUT_S:.0f} seconds.",
                    remedy="Start some with `ray start --address HEAD:6379`, then run the same command again.",
                )
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, ModisteError):
                raise cause from None
            raise RayClusterError(
                f"A worker failed: {type(cause or error).__name__}: {cause or error}.",
                remedy="Install the same Modiste with the same packages on all machines.",
            ) from error
        except self._ray.exceptions.RayError as error:
            message = str(error).strip().splitlines()[0]
            raise RayClusterError(
                f"A task was lost {MAX_RETRIES + 1} times: {message}",
                remedy="Check the memory of the workers and Ray's logs, then run the same command again.",
            ) from error


_functions: dict[str, Any] = {}  # the last function that `setup` made in this worker, by the id of its context


def _run_item(shared: list[Any], version: str, item: Any) -> Any:
    """Process one item, in a worker."""
    import ray

    if version != __version__:
        raise RayClusterError(
            f"A worker has Modiste {__version__}, this command is {version}.",
            remedy="Install the same version on every machine of the cluster.",
        )
    key = shared[0].hex()
    if key not in _functions:
        _functions.clear()
        setup, context = ray.get(shared[0])
        _functions[key] = setup(context)
    return _functions[key](item)
