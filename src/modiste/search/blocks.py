"""Block layout of posteriors, for the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modiste.errors import SchemaError
from modiste.search.constants import LANES
from modiste.storage.array_files import READ_ERRORS, open_arrays, save_arrays

Floats = NDArray[np.float32]
FORMAT_VERSION, METADATA_FILE = 2, "index.json"
LIKELIHOOD_ARRAYS = ("weight", "constant", "least", "most")
BLOCK_ARRAYS = ("mean", "std", "code", "rows", "starts", "mean_box", "code_box")


@dataclass(frozen=True, eq=False)
class ProductVectors:
    """Encoded products: row numbers `(N,)`, mean, std and code `(N, n)`, and cluster `(N,)`."""

    rows: NDArray[np.intp]
    mean: Floats
    std: Floats
    code: Floats
    cluster: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class LikelihoodTerms:
    """Precomputed terms of Eq. 2 for one τ: `weight` 1/(2v) `(B, n, LANES)` and `constant` `(B, LANES)`.

    `least` `(n, B)` and `most` `(B,)` are each block's smallest weights and largest constant; `largest` is the largest
    |constant|.
    """

    weight: Floats
    constant: Floats
    least: Floats
    most: Floats
    largest: float
    tau: float


@dataclass(frozen=True, eq=False)
class Blocks:
    """`N` products in `B` blocks of LANES; each cluster starts a new block.

    `mean`, `std` and `code` are `(B, n, LANES)`; `rows` `(B, LANES)` is the product in each slot, −1 for none (its std
    is 0); cluster j has the blocks from `starts[j]` to `starts[j + 1]`. `mean_box` and `code_box` `(2, n, B)` hold each
    block's smallest and largest values.
    """

    mean: Floats
    std: Floats
    code: Floats
    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    mean_box: Floats
    code_box: Floats
    likelihood_terms: LikelihoodTerms = field(repr=False)  # for the most frequent τ

    @classmethod
    def build(cls, products: ProductVectors, tau: float = 0.0) -> Blocks:
        """Lay out products so that neighbours share a block."""
        from modiste.search import kernels

        count, cluster = len(products), products.cluster
        order = np.argsort(cluster, kind="stable")
        groups = np.searchsorted(cluster[order], np.arange(cluster.max(initial=-1) + 2))
        # Split by distance between means relative to their deviations, because that decides the likelihood.
        sample = products.std[:: max(1, count // 4096)]
        typical = np.sqrt(np.square(sample, dtype=np.float64).mean(axis=0)) if count else 1.0
        with np.errstate(over="ignore"):
            kernels.arrange_as_kd_tree((products.mean / typical).astype(np.float32), order, groups)
        sizes = -(-np.diff(groups) // LANES)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        slots = np.arange(count) - groups[cluster[order]] + starts[cluster[order]] * LANES
        rows = np.full((int(starts[-1]), LANES), -1, np.int32)
        rows.reshape(-1)[slots] = order
        mean, std, code = (_to_blocks(array, rows) for array in (products.mean, products.std, products.code))
        rows.reshape(-1)[slots] = products.rows[order]
        boxes = _bounding_boxes(mean, rows), _bounding_boxes(code, rows)
        return cls(mean, std, code, rows, starts, *boxes, _likelihood_terms(mean, std, tau))

    def products(self) -> ProductVectors:
        """Return the products in the order of the layout."""
        rows = self.rows.reshape(-1)
        slots = np.flatnonzero(rows >= 0)
        block, lane = np.divmod(slots, LANES)
        mean, std, code = (array[block, :, lane] for array in (self.mean, self.std, self.code))
        cluster = np.searchsorted(self.starts, block, side="right") - 1
        return ProductVectors(rows[slots].astype(np.intp), mean, std, code, cluster)

    def likelihood_terms_for(self, tau: float) -> LikelihoodTerms:
        """Return the terms for the likelihood of a query N(z, τ²)."""
        if tau == self.likelihood_terms.tau:
            return self.likelihood_terms
        return _likelihood_terms(self.mean, self.std, tau)

    def save(self, directory: Path, fingerprint: str) -> None:
        """Write the arrays as `.npy` files in `directory`, atomically. Raises OSError."""
        terms = self.likelihood_terms
        metadata = {"version": FORMAT_VERSION, "made_from": fingerprint}
        arrays = {name: getattr(self, name) for name in BLOCK_ARRAYS}
        arrays |= {name: getattr(terms, name) for name in LIKELIHOOD_ARRAYS}
        save_arrays(directory, METADATA_FILE, metadata | {"largest": terms.largest, "tau": terms.tau}, arrays)

    @classmethod
    def open(cls, directory: Path, fingerprint: str) -> Blocks | None:
        """Open saved blocks, memory-mapped; None if they are missing, damaged or have another fingerprint.

        They are derived from the encodings, so the caller can rebuild them.
        """
        try:
            expected = {"version": FORMAT_VERSION, "made_from": fingerprint}
            metadata, arrays = open_arrays(directory, METADATA_FILE, expected, BLOCK_ARRAYS + LIKELIHOOD_ARRAYS)
            terms = {name: arrays.pop(name) for name in LIKELIHOOD_ARRAYS}
            largest, tau = float(metadata["largest"]), float(metadata["tau"])
            blocks = cls(**arrays, likelihood_terms=LikelihoodTerms(**terms, largest=largest, tau=tau))
            blocks.check_shapes()
        except (*READ_ERRORS, SchemaError):
            return None
        return blocks

    def derived_arrays_match(self) -> bool:
        """Return whether boxes and likelihood terms belong to the products, up to rounding on another machine."""
        terms = self.likelihood_terms
        expected = _likelihood_terms(self.mean, self.std, terms.tau)
        pairs = [(getattr(terms, name), getattr(expected, name)) for name in LIKELIHOOD_ARRAYS]
        pairs += [
            (self.mean_box, _bounding_boxes(self.mean, self.rows)),
            (self.code_box, _bounding_boxes(self.code, self.rows)),
        ]
        return all(np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True) for a, b in pairs)

    def covers_rows(self, count: int) -> bool:
        """Return whether the products are those of rows 0 to `count` − 1, each once."""
        rows = self.rows[self.rows >= 0]
        seen = np.zeros(count, np.bool_)
        if len(rows) != count or rows.max(initial=-1) >= count:
            return False
        seen[rows] = True
        return bool(seen.all())

    def check_shapes(self) -> None:
        """Raise SchemaError if the arrays' shapes do not match, because kernels do not check them."""
        b, n, _ = self.mean.shape
        terms = self.likelihood_terms
        shapes = {
            "mean": (self.mean, (b, n, LANES)),
            "std": (self.std, (b, n, LANES)),
            "code": (self.code, (b, n, LANES)),
            "weight": (terms.weight, (b, n, LANES)),
            "constant": (terms.constant, (b, LANES)),
            "mean_box": (self.mean_box, (2, n, b)),
            "code_box": (self.code_box, (2, n, b)),
            "least": (terms.least, (n, b)),
            "most": (terms.most, (b,)),
        }
        wrong = [name for name, (array, shape) in shapes.items() if (array.dtype, array.shape) != (np.float32, shape)]
        starts = self.starts
        if (
            starts.dtype != np.int64
            or starts.ndim != 1
            or len(starts) < 1
            or starts[0] != 0
            or starts[-1] != b
            or (np.diff(starts) < 0).any()
        ):
            wrong.append("starts")
        if self.rows.dtype != np.int32 or self.rows.shape != (b, LANES):
            wrong.append("rows")
        if wrong:
            raise SchemaError(f"The index is damaged: {wrong}.", remedy="It is rebuilt automatically.")


def _to_blocks(points: Floats, rows: NDArray[np.int32]) -> Floats:
    """Copy points `(N, n)` to blocks `(B, n, LANES)`, zeros in empty slots; 256 blocks at a time."""
    blocks = np.empty((len(rows), points.shape[1], LANES), np.float32)
    for start in range(0, len(rows), 256):
        part = rows[start : start + 256]
        values = points[part.clip(0)]
        values[part < 0] = 0.0
        blocks[start : start + 256] = values.transpose(0, 2, 1)
    return blocks


def _bounding_boxes(blocks: Floats, rows: NDArray[np.int32]) -> Floats:
    from modiste.search import kernels

    box = np.empty((2, blocks.shape[1], len(rows)), np.float32)
    kernels.bounding_boxes(blocks, rows, box[0], box[1])
    return box


def _likelihood_terms(mean: Floats, std: Floats, tau: float) -> LikelihoodTerms:
    from modiste.search import kernels

    b, n = mean.shape[0], mean.shape[1]
    weight, constant = np.empty_like(mean), np.empty((b, LANES), np.float32)
    least, most = np.empty((n, b), np.float32), np.empty(b, np.float32)
    largest = kernels.derive_likelihood_terms(mean, std, tau * tau, weight, constant, least, most)
    return LikelihoodTerms(weight, constant, least, most, float(largest), tau)
