"""Elsewhere: looks of an open shop answered by its shards, as long as these are of the same version and there."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from modiste.distributed.shard_backend import ShardBackend, ShardsUnavailable
from modiste.distributed.shard_client import ShardClient
from modiste.shop.backend import Hit, Query

RETRY_SECONDS = 10.0  # seconds until shards that did not answer are asked again
DEADLINE_SECONDS = (
    5.0  # seconds for all tries of one look: the visitor waits, and the shop could answer itself
)
log = logging.getLogger("modiste.scale")


class FallbackBackend:
    """Answers the looks of one version of a shop by its shards; what they cannot answer, the shop does."""

    def __init__(self, client: ShardClient, version: str) -> None:
        """Of a shop of a version, by shards that are asked through `front`."""
        self._client = client
        self._version = version
        self._retry_at = 0.0
        self._using_shards = True

    def __call__(self, queries: Sequence[Query]) -> list[list[Hit]] | None:
        """For each look its hits, best first; None where the shards are of another version, or do not answer."""
        if time.monotonic() < self._retry_at:
            return None
        try:
            found = self._client.run(lambda shards: self._search(shards, queries))
        except ShardsUnavailable as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._log_change(using_shards=False, reason=str(error))
            return None
        self._log_change(
            using_shards=found is not None, reason="the shards are of another version of the shop"
        )
        return found

    def _search(self, shards: ShardBackend, queries: Sequence[Query]) -> list[list[Hit]] | None:
        return shards.search(queries) if shards.version == self._version else None

    def _log_change(self, *, using_shards: bool, reason: str) -> None:
        """Say it once when it changes who looks."""
        if using_shards == self._using_shards:
            return
        self._using_shards = using_shards
        if using_shards:
            log.info("the shards look for products again, version %s", self._version)
        else:
            log.warning("this server looks for products itself, version %s: %s", self._version, reason)
