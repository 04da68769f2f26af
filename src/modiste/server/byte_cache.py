"""A thread-safe LRU cache that is bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

ENTRY_OVERHEAD_BYTES = 200  # of the dictionary, the key and the object


class ByteCache:
    """LRU cache of byte strings, at most `capacity_bytes` in total. A larger value is not kept."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._used_bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Return the value of a key, which counts as used now; None if there is none."""
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def put(self, key: Hashable, value: bytes) -> None:
        """Store a value, and evict the least recently used ones until all fit."""
        with self._lock:
            old = self._entries.pop(key, None)
            if old is not None:
                self._used_bytes -= len(old) + ENTRY_OVERHEAD_BYTES
            self._entries[key] = value
            self._used_bytes += len(value) + ENTRY_OVERHEAD_BYTES
            while self._used_bytes > self.capacity_bytes:
                _, evicted = self._entries.popitem(last=False)
                self._used_bytes -= len(evicted) + ENTRY_OVERHEAD_BYTES

    @property
    def used_bytes(self) -> int:
        """Bytes in use, overhead included."""
        return self._used_bytes

    def __len__(self) -> int:
        return len(self._entries)
