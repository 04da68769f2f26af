"""An advisory writer lease: a second writer learns before its work that another is writing, not at its commit.

The lease does not protect the shop. A writer replaces shop.json only if it is unchanged since the writer read it; a
lease that is lost, or taken over too soon, costs a writer its commit and never damages the shop.
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
HEARTBEAT_SECONDS = 30.0
EXPIRY_SECONDS = 120.0  # without a heartbeat; then another writer may take the lease


@contextmanager
def hold_lease(objects: ObjectStore, writer: str) -> Generator[None]:
    """Hold the lease of a shop during the block.

    `writer` is the id of a directory that only this process works in. A lease that a killed process of the same
    directory left behind is taken over at once. Raises ShopBusy if another writer has the lease, and StorageError if
    the object store refuses.
    """
    lease = _Lease(objects, writer)
    lease.acquire()
    heartbeat = threading.Thread(target=lease.send_heartbeats, name="lease", daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        lease.stopped.set()
        heartbeat.join()
        lease.release()


class _Lease:
    def __init__(self, objects: ObjectStore, writer: str) -> None:
        self.objects = objects
        self.record: dict[str, Any] = {"holder": writer, "host": platform.node(), "beat": 0}
        self.record["since"] = datetime.now(UTC).isoformat(timespec="microseconds")
        self.tag: ETag | None = None
        self.stopped = threading.Event()

    def acquire(self) -> None:
        """Take the lease. Raises ShopBusy."""
        for _ in range(2):  # once more if it was released between the two requests
            self.tag = self._write(None)
            current = None if self.tag is not None else self.objects.get(LEASE_OBJECT)
            if current is not None:
                self._raise_if_held(current[0])
                self.tag = self._write(current[1])
            if self.tag is not None:
                return
        raise self._busy_error({}, 0.0)

    def _raise_if_held(self, data: bytes) -> None:
        try:
            record: dict[str, Any] = dict(json.loads(data))
        except (ValueError, TypeError):
            return  # not a lease
        if record.get("holder") == self.record["holder"]:
            return
        self.objects.put(CLOCK_OBJECT, b"")  # to measure by the store's clock, not by those of the writers
        now, written = self.objects.last_modified(CLOCK_OBJECT), self.objects.last_modified(LEASE_OBJECT)
        age = (now - written).total_seconds() if now is not None and written is not None else 0.0
        if age < EXPIRY_SECONDS:
            raise self._busy_error(record, age)

    def _busy_error(self, record: dict[str, Any], age: float) -> ShopBusy:
        host, since = str(record.get("host", "another machine"))[:80], str(record.get("since", "now"))[:19]
        return ShopBusy(
            f"Another process is writing to {self.objects.url}: on {host}, since {since} UTC, "
            f"with its last heartbeat {age:.0f} s ago.",
            remedy="Wait until it has ended, then run the same command again. If it was killed, the shop is free "
            f"{EXPIRY_SECONDS:.0f} s after its last heartbeat.",
        )

    def _write(self, tag: ETag | None) -> ETag | None:
        return self.objects.conditional_put(LEASE_OBJECT, json.dumps(self.record).encode(), tag)

    def send_heartbeats(self) -> None:
        """Renew the lease until it is stopped, or another writer has taken it."""
        while self.tag is not None and not self.stopped.wait(HEARTBEAT_SECONDS):
            self.record["beat"] += 1
            with suppress(ModisteError):  # the next one may succeed
                self.tag = self._write(self.tag)

    def release(self) -> None:
        """Delete the lease if it is still ours; if that fails, it expires."""
        with suppress(ModisteError):
            current = self.objects.get(LEASE_OBJECT)
            if current is not None and current[1] == self.tag:
                self.objects.delete([LEASE_OBJECT])
