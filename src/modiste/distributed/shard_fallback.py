"""Elsewhere: looks of an open shop answered by its shards, as long as these are of the same version and there."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from modiste.distributed.shard_backend import Gone, Sharded
from modiste.distributed.shard_client import Front
from modiste.shop.backend import Hit, Look

REST = 10.0  # seconds until shards that did not answer are asked again
DEADLINE = 5.0  # seconds for all tries of one look: the visitor waits, and the shop could answer itself
log = logging.getLogger("modiste.scale")


class ByShards:
    """Answers the looks of one version of a shop by its shards; what they cannot answer, the shop does."""

    def __init__(self, front: Front, version: str) -> None:
        """Of a shop of a version, by shards that are asked through `front`."""
        self._front = front
        self._version = version
        self._rests_until = 0.0
        self._by_shards = True

    def __call__(self, looks: Sequence[Look]) -> list[list[Hit]] | None:
        """For each look its hits, best first; None where the shards are of another version, or do not answer."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            found = self._front.ask(lambda shards: self._of(shards, looks))
        except Gone as error:
            self._rests_until = time.monotonic() + REST
            self._tell(by_shards=False, why=str(error))
            return None
        self._tell(by_shards=found is not None, why="the shards are of another version of the shop")
        return found

    def _of(self, shards: Sharded, looks: Sequence[Look]) -> list[list[Hit]] | None:
        return shards.look(looks) if shards.version == self._version else None

    def _tell(self, *, by_shards: bool, why: str) -> None:
        """Say it once when it changes who looks."""
        if by_shards == self._by_shards:
            return
        self._by_shards = by_shards
        if by_shards:
            log.info("the shards look for products again, version %s", self._version)
        else:
            log.warning("this server looks for products itself, version %s: %s", self._version, why)
