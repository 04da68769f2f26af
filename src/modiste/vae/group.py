"""A group of processes that add up numbers: torch.distributed's gloo, bound to the network that the group meets on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from torch import Tensor
from torch.distributed import (  # pyright: ignore[reportPrivateImportUsage]
    PrefixStore,  # pyright: ignore[reportPrivateImportUsage]
    ProcessGroupGloo,
    Store,  # pyright: ignore[reportPrivateImportUsage]
)


class Broken(Exception):  # noqa: N818 - named for what happened
    """One of the group is gone, or did not answer in time. Caught where groups are made, it never reaches a user."""


class Group:
    """Processes 0 to `size` - 1 of which this is `rank`, until one of them goes.

    A group of its own, not torch's default one: a program that trains may have a default group already.
    """

    def __init__(
        self, store: Store, name: str, rank: int, size: int, host: str, ready: float, patience: float
    ) -> None:
        """Meet the others under `name` in `store`. `host` is this process's address, as the others reach it.

        Raises:
            Broken: not all came within `ready` seconds. Afterwards they have `patience` seconds for each answer.
        """
        self.rank, self.size = rank, size
        # torch gives no types for what binds a group to one network.
        gloo: Any = ProcessGroupGloo
        options = gloo._Options()
        options._devices = [gloo.create_device(hostname=host)]
        options._timeout = timedelta(seconds=ready)
        try:
            self._processes: Any = gloo(PrefixStore(name, store), rank, size, options)
        except RuntimeError as error:
            raise Broken(str(error)) from None
        self._processes.set_timeout(timedelta(seconds=patience))

    def sum(self, tensor: Tensor) -> Tensor:
        """Add up a tensor, on the CPU, over the group: in place, and the same bits in each process.

        Raises:
            Broken: see the class; what the tensor holds is then of no use.
        """
        try:
            self._processes.allreduce([tensor]).wait()
        except RuntimeError as error:
            raise Broken(str(error)) from None
        return tensor

    def close(self) -> None:
        """Leave: the others, if they still wait for this process, know at once."""
        self._processes = None
