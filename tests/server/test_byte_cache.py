"""The byte cache is bounded, evicts the least recently used entry first, and is thread-safe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from modiste.server.byte_cache import ENTRY_OVERHEAD_BYTES, ByteCache


def test_least_recently_used_entry_is_evicted_first() -> None:
    cache = ByteCache(3 * (10 + ENTRY_OVERHEAD_BYTES))
    for key in "abc":
        cache.put(key, bytes(10))
    assert cache.get("a") == bytes(10)
    cache.put("d", bytes(10))
    assert [cache.get(key) is not None for key in "abcd"] == [True, False, True, True]
    assert cache.used_bytes == 3 * (10 + ENTRY_OVERHEAD_BYTES)


def test_replaced_entry_is_counted_once() -> None:
    cache = ByteCache(10_000)
    cache.put("a", bytes(100))
    cache.put("a", bytes(50))
    assert (len(cache), cache.used_bytes) == (1, 50 + ENTRY_OVERHEAD_BYTES)


def test_entry_larger_than_the_cache_is_not_stored() -> None:
    cache = ByteCache(1000)
    cache.put("a", bytes(100))
    cache.put("b", bytes(5000))
    assert (cache.get("b"), len(cache), cache.used_bytes) == (None, 0, 0)


def test_concurrent_threads_keep_the_cache_within_its_capacity() -> None:
    cache = ByteCache(20_000)

    def work(seed: int) -> None:
        for i in range(500):
            cache.put((seed * i) % 97, bytes(i % 300))
            cache.get(i % 97)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    assert cache.used_bytes <= cache.capacity_bytes
    assert cache.used_bytes == sum(
        len(cache.get(key) or b"") + ENTRY_OVERHEAD_BYTES for key in range(97) if cache.get(key) is not None
    )
