"""Shards: which of a catalogue's products each of several machines has, and one answer made of all of theirs."""

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
    """The shard that has a product: by a hash of its id alone.

    So whoever knows the id knows where to ask; a product stays where it is when others come and go; and every cluster,
    category and time of adding is spread over all shards, so that a question inside one of them has all at work.
    """
    told = hashlib.blake2b(product_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(told, "big") % shards


def rows_by_shard(ids: Iterable[str], shards: int) -> list[NDArray[np.intp]]:
    """The rows of each shard's products, in order; together every row once.

    Raises:
        BadCount: there are to be no shards, or too many.
    """
    check_shard_count(shards)
    of = np.fromiter((shard_of(each, shards) for each in ids), np.intp)
    return [np.flatnonzero(of == each) for each in range(shards)]


def check_shard_count(shards: int) -> None:
    """Raise BadCount where a catalogue cannot be split into so many."""
    if not 1 <= shards <= MAX_SHARDS:
        raise BadCount(f"{shards} shards were asked for.", remedy=f"Give 1 to {MAX_SHARDS}.")


def merge_top_k(answers: Sequence[Sequence[T]], k: int, key: Callable[[T], tuple[float, str]]) -> list[T]:
    """The `k` best of what several shards found, each with its own best `k` first: what one machine would find.

    Args:
        order: what a product is ordered by: the lower the better, then its id. Rows are in the order of ids, so ties
            come as on one machine.
    """
    return list(islice(heapq.merge(*answers, key=key), k))
