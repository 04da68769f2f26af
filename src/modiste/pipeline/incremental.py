"""Incremental update: carry what was made of a shop's products over to changed products.

The result is that of a full build with the same model, the same cluster centres and the same layout of the map.
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
from modiste.latent.posterior import fixed_epsilon_code
from modiste.latent.projection import place
from modiste.pipeline.cluster import write_clusters
from modiste.pipeline.encode import CHUNK_PHOTOS, encode_jpegs, encode_photos
from modiste.pipeline.index import save_index
from modiste.pipeline.write_session import open_for_writing
from modiste.progress import Progress
from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex, warm_up_kernels
from modiste.shop.catalogue_map import CatalogueMap, write_map
from modiste.shop.fingerprints import index_fingerprint
from modiste.shop.index_files import EncodingArrays
from modiste.shop.loading import assign_clusters
from modiste.shop.shop import Shop
from modiste.storage import encodings as stored
from modiste.storage.json_files import read_json
from modiste.storage.manifest import Manifest
from modiste.storage.product_store import catalogue_summary

compute: Any = pc  # its functions are made at run time, without types
REBUILD_SHARE = 0.1
"""The share of the products that may be added, removed or have another photo before clusters and map are rebuilt."""


def update_shop(path: str | Path, *, threads: int = 1, on_progress: Progress | None = None) -> bool:
    """Bring encodings, clusters, index and map of the shop at `path` up to its products as they are now.

    Only products with a new photo are encoded. Products find their cluster by the centres that are there, and new ones
    get their place on the map between their nearest neighbours. Sliders, closeness and colours stay as they are.

    Clusters and map are left as they are if they do not belong to the earlier encodings, and clusters also if the
    shop's categories are the clusters and another category has come or gone.

    Returns:
        Whether the encodings are now those of the products. They are not if there are no encodings by the model in
        use, or if Modiste 0.1.0 wrote them for other products: it did not write which photos it had encoded.

    Raises:
        ShopIncomplete: there is no model.
        ShopBusy, StorageError: the shop cannot be written to.
    """
    with open_for_writing(path, need="model", threads=threads) as shop:
        earlier = _earlier_encodings(shop)
        if earlier is not None:
            _Update(shop, earlier).run(threads, on_progress)
            return True
        _save_manifest(shop, _counted(shop))
        if not shop.store.has_snapshot:
            shop.store.save_snapshot()
        return False


def clusters_changed(shop: Shop) -> int:
    """Return how many products were added, removed or have another photo since the clusters of a shop were fitted.

    Raises OSError and ValueError where the clusters cannot be read.
    """
    raw: Any = read_json(shop.files.clusters(shop.model.model_id))
    return int(raw.get("changed", 0))


def _counted(shop: Shop) -> Manifest:
    """The manifest with the products as they are counted now."""
    manifest = shop.manifest
    if manifest.catalogue.get("hash") == shop.store.hash():
        return manifest
    return manifest.with_changes(catalogue=manifest.catalogue | catalogue_summary(shop.store))


def _save_manifest(shop: Shop, manifest: Manifest) -> None:
    if manifest != shop.manifest:
        manifest.save(shop.files.root)


def _earlier_encodings(shop: Shop) -> stored.Encodings | None:
    """The encodings that the model in use has made, if they can be used again; ordered by id."""
    model = shop.model
    try:
        found = shop.store.read_encodings(model.model_id)
    except (ShopIncomplete, SchemaError):
        return None
    hashes = found.photo_hashes
    if hashes is None:
        if found.catalogue_hash != shop.store.hash():
            return None
        of = shop.store.photo_hashes()
        hashes = [of[id_] for id_ in found.ids]
    epsilon = np.asarray(model.epsilon, np.float32)
    if found.mean.shape[1:] != (model.latent,) or not np.allclose(
        found.mean + found.std * epsilon, found.code, atol=1e-3
    ):
        return None
    order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
    mean, std, code = (part[order] for part in (found.mean, found.std, found.code))
    ids, photo_hashes = [found.ids[row] for row in order], [hashes[row] for row in order]
    return stored.Encodings(ids, mean, std, code, found.catalogue_hash, photo_hashes)


class _Update:
    """One update of a shop that is held for writing."""

    def __init__(self, shop: Shop, earlier: stored.Encodings) -> None:
        self.shop = shop
        self.earlier = earlier
        self.ids = shop.catalogue.ids
        self.hash = shop.store.hash()
        self.made_from = {"model": shop.model.model_id, "catalogue_hash": self.hash}
        self.kept = _rows_kept(earlier, self.ids, shop.store.photo_hashes())

    def run(self, threads: int, on_progress: Progress | None) -> None:
        """Compute everything, then write it: what is killed in between finds the old shop, or continues quickly."""
        shop, files, model_id = self.shop, self.shop.files, self.shop.model.model_id
        encodings = self._encodings(threads, on_progress)
        clusters, clusters_changed = self._clusters()
        map_ = self._map(encodings)
        index = self._index(encodings, clusters)
        if clusters is not None and clusters_changed is not None:
            made = self.made_from | {"changed": clusters_changed}
            write_clusters(files.clusters(model_id), made, clusters)
        if map_ is not None:
            write_map(files.map(model_id), self.made_from, map_)
        if self.earlier.catalogue_hash != self.hash:
            shop.store.write_encodings(model_id, self.ids, encodings.mean, encodings.std, encodings.code)
        manifest = _counted(shop).with_changes(encodings=self.made_from | {"count": len(self.ids)})
        if clusters is not None and manifest.clusters.get("model") == model_id:
            manifest = manifest.with_changes(clusters=manifest.clusters | self.made_from)
        _save_manifest(shop, manifest)
        if index is not None:
            save_index(index, files, manifest, shop.store, model_id)
        elif not shop.store.has_snapshot:
            shop.store.save_snapshot()

    @cached_property
    def _changed(self) -> int:
        """How many products were added, removed or have another photo."""
        kept = int((self.kept >= 0).sum())
        replaced = len(set(self.ids).intersection(self.earlier.ids)) - kept
        return len(self.ids) - kept + len(self.earlier.ids) - kept - replaced

    def _encodings(self, threads: int, on_progress: Progress | None) -> EncodingArrays:
        """The encodings of all products, of which those with a new photo are made now."""
        earlier, kept = self.earlier, self.kept
        fresh = np.flatnonzero(kept < 0)
        mean, std, code = (part[kept] for part in (earlier.mean, earlier.std, earlier.code))
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
        """The clusters, if they fit the products now or can be carried over, and how many products have changed since
        they were fitted, if they are to be written."""
        shop = self.shop
        try:
            raw: Any = read_json(shop.files.clusters(shop.model.model_id))
            clusters = Clusters.from_dict(raw["clusters"])
            model, catalogue_hash = raw["model"], raw["catalogue_hash"]
            changed = int(raw.get("changed", 0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SchemaError):
            return None, None
        asked = shop.manifest.clusters
        if model != shop.model.model_id or clusters.centres.shape[1] != shop.model.latent or not asked:
            return None, None
        if clusters.method == "category" and set(clusters.labels) != set(shop.catalogue.categories):
            return None, None
        if catalogue_hash == self.hash:
            return clusters, None
        # For another model, clusters may have been asked for otherwise.
        if catalogue_hash != self.earlier.catalogue_hash or asked.get("model") != model:
            return None, None
        return clusters, changed + self._changed

    def _map(self, encodings: EncodingArrays) -> CatalogueMap | None:
        """The map with the new products on it; None if it is to stay as it is."""
        try:
            raw: Any = read_json(self.shop.files.map(self.shop.model.model_id))
            made = CatalogueMap.from_dict(raw)
            made_from = (raw.get("model"), raw.get("catalogue_hash"))
        except (OSError, ValueError, AttributeError, SchemaError):
            return None
        earlier, kept = self.earlier, self.kept
        fits = made_from == (self.shop.model.model_id, earlier.catalogue_hash)
        if not fits or earlier.catalogue_hash == self.hash or len(made.positions) != len(earlier.ids):
            return None
        known = kept >= 0
        if not known.any():
            return None
        positions = made.positions[kept]
        code = encodings.code
        positions[~known] = place(code[~known], code[known], positions[known])
        first = made.opening_product
        if first not in set(self.ids):
            first = self._nearest(first, encodings)
        return replace(made, positions=positions, opening_product=first, changed=made.changed + self._changed)

    def _nearest(self, id_: str, encodings: EncodingArrays) -> str:
        """The product that is most like one that was removed."""
        gone = self.earlier.code[self.earlier.ids.index(id_)]
        return self.ids[int(np.square(encodings.code - gone).sum(axis=1).argmin())]

    def _index(self, encodings: EncodingArrays, clusters: Clusters | None) -> LatentIndex | None:
        """The index of all products; None if there are no clusters for it, or it is there."""
        if clusters is None or self._is_indexed():
            return None
        warm_up_kernels()
        shop = self.shop
        groups = assign_clusters(clusters, shop.catalogue.categories, encodings)
        return LatentIndex(
            self.ids, encodings.mean, encodings.std, encodings.code, cluster=groups, tau=shop.tau
        )

    def _is_indexed(self) -> bool:
        """Whether the index that is there is that of the products, encodings and clusters as they are stored."""
        shop, model_id = self.shop, self.shop.model.model_id
        if self.earlier.catalogue_hash != self.hash:
            return False
        blocks = Blocks.open(
            shop.files.index(model_id), index_fingerprint(shop.files, shop.manifest, shop.store, model_id)
        )
        return blocks is not None and blocks.covers_rows(len(self.ids))


def _rows_kept(earlier: stored.Encodings, ids: list[str], photo_hashes: dict[str, str]) -> NDArray[np.intp]:
    """For each product the row of its earlier encoding, `(N,)`; −1 if it has none, or its photo is another."""
    earlier_hashes = pa.array(earlier.photo_hashes, pa.string())
    hashes = pa.array([photo_hashes[id_] for id_ in ids], pa.string())
    rows = compute.index_in(pa.array(ids, pa.string()), pa.array(earlier.ids, pa.string()))
    same = compute.equal(earlier_hashes.take(rows), hashes)
    kept = compute.if_else(compute.fill_null(same, False), rows, -1)
    return np.asarray(kept, np.intp)
