"""ByteCache: answers kept by key, the least recently used thrown out first; bounded in bytes, shared by threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

OVERHEAD = 200  # bytes that an entry takes beside its own: the dictionary's, the key's, the object's


class ByteCache:
    """At most `capacity` bytes of answers; one that is larger than that is not kept."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._held: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """What is kept for a key, which counts as used now; None if nothing is."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: Hashable, value: bytes) -> None:
        """Keep a value, and let go of the longest unused ones until all fit."""
        with self._lock:
            before = self._held.pop(key, None)
            if before is not None:
                self._size -= len(before) + OVERHEAD
            self._held[key] = value
            self._size += len(value) + OVERHEAD
            while self._size > self.capacity:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone) + OVERHEAD

    @property
    def size(self) -> int:
        """Bytes taken, overhead included."""
        return self._size

    def __len__(self) -> int:
        return len(self._held)
