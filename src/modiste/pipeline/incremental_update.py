"""Incremental update of encodings, clusters, index and map for changed products.

The result equals that of a full build with the same model, cluster centres and map layout.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modiste.errors import SchemaError, ShopIncomplete
from modiste.latent.clusters import Clusters
from modiste.latent.fixed_epsilon import fixed_epsilon_code
from modiste.latent.map_layout import place
from modiste.pipeline.cluster import write_clusters
from modiste.pipeline.encode import CHUNK_PHOTOS, encode_jpegs, encode_photos
from modiste.pipeline.index import save_index
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex, warm_up_kernels
from modiste.shop.catalogue_map import CatalogueMap, write_map
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.loading import EncodingArrays, assign_clusters, build_index
from modiste.shop.shop import Shop
from modiste.storage import encodings as stored
from modiste.storage.json_files import read_json
from modiste.storage.manifest import Manifest
from modiste.storage.product_store import catalogue_summary

compute: Any = pc  # its functions are created at run time, without types
REBUILD_SHARE = 0.1
"""Clusters and map are rebuilt after a larger share of the products was added, removed or got another photo."""


def update_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> bool:
    """Update encodings, clusters, index and map of the shop at `path` for its current products.

    Only products with a new photo are encoded. Products are assigned to the existing cluster centres, and new products
    are placed on the map between their nearest neighbours. Sliders, thresholds and swatches stay as they are.

    Clusters and map are not updated if they do not belong to the earlier encodings. Clusters by category are not
    updated if a category was added or removed.

    Returns:
        Whether the encodings are current. They are not if there are none by the model in use, or if Modiste 0.1.0 wrote
        them for other products, since it did not record which photos it encoded.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="model") as shop:
        earlier = _earlier_encodings(shop)
        if earlier is not None:
            _Update(shop, earlier).run(threads, on_progress)
            return True
        _save_manifest(shop, _counted(shop))
        if not shop.store.has_snapshot:
            shop.store.save_snapshot()
        return False


def clusters_changed(shop: Shop) -> int:
    """Return how many products were added, removed or got another photo since the clusters were fitted.

    Raises OSError and ValueError if the clusters are unreadable.
    """
    raw: Any = read_json(shop.files.clusters(shop.model.model_id))
    return int(raw.get("changed", 0))


def _counted(shop: Shop) -> Manifest:
    """Return the manifest with the current products."""
    manifest = shop.manifest
    if manifest.catalogue.get("hash") == shop.store.hash():
        return manifest
    return manifest.with_changes(catalogue=manifest.catalogue | catalogue_summary(shop.store))


def _save_manifest(shop: Shop, manifest: Manifest) -> None:
    if manifest != shop.manifest:
        manifest.save(shop.files.root)


def _earlier_encodings(shop: Shop) -> stored.Encodings | None:
    """Return the reusable encodings by the model in use, ordered by id; None if there are none."""
    model = shop.model
    try:
        rows = shop.store.read_encodings(model.model_id)
    except (ShopIncomplete, SchemaError):
        return None
    hashes = rows.photo_hashes
    if hashes is None:
        if rows.catalogue_hash != shop.store.hash():
            return None
        hash_by_id = shop.store.photo_hashes()
        hashes = [hash_by_id[id_] for id_ in rows.ids]
    epsilon = np.asarray(model.epsilon, np.float32)
    if rows.mean.shape[1:] != (model.latent,) or not np.allclose(rows.mean + rows.std * epsilon, rows.code, atol=1e-3):
        return None
    order = sorted(range(len(rows.ids)), key=rows.ids.__getitem__)
    mean, std, code = (part[order] for part in (rows.mean, rows.std, rows.code))
    ids, photo_hashes = [rows.ids[row] for row in order], [hashes[row] for row in order]
    return stored.Encodings(ids, mean, std, code, rows.catalogue_hash, photo_hashes)


class _Update:
    """One update of a shop that is locked for writing."""

    def __init__(self, shop: Shop, earlier: stored.Encodings) -> None:
        self.shop = shop
        self.earlier = earlier
        self.ids = shop.catalogue.ids
        self.hash = shop.store.hash()
        self.built_from = {"model": shop.model.model_id, "catalogue_hash": self.hash}
        self.earlier_rows = _earlier_rows(earlier, self.ids, shop.store.photo_hashes())

    def run(self, threads: int, on_progress: Progress | None) -> None:
        """Compute everything, then write it, so that a killed update leaves the old shop or can continue quickly."""
        shop, files, model_id = self.shop, self.shop.files, self.shop.model.model_id
        encodings = self._encodings(threads, on_progress)
        clusters, clusters_changed = self._clusters()
        map_ = self._map(encodings)
        index = self._index(encodings, clusters)
        if clusters is not None and clusters_changed is not None:
            fields = self.built_from | {"changed": clusters_changed}
            write_clusters(files.clusters(model_id), fields, clusters)
        if map_ is not None:
            write_map(files.map(model_id), self.built_from, map_)
        if self.earlier.catalogue_hash != self.hash:
            shop.store.write_encodings(model_id, self.ids, encodings.mean, encodings.std, encodings.code)
        manifest = _counted(shop).with_changes(encodings=self.built_from | {"count": len(self.ids)})
        if clusters is not None and manifest.clusters.get("model") == model_id:
            manifest = manifest.with_changes(clusters=manifest.clusters | self.built_from)
        _save_manifest(shop, manifest)
        if index is not None:
            save_index(index, files, manifest, shop.store, model_id)
        elif not shop.store.has_snapshot:
            shop.store.save_snapshot()

    @cached_property
    def _changed(self) -> int:
        """The number of products that were added, removed or got another photo."""
        kept = int((self.earlier_rows >= 0).sum())
        replaced = len(set(self.ids).intersection(self.earlier.ids)) - kept
        return len(self.ids) - kept + len(self.earlier.ids) - kept - replaced

    def _encodings(self, threads: int, on_progress: Progress | None) -> EncodingArrays:
        """Return the encodings of all products, and encode those with a new photo."""
        earlier, rows = self.earlier, self.earlier_rows
        fresh = np.flatnonzero(rows < 0)
        mean, std, code = (part[rows] for part in (earlier.mean, earlier.std, earlier.code))
        if len(fresh):
            ids = [self.ids[row] for row in fresh]
            mean[fresh], std[fresh] = self._encode(ids, threads, on_progress)
            epsilon = np.asarray(self.shop.model.epsilon, np.float32)
            code[fresh] = fixed_epsilon_code(mean[fresh], std[fresh], epsilon)
        return EncodingArrays(mean, std, code)

    def _encode(
        self, ids: list[str], threads: int, on_progress: Progress | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        shop = self.shop
        if len(ids) <= CHUNK_PHOTOS:
            return encode_jpegs(shop.onnx_model, shop.store.photos(ids))
        hashes = shop.store.photo_hashes()
        photos_hash = hashlib.sha256("".join(hashes[id_] for id_ in ids).encode()).hexdigest()
        partial = encode_photos(shop, ids, photos_hash, threads=threads, on_progress=on_progress)
        mean, std = np.array(partial.mean), np.array(partial.std)
        partial.remove()
        return mean, std

    def _clusters(self) -> tuple[Clusters | None, int | None]:
        """Return the clusters, and the number of products changed since they were fitted.

        The clusters are None if they are not current and cannot be updated. The number is None if the file stays.
        """
        shop = self.shop
        try:
            raw: Any = read_json(shop.files.clusters(shop.model.model_id))
            clusters = Clusters.from_dict(raw["clusters"])
            model, catalogue_hash = raw["model"], raw["catalogue_hash"]
            changed = int(raw.get("changed", 0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SchemaError):
            return None, None
        options = shop.manifest.clusters
        if model != shop.model.model_id or clusters.centres.shape[1] != shop.model.latent or not options:
            return None, None
        if clusters.method == "category" and set(clusters.labels) != set(shop.catalogue.categories):
            return None, None
        if catalogue_hash == self.hash:
            return clusters, None
        # The options may be those of the clusters of another model.
        if catalogue_hash != self.earlier.catalogue_hash or options.get("model") != model:
            return None, None
        return clusters, changed + self._changed

    def _map(self, encodings: EncodingArrays) -> CatalogueMap | None:
        """Return the map with the current products; None if the file stays."""
        try:
            raw: Any = read_json(self.shop.files.map(self.shop.model.model_id))
            catalogue_map = CatalogueMap.from_dict(raw)
            built_from = (raw.get("model"), raw.get("catalogue_hash"))
        except (OSError, ValueError, AttributeError, SchemaError):
            return None
        earlier, rows = self.earlier, self.earlier_rows
        is_earlier = built_from == (self.shop.model.model_id, earlier.catalogue_hash)
        if not is_earlier or earlier.catalogue_hash == self.hash or len(catalogue_map.positions) != len(earlier.ids):
            return None
        known = rows >= 0
        if not known.any():
            return None
        positions = catalogue_map.positions[rows]
        code = encodings.code
        positions[~known] = place(code[~known], code[known], positions[known])
        opening_id = catalogue_map.opening_product
        if opening_id not in set(self.ids):
            opening_id = self._nearest(opening_id, encodings)
        changed = catalogue_map.changed + self._changed
        return replace(catalogue_map, positions=positions, opening_product=opening_id, changed=changed)

    def _nearest(self, id_: str, encodings: EncodingArrays) -> str:
        """Return the id of the product nearest to one that was removed."""
        removed = self.earlier.code[self.earlier.ids.index(id_)]
        return self.ids[int(np.square(encodings.code - removed).sum(axis=1).argmin())]

    def _index(self, encodings: EncodingArrays, clusters: Clusters | None) -> LatentIndex | None:
        """Return the index of all products; None if there are no clusters, or the index is current."""
        if clusters is None or self._is_indexed():
            return None
        warm_up_kernels()
        shop = self.shop
        assignments = assign_clusters(clusters, shop.catalogue.categories, encodings)
        return build_index(self.ids, encodings, assignments, shop.tau)

    def _is_indexed(self) -> bool:
        """Return whether the existing index is current."""
        shop, model_id = self.shop, self.shop.model.model_id
        if self.earlier.catalogue_hash != self.hash:
            return False
        blocks = Blocks.open(
            shop.files.index(model_id), index_fingerprint(shop.files, shop.manifest, shop.store, model_id)
        )
        return blocks is not None and blocks.covers_rows(len(self.ids))


def _earlier_rows(earlier: stored.Encodings, ids: list[str], photo_hashes: dict[str, str]) -> NDArray[np.intp]:
    """Return the row of each product's earlier encoding, `(N,)`; −1 if it has none, or has another photo."""
    earlier_hashes = pa.array(earlier.photo_hashes, pa.string())
    hashes = pa.array([photo_hashes[id_] for id_ in ids], pa.string())
    rows = compute.index_in(pa.array(ids, pa.string()), pa.array(earlier.ids, pa.string()))
    same = compute.equal(earlier_hashes.take(rows), hashes)
    return np.asarray(compute.if_else(compute.fill_null(same, False), rows, -1), np.intp)
