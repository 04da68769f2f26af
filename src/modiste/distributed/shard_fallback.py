"""SearchBackend that asks a shop's shards first, and searches in this process if they do not answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modiste.distributed.shard_backend import ShardBackend, ShardsUnavailable
from modiste.distributed.shard_client import ShardClient
from modiste.shop.backend import Hit, Query, SearchBackend

RETRY_SECONDS = 10.0  # until shards that did not answer are asked again
DEADLINE_SECONDS = 5.0  # for all tries of one query: the visitor waits, and this process could answer
logger = logging.getLogger("modiste.distributed")


class FallbackBackend:
    """Searches one version of a shop on its shards, or in this process while they are of another version or down."""

    def __init__(self, client: ShardClient, version: str, local: SearchBackend) -> None:
        """Create a backend for a version of the shop; `local` searches in this process."""
        self._client = client
        self._version = version
        self._local = local
        self._retry_at = 0.0
        self._is_on_shards = True

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Search; see SearchBackend."""
        hits = self.search_shards(queries)
        return self._local.search(queries) if hits is None else hits

    def code_of(self, product_id: str) -> NDArray[np.float32]:
        """Return the code of a product; see SearchBackend."""
        return self._local.code_of(product_id)

    def search_shards(self, queries: Sequence[Query]) -> list[list[Hit]] | None:
        """Return the shards' hits; None if the shards are of another version or do not answer."""
        if time.monotonic() < self._retry_at:
            return None
        try:
            hits = self._client.run(lambda shards: self._search_version(shards, queries))
        except ShardsUnavailable as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._log_change(is_on_shards=False, reason=str(error))
            return None
        self._log_change(is_on_shards=hits is not None, reason="the shards are of another version of the shop")
        return hits

    def _search_version(self, shards: ShardBackend, queries: Sequence[Query]) -> list[list[Hit]] | None:
        return shards.search(queries) if shards.version == self._version else None

    def _log_change(self, *, is_on_shards: bool, reason: str) -> None:
        """Log once when searches move from the shards to this process, or back."""
        if is_on_shards == self._is_on_shards:
            return
        self._is_on_shards = is_on_shards
        if is_on_shards:
            logger.info("searching on the shards again, version %s", self._version)
        else:
            logger.warning("searching in this server, version %s: %s", self._version, reason)
