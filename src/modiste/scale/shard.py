"""Shard: one replica of one shard, in a process of Ray's."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import ClusterError, UnknownProduct
from modiste.scale.packing import pack_one
from modiste.search.index import warm
from modiste.shop.looking import Hit, Look
from modiste.shop.packs import Packs
from modiste.shop.whole import Whole

log = logging.getLogger("ray.serve")  # whose lines are in the replica's own file


class Shard:
    """The products of one shard, in this process. It answers for one version of the shop, and says which."""

    def __init__(self, place: str, version: str, shard: int, shards: int, *_others: Any) -> None:
        """Load the shard from its pack on this machine, which is made of the shop at `place` where there is none.

        The first is given the handles of the others, which makes them one application.
        """
        packs = Packs(place, version, shards)
        whole = _packed(packs, shard)
        shelf = packs.open(shard, whole)
        if shelf is None:
            raise ClusterError(f"{packs.path(shard)} is damaged.", remedy="Remove it: it is made anew.")
        warm()
        self._version, self._shelf, self._whole, self._shards = version, shelf, whole, shards
        # Whatever visitors ask is nobody's business: this line, and what fails, is all that a replica logs.
        log.info("shard %d of %d, version %s: %d products are ready", shard, shards, version, len(shelf))

    async def whole(self) -> tuple[Whole, int]:
        """What is known of the whole shop, and into how many shards it is split."""
        return self._whole, self._shards

    async def look(self, looks: Sequence[Look]) -> tuple[str, list[list[Hit]]]:
        """The version, and for each look its hits among the shard's products, best first."""
        return self._version, await asyncio.to_thread(self._shelf.look, looks)

    async def code_of(self, product_id: str) -> tuple[str, NDArray[np.float32] | None]:
        """The version, and the code of a product, `(n,)`; None where there is none."""
        try:
            return self._version, self._shelf.code_of(product_id)
        except UnknownProduct:
            return self._version, None

    async def about(self) -> dict[str, Any]:
        """What it has: products, process and the memory that it takes, of which mapped files may be others' too."""
        return {"products": len(self._shelf), "process": os.getpid(), "bytes": _resident()}


def _packed(packs: Packs, shard: int) -> Whole:
    """What is known of the whole, once a shard is packed on this machine. Raises ClusterError, and what `pack` does."""
    whole = packs.whole()
    if whole is None or not packs.path(shard).is_dir():
        pack_one(packs, shard)
        whole = packs.whole()
    if whole is None:
        raise ClusterError(f"{packs.root} is damaged.", remedy="Remove it: it is made anew.")
    return whole


def _resident() -> int:
    """The memory of this process, in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as held:  # noqa: PTH123
            return int(held.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
