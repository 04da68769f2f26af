"""The shop's index: opened from its file, or built in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modiste.search.blocks import Blocks
from modiste.search.index import LatentIndex
from modiste.shop.fingerprints import index_fingerprint
from modiste.storage.manifest import Manifest
from modiste.storage.paths import ShopPaths
from modiste.storage.product_store import ProductStore


@dataclass(frozen=True)
class EncodingArrays:
    """The posteriors and fixed-epsilon codes of all products, float32 `(N, n)` each, in the order of Products."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    code: NDArray[np.float32]


def read_indexed_encodings(
    files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str, count: int
) -> EncodingArrays | None:
    """Return the encodings of all products from the index file; None if that is missing, damaged or stale."""
    blocks = Blocks.open(files.index(model_id), index_fingerprint(files, manifest, store, model_id))
    if blocks is None or not blocks.covers_rows(count):
        return None
    vectors = blocks.products()
    order = np.argsort(vectors.rows)
    return EncodingArrays(vectors.mean[order], vectors.std[order], vectors.code[order])


def open_index(
    files: ShopPaths, manifest: Manifest, store: ProductStore, model_id: str, ids: Sequence[str], threads: int
) -> LatentIndex | None:
    """Open the shop's index, mapped from its file; None if that is missing, damaged or stale."""
    fingerprint = index_fingerprint(files, manifest, store, model_id)
    return LatentIndex.open(files.index(model_id), fingerprint, ids, threads=threads)


def build_index(
    ids: Sequence[str], encodings: EncodingArrays, assignments: NDArray[np.intp], tau: float, threads: int = 1
) -> LatentIndex:
    """Build an index in memory from `N` ids, their encodings and their clusters `(N,)`."""
    mean, std, code = encodings.mean, encodings.std, encodings.code
    return LatentIndex(ids, mean, std, code, cluster=assignments, tau=tau, threads=threads)
