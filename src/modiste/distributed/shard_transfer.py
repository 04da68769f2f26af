"""Copying a shard's files from another replica, for a version that the shop no longer has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modiste.distributed.shard_files import ShardFiles
from modiste.errors import RayClusterError
from modiste.shop.summary import ShopSummary
from modiste.storage.checksums import CHECKSUMS_FILE, verify_checksums

PART_BYTES = 16 * 2**20  # in one message
PART_TIMEOUT_S = 30.0


def download_shard(files: ShardFiles, shard: int, replicas: Any) -> None:
    """Copy the files of a shard, and the summary, from another replica to this machine.

    `replicas` is Ray Serve's handle of the shard's replicas. Raises RayClusterError if no replica answers, or the copy
    is damaged, and StorageError if the disk failed.
    """

    def fill(directory: Path) -> None:
        for name in [CHECKSUMS_FILE, *json.loads(_call(replicas.read_part, CHECKSUMS_FILE, 0))]:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                while part := _call(replicas.read_part, name, file.tell()):
                    file.write(part)
        if not verify_checksums(directory):
            raise RayClusterError(
                f"The copy of shard {shard} from another machine is damaged.", remedy="Run `modiste shards` again."
            )

    summary: tuple[ShopSummary, int] = _call(replicas.summary)
    files.install(shard, summary[0], fill)


def _call(method: Any, *arguments: Any) -> Any:
    try:
        return method.remote(*arguments).result(timeout_s=PART_TIMEOUT_S)
    except Exception as error:  # Ray raises many kinds
        raise RayClusterError(
            f"No other machine has the shard: {type(error).__name__}.", remedy="Run `modiste shards` again."
        ) from error
