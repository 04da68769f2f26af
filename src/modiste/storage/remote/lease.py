"""The lease: who writes to a shop on object storage, so that a second writer hears of it before its work, not after.

It is a courtesy. What keeps two writers apart is that shop.json is only replaced by whoever has read it as it is; a
lease that is lost, or taken over too soon, costs a writer its commit and never the shop anything.
"""

from __future__ import annotations

import json
import platform
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from modiste.errors import ModisteError, ShopBusy
from modiste.storage.object_store import ETag, ObjectStore

LEASE_OBJECT = "writer.json"
CLOCK_OBJECT = "writer.clock"
HEARTBEAT_SECONDS = 30.0  # seconds between two signs of life
EXPIRY_SECONDS = 120.0  # seconds without one, after which a writer counts as dead


@contextmanager
def hold_lease(objects: ObjectStore, writer: str) -> Generator[None]:
    """Hold the lease of a shop. `holder` is of a directory that its process alone works in: a lease that it left
    behind, it takes again at once.

    Raises:
        ShopBusy: another writer, elsewhere, holds it.
        StorageError: the store refuses.
    """
    lease = _Lease(objects, writer)
    lease.acquire()
    beating = threading.Thread(target=lease.send_heartbeats, name="lease", daemon=True)
    beating.start()
    try:
        yield
    finally:
        lease.stopped.set()
        beating.join()
        lease.release()


class _Lease:
    def __init__(self, objects: ObjectStore, holder: str) -> None:
        self.objects = objects
        self.record: dict[str, Any] = {"holder": holder, "host": platform.node(), "beat": 0}
        self.record["since"] = datetime.now(UTC).isoformat(timespec="microseconds")
        self.tag: ETag | None = None
        self.stopped = threading.Event()

    def acquire(self) -> None:
        for _ in range(2):  # again where it was given back between two looks
            self.tag = self._write(None)
            found = None if self.tag is not None else self.objects.get(LEASE_OBJECT)
            if found is not None:
                self._raise_if_held(found[0])
                self.tag = self._write(found[1])
            if self.tag is not None:
                return
        raise self._busy_error({}, 0.0)

    def _raise_if_held(self, data: bytes) -> None:
        try:
            said: dict[str, Any] = dict(json.loads(data))
        except (ValueError, TypeError):
            return  # nobody's
        if said.get("holder") == self.record["holder"]:
            return
        self.objects.put(CLOCK_OBJECT, b"")  # by the store's clock, whatever those of the writers say
        now, written = self.objects.last_modified(CLOCK_OBJECT), self.objects.last_modified(LEASE_OBJECT)
        silent = (now - written).total_seconds() if now is not None and written is not None else 0.0
        if silent < EXPIRY_SECONDS:
            raise self._busy_error(said, silent)

    def _busy_error(self, said: dict[str, Any], silent: float) -> ShopBusy:
        host, since = str(said.get("host", "another machine"))[:80], str(said.get("since", "now"))[:19]
        return ShopBusy(
            f"Another process is writing to {self.objects.url}: on {host}, since {since} UTC, "
            f"last heard of {silent:.0f} s ago.",
            remedy="Wait until it has ended, then run the same command again. If it is dead, the shop is free "
            f"{EXPIRY_SECONDS:.0f} s after it was last heard of.",
        )

    def _write(self, tag: ETag | None) -> ETag | None:
        return self.objects.conditional_put(LEASE_OBJECT, json.dumps(self.record).encode(), tag)

    def send_heartbeats(self) -> None:
        """Give signs of life until the end, or until another has taken the lease."""
        while self.tag is not None and not self.stopped.wait(HEARTBEAT_SECONDS):
            self.record["beat"] += 1
            with suppress(ModisteError):  # the next may get through
                self.tag = self._write(self.tag)

    def release(self) -> None:
        with suppress(ModisteError):  # it ends by itself
            found = self.objects.get(LEASE_OBJECT)
            if found is not None and found[1] == self.tag:
                self.objects.delete([LEASE_OBJECT])
