"""Split of a catalogue into products to train on and to search, and held-out queries; near-duplicates stay together."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from modiste.pipeline.ingest import ingest
from modiste.shop.sampling import load_photos
from modiste.shop.shop import Shop

THUMB = 15, 20  # columns and rows of the thumbnails that are compared
TWIN = 4.0  # of 255: thumbnails that differ by less, root mean square, are of one product
BATCH = 256


def split(source: str, cache: Path, seed: int, asking: int) -> tuple[Path, Path]:
    """Return two tables of files, of the catalogue and of the queries: about `asking` products of each category.

    Products with nearly the same photo stay together. The tables are cached under `cache`.
    """
    tables = cache / f"catalogue-{seed}.csv", cache / f"held-out-{seed}.csv"
    if all(table.is_file() for table in tables):
        return tables
    shop = whole(source, cache)
    groups = twins(thumbnails(shop))
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    categories = np.array(shop.catalogue.categories, object)
    is_query = np.zeros(len(groups), bool)
    left = dict.fromkeys(shop.catalogue.counts(), asking)
    members = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[members], np.arange(groups.max() + 2))
    for group in order:
        rows = members[starts[group] : starts[group + 1]]
        category = categories[rows[0]]
        if left[category] >= len(rows):
            is_query[rows] = True
            left[category] -= len(rows)
    for table, rows in zip(tables, (np.flatnonzero(~is_query), np.flatnonzero(is_query)), strict=True):
        write(shop, rows, table)
    return tables


def whole(source: str, cache: Path) -> Shop:
    """Return the whole catalogue, ingested, and its photos as files."""
    path = cache / "whole"
    ingest(source, path)
    shop = Shop.open(path, need="catalogue")
    photos = cache / "photos"
    photos.mkdir(exist_ok=True)
    for start in range(0, len(shop.catalogue), BATCH):
        ids = shop.catalogue.ids[start : start + BATCH]
        for number, jpeg in enumerate(shop.store.photos(ids), start):
            file = photos / f"{number}.jpg"
            if not file.exists():
                file.write_bytes(jpeg)
    return shop


def thumbnails(shop: Shop) -> NDArray[np.float32]:
    """Return every photo in 20 x 15 blocks, `(N, 900)`, 0 to 255."""
    h, w = shop.frame
    parts: list[NDArray[np.float32]] = []
    columns, rows = THUMB
    down, along = np.arange(h) * rows // h, np.arange(w) * columns // w
    place = (down[:, None] * columns + along).ravel()
    sums = coo_matrix((np.ones(h * w), (place, np.arange(h * w)))).tocsr()
    block_sizes = np.asarray(sums.sum(axis=1))
    for start in range(0, len(shop.catalogue), BATCH):
        photos = load_photos(shop.store, shop.catalogue.ids[start : start + BATCH])
        flat = photos.reshape(len(photos), h * w, 3).transpose(1, 0, 2).reshape(h * w, -1)
        means = (sums @ flat.astype(np.float64)) / block_sizes
        parts.append(means.reshape(-1, len(photos), 3).transpose(1, 0, 2).reshape(len(photos), -1))
    return np.concatenate(parts).astype(np.float32)


def twins(thumbs: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the group of each photo, `(N,)`: a chain of near-duplicates connects its members."""
    near: list[NDArray[np.intp]] = []
    squares = np.square(thumbs).sum(axis=1)
    for start in range(0, len(thumbs), 1000):
        part = slice(start, start + 1000)
        apart = squares[part, None] + squares[None] - 2.0 * thumbs[part] @ thumbs.T
        rows, columns = np.nonzero(apart < thumbs.shape[1] * TWIN**2)
        near.append(np.stack([rows + start, columns]))
    rows, columns = np.concatenate(near, axis=1)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(thumbs),) * 2)
    return connected_components(graph)[1].astype(np.intp)


def write(shop: Shop, rows: NDArray[np.intp], table: Path) -> None:
    """Write one line per product: its photo's file, id, category and attributes."""
    attribute_rows = [shop.catalogue.attributes(int(row)) for row in rows]
    names = sorted({name for each in attribute_rows for name in each})
    writing = table.with_suffix(".writing")
    with writing.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, ["file_name", "id", "category", *names])
        out.writeheader()
        for row, attributes in zip(rows.tolist(), attribute_rows, strict=True):
            out.writerow(
                {
                    "file_name": f"photos/{row}.jpg",
                    "id": shop.catalogue.ids[row],
                    "category": shop.catalogue.categories[row],
                    **attributes,
                }
            )
    writing.replace(table)
