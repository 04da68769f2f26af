"""What the evaluation asks: products of the catalogue, or unseen photos, some of each category.

A product's design is its mean for the methods "likelihood" and "mean", and its fixed-epsilon code for
"fixed-epsilon", as the paper compares z̄ with the stored codes. Its cluster, for the scope "cluster", is the one
that the shop predicts from the code or the mean, whichever its clusters were fitted to: one for all methods. The
product itself is left out of its answers.
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
    """`b` queries: what they are, what the encoder says of each, and which row of the catalogue each is (−1: none).

    `jpegs` are the photos at the shop's frame where they are not in its catalogue.
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
        """The codes that stand for the queries with a method, `(b, n)`."""
        return self.posterior.code if method == "fixed-epsilon" else self.posterior.mean

    def assign_clusters(self, clusters: Clusters) -> NDArray[np.intp]:
        """The cluster that is predicted for each query, `(b,)`, by what the clusters were fitted to."""
        return clusters.assign(getattr(self.posterior, clusters.features))


def queries_from_catalogue(shop: Shop, per_category: int, seed: int) -> QuerySet:
    """Up to `per_category` products of each category, drawn by `seed`; all where a category has fewer."""
    check_per_category(per_category)
    random = np.random.default_rng([seed, 5])
    categories = np.array(shop.catalogue.categories, dtype=object)
    chosen: list[NDArray[np.intp]] = []
    notes: list[str] = []
    for category in sorted(set(shop.catalogue.categories)):
        rows = np.flatnonzero(categories == category)
        if len(rows) < per_category:
            notes.append(f"{category} has {len(rows)} products, fewer than {per_category}: all of them ask.")
        else:
            rows = np.sort(random.choice(rows, per_category, replace=False))
        chosen.append(rows)
    own = np.concatenate(chosen)
    held = shop.encodings
    return QuerySet(
        [shop.catalogue.categories[row] for row in own],
        [shop.catalogue.attributes(row) for row in own],
        own,
        Posterior(held.mean[own], held.std[own], held.code[own]),
        None,
        notes,
    )


def queries_from_source(shop: Shop, source: str, per_category: int, seed: int) -> QuerySet:
    """Up to `per_category` photos of each category of a source, drawn by `seed`, encoded by the shop's model.

    A photo whose pixels the catalogue has is no unseen one: its product is left out of its answers.

    Raises:
        SourceError: the source cannot be used.
        UnknownCategory: it has no readable photo of a category that the shop has.
    """
    check_per_category(per_category)
    notes: list[str] = []
    records = _sample_records(shop, source, per_category, seed, notes)
    hashes = shop.store.table(["id", "photo_hash"])
    held = dict(zip(hashes.column("photo_hash").to_pylist(), hashes.column("id").to_pylist(), strict=True))
    kept: list[Record] = []
    jpegs: list[bytes] = []
    own: list[int] = []
    unreadable = 0
    for record, data in _fetch_photos(shop, records):
        try:
            if isinstance(data, FetchError):
                raise data
            pixels = fit_photo(read_photo(data), shop.frame)
        except (PhotoError, FetchError):
            unreadable += 1
            continue
        twin = held.get(photo_hash(pixels))
        own.append(-1 if twin is None else shop.catalogue.row(twin))
        kept.append(record)
        jpegs.append(to_jpeg(pixels))
    if unreadable:
        notes.append(f"{unreadable} photos of {source} could not be read and ask nothing.")
    if seen := sum(row >= 0 for row in own):
        notes.append(f"{seen} photos of {source} are in the catalogue: each is left out of its own answers.")
    if not kept:
        raise UnknownCategory(
            f"{source} has no readable photo of a category of this shop.",
            remedy=f"The shop has {', '.join(shop.catalogue.counts())}.",
        )
    return QuerySet(
        [record.category for record in kept],
        [record.attributes for record in kept],
        np.array(own, np.intp),
        _encode_photos(shop, jpegs),
        jpegs,
        notes,
    )


def check_per_category(per_category: int) -> None:
    """Raise BadCount where fewer than one query per category is asked for."""
    if per_category < 1:
        raise BadCount(f"per_category is {per_category}.", remedy="Give 1 or more.")


def _sample_records(shop: Shop, source: str, per_category: int, seed: int, notes: list[str]) -> list[Record]:
    """Reservoirs, one per category, so that a source of any length is read once and never held."""
    random = np.random.default_rng([seed, 6])
    reservoirs: dict[str, list[Record]] = {category: [] for category in shop.catalogue.counts()}
    seen = dict.fromkeys(reservoirs, 0)
    strange = 0
    for record in open_source(source).records():
        if not isinstance(record, Record) or record.category not in reservoirs:
            strange += 1
            continue
        reservoir = reservoirs[record.category]
        seen[record.category] += 1
        if len(reservoir) < per_category:
            reservoir.append(record)
        elif (place := int(random.integers(seen[record.category]))) < per_category:
            reservoir[place] = record
    if strange:
        notes.append(f"{strange} rows of {source} are malformed or of no category of this shop and ask nothing.")
    for category, count in seen.items():
        if 0 < count < per_category:
            notes.append(f"{source} has {count} of {category}, fewer than {per_category}: all of them ask.")
    return [record for category in sorted(reservoirs) for record in reservoirs[category]]


def _fetch_photos(shop: Shop, records: Sequence[Record]) -> Iterator[tuple[Record, Path | bytes | FetchError]]:
    """Each record with where its photo is, addresses fetched."""
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
