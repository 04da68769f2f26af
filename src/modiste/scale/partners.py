"""RayPartners: processes on the machines of a cluster that train along with this one."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from modiste.errors import ClusterError, MissingExtra, ModisteError
from modiste.scale.cluster import reach
from modiste.scale.room import SHARE

if TYPE_CHECKING:
    from modiste.vae.messages import Meeting


@contextmanager
def ray_partners(ray: Any) -> Generator[RayPartners]:
    """Partners by `ray`, the module, connected; what is left of them afterwards is stopped."""
    made = RayPartners(ray)
    try:
        yield made
    finally:
        made.stop()


class RayPartners:
    """The Partners that a training asks for: one on each other machine, with all its processors.

    Where this machine is the only one, one on half of its processors; this process keeps to the other half.
    """

    def __init__(self, ray: Any) -> None:
        """`ray` is the module, connected."""
        self._ray = ray
        self.host = str(ray.util.get_node_ip_address())
        self._head = ray.get_runtime_context().gcs_address
        self._here = str(ray.get_runtime_context().get_node_id())
        self._at: dict[str, Any] = {}  # by machine, the task that is its partner
        processors = self._processors()
        self._half = processors.get(self._here, 0) // 2 if len(processors) == 1 else 0
        self.threads: int | None = processors[self._here] - self._half if self._half else None
        self._part = ray.remote(max_retries=0)(_part)

    def start(self, meeting: Meeting) -> None:
        """See Partners. Raises MissingExtra where a machine has no PyTorch."""
        self._look()
        if not self._is_head_there():
            return  # who is here goes on without more
        places = {node: count for node, count in self._processors().items() if node != self._here}
        if self._half:
            places[self._here] = self._half
        for node, count in places.items():
            if node in self._at or count < 1:
                continue
            there = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
            # Not all that it uses: where another has a little of the machine, it would wait without end.
            task = self._part.options(num_cpus=SHARE, scheduling_strategy=there)
            self._at[node] = task.remote(meeting.host, meeting.port, meeting.key, count)

    def running(self) -> int:
        """See Partners. Raises MissingExtra where a machine has no PyTorch."""
        self._look()
        return len(self._at)

    def stop(self) -> None:
        """Stop those that still run."""
        for task in self._at.values():
            with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.cancel(task, force=True)
        self._at.clear()

    def _is_head_there(self) -> bool:
        try:
            reach(self._head)
        except ClusterError:
            return False
        return True

    def _processors(self) -> dict[str, int]:
        """Of each machine that is there."""
        return {
            node["NodeID"]: int(node["Resources"].get("CPU", 0))
            for node in self._ray.nodes()
            if node["Alive"]
        }

    def _look(self) -> None:
        """Forget those that have ended: of a machine that died, or by a fault that is to be told."""
        for node, task in list(self._at.items()):
            if self._ray.wait([task], timeout=0)[0]:
                del self._at[node]
                try:
                    self._ray.get(task)
                except self._ray.exceptions.RayTaskError as error:
                    cause = getattr(error, "cause", None)
                    if isinstance(cause, ModisteError):
                        raise cause from None
                except self._ray.exceptions.RayError:
                    pass  # the machine, or the process, is gone; whoever trains has seen that


def _part(host: str, port: int, key: bytes, threads: int) -> None:
    """A partner's process."""
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingExtra(
            "A machine of the cluster has no PyTorch.", remedy="Run `pip install 'modiste[train]'` on each."
        )
    from modiste.vae.messages import Meeting
    from modiste.vae.partner import take_part

    take_part(Meeting(host, port, key), threads)
