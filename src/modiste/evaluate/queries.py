"""Queries of the evaluation: products of the catalogue or unseen photos, some of each category.

The methods "likelihood" and "mean" search with a query's mean, "fixed-epsilon" with its fixed-epsilon code, because
the paper compares z̄ with the stored codes. In the scope "cluster", all methods search the cluster that the shop
predicts for the query from the features that its clusters were fitted to (means or codes). A product is never among
its own results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modiste.errors import BadCount, FetchError, PhotoError, UnknownCategory
from modiste.images.photo import decode_jpeg, fit_photo, photo_hash, read_photo, to_jpeg
from modiste.latent.clusters import Clusters
from modiste.latent.fixed_epsilon import Posterior
from modiste.shop.shop import Shop
from modiste.sources.download import fetch_all
from modiste.sources.record import Record, Url
from modiste.sources.registry import open_source

BATCH_PHOTOS = 64


@dataclass(frozen=True, eq=False)
class QuerySet:
    """`b` queries.

    Attributes:
        categories: category of each query.
        attributes: attributes of each query.
        product_rows: row of each query in the catalogue, `(b,)`; −1 if the query is not a product.
        posterior: what the encoder predicts for each query, `(b, n)`.
        jpegs: the photos at the shop's frame; None if all queries are products of the catalogue.
        notes: remarks for the reader of the evaluation.
    """

    categories: list[str]
    attributes: list[dict[str, Any]]
    product_rows: NDArray[np.intp]
    posterior: Posterior
    jpegs: list[bytes] | None
    notes: list[str]

    def __len__(self) -> int:
        return len(self.product_rows)

    def codes(self, method: str) -> NDArray[np.float32]:
        """Return the codes that a method searches with, `(b, n)`."""
        return self.posterior.code if method == "fixed-epsilon" else self.posterior.mean

    def assign_clusters(self, clusters: Clusters) -> NDArray[np.intp]:
        """Return the predicted cluster of each query, `(b,)`."""
        return clusters.assign(getattr(self.posterior, clusters.features))


def queries_from_catalogue(shop: Shop, per_category: int, seed: int) -> QuerySet:
    """Draw up to `per_category` products of each category with `seed`. Raises BadCount."""
    check_per_category(per_category)
    random = np.random.default_rng([seed, 5])
    categories = np.array(shop.catalogue.categories, dtype=object)
    chosen: list[NDArray[np.intp]] = []
    notes: list[str] = []
    for category in sorted(set(shop.catalogue.categories)):
        rows = np.flatnonzero(categories == category)
        if len(rows) < per_category:
            notes.append(f"{category} has {len(rows)} products, fewer than {per_category}: all of them are queries.")
        else:
            rows = np.sort(random.choice(rows, per_category, replace=False))
        chosen.append(rows)
    query_rows = np.concatenate(chosen)
    encodings = shop.encodings
    return QuerySet(
        [shop.catalogue.categories[row] for row in query_rows],
        [shop.catalogue.attributes(row) for row in query_rows],
        query_rows,
        Posterior(encodings.mean[query_rows], encodings.std[query_rows], encodings.code[query_rows]),
        None,
        notes,
    )


def queries_from_source(shop: Shop, source: str, per_category: int, seed: int) -> QuerySet:
    """Draw up to `per_category` photos of each category of a source with `seed`, and encode them.

    If the catalogue has a product with the same pixels, the photo is not unseen: its results leave this product out.

    Raises:
        BadCount: `per_category` is below 1.
        SourceError: the source cannot be used.
        UnknownCategory: the source does not have a readable photo of a category of the shop.
    """
    check_per_category(per_category)
    notes: list[str] = []
    records = _sample_records(shop, source, per_category, seed, notes)
    hashes = shop.store.table(["id", "photo_hash"])
    id_by_hash = dict(zip(hashes.column("photo_hash").to_pylist(), hashes.column("id").to_pylist(), strict=True))
    readable: list[Record] = []
    jpegs: list[bytes] = []
    query_rows: list[int] = []
    unreadable = 0
    for record, data in _fetch_photos(shop, records):
        try:
            if isinstance(data, FetchError):
                raise data
            pixels = fit_photo(read_photo(data), shop.frame)
        except (PhotoError, FetchError):
            unreadable += 1
            continue
        product_id = id_by_hash.get(photo_hash(pixels))
        query_rows.append(-1 if product_id is None else shop.catalogue.row(product_id))
        readable.append(record)
        jpegs.append(to_jpeg(pixels))
    if unreadable:
        notes.append(f"{unreadable} photos of {source} cannot be read and are not among the queries.")
    if known := sum(row >= 0 for row in query_rows):
        notes.append(f"{known} photos of {source} are in the catalogue: each is left out of its own results.")
    if not readable:
        raise UnknownCategory(
            f"{source} has no readable photo of a category of this shop.",
            remedy=f"Use a source with photos of {', '.join(shop.catalogue.counts())}.",
        )
    return QuerySet(
        [record.category for record in readable],
        [record.attributes for record in readable],
        np.array(query_rows, np.intp),
        _encode_photos(shop, jpegs),
        jpegs,
        notes,
    )


def check_per_category(per_category: int) -> None:
    """Raise BadCount unless `per_category` is at least 1."""
    if per_category < 1:
        raise BadCount(f"`per_category` is {per_category}.", remedy="Give 1 or more.")


def _sample_records(shop: Shop, source: str, per_category: int, seed: int, notes: list[str]) -> list[Record]:
    """Draw records of each category by reservoir sampling: the source is read once, and never held in memory."""
    random = np.random.default_rng([seed, 6])
    reservoirs: dict[str, list[Record]] = {category: [] for category in shop.catalogue.counts()}
    seen = dict.fromkeys(reservoirs, 0)
    unusable = 0
    for record in open_source(source).records():
        if not isinstance(record, Record) or record.category not in reservoirs:
            unusable += 1
            continue
        reservoir = reservoirs[record.category]
        seen[record.category] += 1
        if len(reservoir) < per_category:
            reservoir.append(record)
        elif (place := int(random.integers(seen[record.category]))) < per_category:
            reservoir[place] = record
    if unusable:
        notes.append(
            f"{unusable} rows of {source} are not among the queries: they are malformed, or this shop does not have "
            "their category."
        )
    for category, count in seen.items():
        if 0 < count < per_category:
            notes.append(
                f"{source} has {count} photos of {category}, fewer than {per_category}: all of them are queries."
            )
    return [record for category in sorted(reservoirs) for record in reservoirs[category]]


def _fetch_photos(shop: Shop, records: Sequence[Record]) -> Iterator[tuple[Record, Path | bytes | FetchError]]:
    """Yield each record with its photo: a path, bytes, or the error of its download."""
    urls = [record.photo.url for record in records if isinstance(record.photo, Url)]
    fetched = dict(fetch_all(urls, shop.files.downloads)) if urls else {}
    for record in records:
        photo = record.photo
        yield record, fetched[photo.url] if isinstance(photo, Url) else photo


def _encode_photos(shop: Shop, jpegs: Sequence[bytes]) -> Posterior:
    parts = [
        shop.encode([decode_jpeg(jpeg) for jpeg in jpegs[start : start + BATCH_PHOTOS]])
        for start in range(0, len(jpegs), BATCH_PHOTOS)
    ]
    mean, std, code = (np.concatenate([getattr(part, name) for part in parts]) for name in ("mean", "std", "code"))
    return Posterior(mean, std, code)
