"""ByteCache: answers kept by key, the least recently used thrown out first; bounded in bytes, shared by threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

ENTRY_OVERHEAD_BYTES = (
    200  # bytes that an entry takes beside its own: the dictionary's, the key's, the object's
)


class ByteCache:
    """At most `capacity` bytes of answers; one that is larger than that is not kept."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._used_bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """What is kept for a key, which counts as used now; None if nothing is."""
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: Hashable, value: bytes) -> None:
        """Keep a value, and let go of the longest unused ones until all fit."""
        with self._lock:
            before = self._entries.pop(key, None)
            if before is not None:
                self._used_bytes -= len(before) + ENTRY_OVERHEAD_BYTES
            self._entries[key] = value
            self._used_bytes += len(value) + ENTRY_OVERHEAD_BYTES
            while self._used_bytes > self.capacity_bytes:
                _, gone = self._entries.popitem(last=False)
                self._used_bytes -= len(gone) + ENTRY_OVERHEAD_BYTES

    @property
    def used_bytes(self) -> int:
        """Bytes taken, overhead included."""
        return self._used_bytes

    def __len__(self) -> int:
        return len(self._entries)
