"""ShardReplica: one replica of one shard, in a process of Ray Serve."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.distributed.shard_builder import build_shard
from modiste.distributed.shard_files import ShardFiles
from modiste.distributed.shard_transfer import PART_BYTES, download_shard
from modiste.errors import RayClusterError, ShopIncomplete, StaleError, UnknownProduct
from modiste.search.index import warm_up_kernels
from modiste.shop.backend import Hit, LocalBackend, Query
from modiste.shop.summary import ShopSummary

logger = logging.getLogger("ray.serve")  # writes to the replica's own log file


class ShardReplica:
    """The products of one shard of one version of a shop. Answers to searches include the version."""

    def __init__(self, location: str, version: str, shard: int, shards: int, *_others: Any) -> None:
        """Load the shard from its files on this machine, which are built if they are missing.

        The first replica gets the handles of the others, which makes them one application.
        """
        files = ShardFiles(location, version, shards)
        summary, backend = _load(files, shard)
        self._directory = files.path(shard)
        warm_up_kernels()
        code = summary.code_bounds.mean(axis=1).astype(np.float32)
        backend.search([Query(code, 1, "likelihood", "euclidean", summary.tau, 0, source_cluster=0)])
        self._version, self._backend, self._summary, self._shards = version, backend, summary, shards
        # Queries are private: a replica logs only this line and failures.
        logger.info("shard %d of %d, version %s: %d products are ready", shard, shards, version, len(backend))

    async def summary(self) -> tuple[ShopSummary, int]:
        """Return the summary of the shop and the number of its shards."""
        return self._summary, self._shards

    async def search(self, queries: Sequence[Query]) -> tuple[str, list[list[Hit]]]:
        """Return the version, and the hits of each query among the shard's products, best first."""
        return self._version, await asyncio.to_thread(self._backend.search, queries)

    async def code_of(self, product_id: str) -> tuple[str, NDArray[np.float32] | None]:
        """Return the version, and the code of a product, `(n,)`, or None if the shard does not have it."""
        try:
            return self._version, self._backend.code_of(product_id)
        except UnknownProduct:
            return self._version, None

    async def ping(self, _nothing: None) -> tuple[str, None]:
        """Return the version, as a sign that this replica answers."""
        return self._version, None

    async def read_part(self, name: str, start: int) -> bytes:
        """Return bytes of one of the shard's files from an offset; none at its end."""

        def read() -> bytes:
            with (self._directory / name).open("rb") as file:
                file.seek(start)
                return file.read(PART_BYTES)

        return await asyncio.to_thread(read)

    async def status(self) -> dict[str, Any]:
        """Return the number of products, the process id and its resident memory, which includes shared mapped files."""
        return {"products": len(self._backend), "process": os.getpid(), "bytes": _resident_bytes()}


def _load(files: ShardFiles, shard: int) -> tuple[ShopSummary, LocalBackend]:
    """Load the summary and a shard; files that are missing or damaged are built again.

    If the shop has another version by now, the files are copied from another replica. Raises RayClusterError, and what
    `build_shard` raises.
    """
    loaded = _open_files(files, shard)
    if loaded is None:
        try:
            build_shard(files, shard)
        except (StaleError, ShopIncomplete):  # ShopIncomplete: the shop is being changed
            # In a thread, since this runs in an event loop, which must not wait for other replicas.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(download_shard, files, shard, _other_replicas()).result()
        loaded = _open_files(files, shard)
    if loaded is None:
        raise RayClusterError(
            f"{files.path(shard)} is damaged, also after it was built again.", remedy="Check this machine's disk."
        )
    return loaded


def _other_replicas() -> Any:
    """Return the handle of this replica's shard, which reaches the replicas that run already."""
    from ray import serve

    context = serve.get_replica_context()
    return serve.get_deployment_handle(context.deployment, app_name=context.app_name)


def _open_files(files: ShardFiles, shard: int) -> tuple[ShopSummary, LocalBackend] | None:
    summary = files.summary()
    backend = None if summary is None else files.open(shard, summary)
    return None if summary is None or backend is None else (summary, backend)


def _resident_bytes() -> int:
    """Return the resident memory of this process in bytes; 0 if the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
