"""Shard: one replica of one shard, in a process of Ray's."""

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
from modiste.errors import (
    ClusterError,
    ShopIncomplete,
    StaleError,
    UnknownProduct,
)
from modiste.search.index import warm_up_kernels
from modiste.shop.backend import Hit, LocalBackend, Query
from modiste.shop.summary import ShopSummary

log = logging.getLogger("ray.serve")  # whose lines are in the replica's own file


class ShardReplica:
    """The products of one shard, in this process. It answers for one version of the shop, and says which."""

    def __init__(self, location: str, version: str, shard: int, shards: int, *_others: Any) -> None:
        """Load the shard from its pack on this machine, which is made of the shop at `place` where there is none.

        The first is given the handles of the others, which makes them one application.
        """
        packs = ShardFiles(location, version, shards)
        whole, shelf = _load(packs, shard)
        self._directory = packs.path(shard)
        warm_up_kernels()
        code = whole.code_bounds.mean(axis=1).astype(np.float32)
        shelf.search([Query(code, 1, "likelihood", "euclidean", whole.tau, 0, source_cluster=0)])
        self._version, self._backend, self._summary, self._shards = version, shelf, whole, shards
        # Whatever visitors ask is nobody's business: this line, and what fails, is all that a replica logs.
        log.info("shard %d of %d, version %s: %d products are ready", shard, shards, version, len(shelf))

    async def summary(self) -> tuple[ShopSummary, int]:
        """What is known of the whole shop, and into how many shards it is split."""
        return self._summary, self._shards

    async def search(self, queries: Sequence[Query]) -> tuple[str, list[list[Hit]]]:
        """The version, and for each look its hits among the shard's products, best first."""
        return self._version, await asyncio.to_thread(self._backend.search, queries)

    async def code_of(self, product_id: str) -> tuple[str, NDArray[np.float32] | None]:
        """The version, and the code of a product, `(n,)`; None where there is none."""
        try:
            return self._version, self._backend.code_of(product_id)
        except UnknownProduct:
            return self._version, None

    async def ping(self, _nothing: None) -> tuple[str, None]:
        """The version: whoever hears it knows that this replica answers."""
        return self._version, None

    async def read_part(self, name: str, start: int) -> bytes:
        """Some bytes of a file of the pack, from a place in it on; none at its end."""

        def read() -> bytes:
            with (self._directory / name).open("rb") as file:
                file.seek(start)
                return file.read(PART_BYTES)

        return await asyncio.to_thread(read)

    async def status(self) -> dict[str, Any]:
        """What it has: products, process and the memory that it takes, of which mapped files may be others' too."""
        return {"products": len(self._backend), "process": os.getpid(), "bytes": _resident_bytes()}


def _load(files: ShardFiles, shard: int) -> tuple[ShopSummary, LocalBackend]:
    """What is known of the whole, and a shard, which is packed on this machine where that was not done, or is damaged.

    Once the shop is of another version it is fetched from a replica that has it. Raises ClusterError, and what `pack`
    does.
    """
    found = _open_files(files, shard)
    if found is None:
        try:
            build_shard(files, shard)
        except (StaleError, ShopIncomplete):  # which it is in the midst of a change too
            # A replica is made in a loop, where one may not wait for others.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(download_shard, files, shard, _other_replicas()).result()
        found = _open_files(files, shard)
    if found is None:
        raise ClusterError(
            f"{files.path(shard)} is damaged, and was so again when it was made anew.",
            remedy="See whether this machine's disk is sound.",
        )
    return found


def _other_replicas() -> Any:
    """The handle of this replica's shard, by which those answer that are made already."""
    from ray import serve

    here = serve.get_replica_context()
    return serve.get_deployment_handle(here.deployment, app_name=here.app_name)


def _open_files(files: ShardFiles, shard: int) -> tuple[ShopSummary, LocalBackend] | None:
    whole = files.summary()
    shelf = None if whole is None else files.open(shard, whole)
    return None if whole is None or shelf is None else (whole, shelf)


def _resident_bytes() -> int:
    """The memory of this process, in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as held:  # noqa: PTH123
            return int(held.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
