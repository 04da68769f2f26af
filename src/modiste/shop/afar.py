"""Photos prepared by a fleet: their bytes travel to the workers, who fetch those that are elsewhere themselves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from modiste.catalogue.record import Record, Rejection, Url
from modiste.errors import PhotoError
from modiste.shop.copies import cache
from modiste.shop.fleet import Fleet, in_order
from modiste.shop.prepare import Item, Outcome, Preparer, Unchanged, read_file

READERS = 8  # files read at once
PIECE, PIECE_BYTES = 256, 8 * 2**20  # records, and bytes of photos, that a worker gets at once

Known = dict[str, str]  # the source hash of products that the store has, by id
Work = tuple[list[Item], Known]


def prepare_afar(fleet: Fleet, preparer: Preparer, items: Iterator[Record | Rejection]) -> Iterator[Outcome]:
    """What `preparer.run` yields, in the same order, prepared by the fleet's workers.

    This process reads what is in files, and workers need not see them. Each worker's machine keeps what it has fetched,
    and is to a photo's host a client of its own. Raises ClusterError.
    """
    for outcomes in fleet.each(_preparer, (preparer.frame, preparer.background), _pieces(preparer, items)):
        yield from outcomes


def _pieces(preparer: Preparer, items: Iterator[Record | Rejection]) -> Iterator[Work]:
    held: list[Item] = []
    known: Known = {}
    size = 0
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        read = in_order(
            items, lambda item: pool.submit(_read, preparer, item), Future.result, lambda: 2 * READERS
        )
        for item in read:
            held.append(item)
            if isinstance(item, Record):
                size += len(item.photo) if isinstance(item.photo, bytes) else 0
                if (hashed := preparer.known(item.id)) is not None:
                    known[item.id] = hashed
            if len(held) >= PIECE or size >= PIECE_BYTES:
                yield held, known
                held, known, size = [], {}, 0
    if held:
        yield held, known


def _read(preparer: Preparer, item: Record | Rejection) -> Item:
    """The record with its photo's bytes, if they are on this machine and not as the store knows them."""
    if isinstance(item, Rejection) or isinstance(item.photo, Url):
        return item
    try:
        data = item.photo if isinstance(item.photo, bytes) else read_file(item.photo)
    except PhotoError as error:
        return Rejection(item.id, error.reason, error.message)
    if preparer.known(item.id) == hashlib.sha256(data).hexdigest():
        return Unchanged(item)
    return replace(item, photo=data)


def _preparer(given: tuple[tuple[int, int], str]) -> Callable[[Work], list[Outcome]]:
    """What prepares a piece, in a worker."""
    frame, background = given

    def prepare(piece: Work) -> list[Outcome]:
        items, known = piece
        workers = os.cpu_count() or 1  # on this machine, as Ray starts them
        made = Preparer(frame, background, known.get, cache() / "fetched", threads=1, processes=workers)
        return list(made.run(iter(items)))

    return prepare
