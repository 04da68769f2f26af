"""Fetching a pack from a replica that has it: the shop itself may be of another version by now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modiste.distributed.shard_files import Packs
from modiste.errors import ClusterError
from modiste.shop.summary import Whole
from modiste.storage.checksums import SUMS, is_proven

PART = 16 * 2**20  # bytes that travel at once
PATIENCE = 30.0  # seconds for a part of them


def fetch(packs: Packs, shard: int, replicas: Any) -> None:
    """Put the pack of a shard, as a replica of it has it, among those of this machine, and what is known of the whole.

    Args:
        replicas: the handle, as Ray Serve gives it, of what has the methods `whole` and `part` of Shard.

    Raises:
        ClusterError: none of them answers, or what came is not what it has.
        StorageError: the disk refused.
    """

    def fill(directory: Path) -> None:
        for name in [SUMS, *json.loads(_asked(replicas.part, SUMS, 0))]:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                while part := _asked(replicas.part, name, file.tell()):
                    file.write(part)
        if not is_proven(directory):
            raise ClusterError(
                f"Shard {shard} came damaged from another machine.", remedy="Run `modiste shards` again."
            )

    whole: tuple[Whole, int] = _asked(replicas.whole)
    packs.put(shard, whole[0], fill)


def _asked(method: Any, *given: Any) -> Any:
    try:
        return method.remote(*given).result(timeout_s=PATIENCE)
    except Exception as error:  # whatever it is that Ray raises
        raise ClusterError(
            f"No other machine has the shard: {type(error).__name__}.", remedy="Run `modiste shards` again."
        ) from error
