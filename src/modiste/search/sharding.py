"""Sharding by a hash of the product's id, and the merge of the shards' results."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount

MAX_SHARDS = 4096

T = TypeVar("T")


def shard_of(product_id: str, shards: int) -> int:
    """Return the shard of a product, by a hash of its id alone.

    So a client needs only the id to find the shard; a product stays where it is when others are added or removed; and
    every cluster and category is spread over all shards, so that a query inside one of them uses all machines.
    """
    digest = hashlib.blake2b(product_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards


def rows_by_shard(ids: Iterable[str], shards: int) -> list[NDArray[np.intp]]:
    """Return the rows of each shard's products, in order; together they are all rows.

    Raises BadCount if the number of shards is out of range.
    """
    check_shard_count(shards)
    shard_by_row = np.fromiter((shard_of(id_, shards) for id_ in ids), np.intp)
    return [np.flatnonzero(shard_by_row == shard) for shard in range(shards)]


def check_shard_count(shards: int) -> None:
    """Raise BadCount unless the number of shards is from 1 to MAX_SHARDS."""
    if not 1 <= shards <= MAX_SHARDS:
        raise BadCount(f"The number of shards is {shards}.", remedy=f"Give 1 to {MAX_SHARDS}.")


def merge_top_k(results: Sequence[Sequence[T]], k: int, key: Callable[[T], tuple[float, str]]) -> list[T]:
    """Merge the shards' results, the `k` best of each, best first, into the `k` best, the same as on one machine.

    `key` returns a result's rank, lower is better, and the product's id. Rows are in the order of ids, so ties are
    ordered as on one machine.
    """
    return list(islice(heapq.merge(*results, key=key), k))
