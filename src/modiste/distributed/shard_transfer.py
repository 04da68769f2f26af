"""Fetching a pack from a replica that has it: the shop itself may be of another version by now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modiste.distributed.shard_files import ShardFiles
from modiste.errors import ClusterError
from modiste.shop.summary import ShopSummary
from modiste.storage.checksums import CHECKSUMS_FILE, verify_checksums

PART_BYTES = 16 * 2**20  # bytes that travel at once
PART_TIMEOUT_S = 30.0  # seconds for a part of them


def download_shard(files: ShardFiles, shard: int, replicas: Any) -> None:
    """Put the pack of a shard, as a replica of it has it, among those of this machine, and what is known of the whole.

    Args:
        replicas: the handle, as Ray Serve gives it, of what has the methods `summary` and `read_part` of ShardReplica.

    Raises:
        ClusterError: none of them answers, or what came is not what it has.
        StorageError: the disk refused.
    """

    def fill(directory: Path) -> None:
        for name in [CHECKSUMS_FILE, *json.loads(_call(replicas.read_part, CHECKSUMS_FILE, 0))]:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                while part := _call(replicas.read_part, name, file.tell()):
                    file.write(part)
        if not verify_checksums(directory):
            raise ClusterError(
                f"Shard {shard} came damaged from another machine.", remedy="Run `modiste shards` again."
            )

    whole: tuple[ShopSummary, int] = _call(replicas.summary)
    files.install(shard, whole[0], fill)


def _call(method: Any, *given: Any) -> Any:
    try:
        return method.remote(*given).result(timeout_s=PART_TIMEOUT_S)
    except Exception as error:  # whatever it is that Ray raises
        raise ClusterError(
            f"No other machine has the shard: {type(error).__name__}.", remedy="Run `modiste shards` again."
        ) from error
