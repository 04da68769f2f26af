"""Blocks: the products' posteriors laid out for the kernels."""

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
    """Products as they are encoded: `rows` `(N,)` are their numbers, mean, std and code `(N, n)`, `cluster` `(N,)`."""

    rows: NDArray[np.intp]
    mean: Floats
    std: Floats
    code: Floats
    cluster: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class LikelihoodTerms:
    """What Eq. 2 needs beside the means for one τ: `weight` 1/(2v) `(B, n, LANES)` and `constant` `(B, LANES)`.

    `least` `(n, B)` and `most` `(B,)` are each block's smallest weights and largest constant; `largest` is the largest
    size of any constant.
    """

    weight: Floats
    constant: Floats
    least: Floats
    most: Floats
    largest: float
    tau: float


@dataclass(frozen=True, eq=False)
class Blocks:
    """`N` products in `B` blocks of LANES, each cluster's from a block of its own on.

    `mean`, `std` and `code` are `(B, n, LANES)`; `rows` `(B, LANES)` says which product each place is, −1 for none (its
    std is 0); cluster j has the blocks from `starts[j]` to `starts[j + 1]`. `mean_box` and `code_box` `(2, n, B)` hold
    each block's least and greatest values.
    """

    mean: Floats
    std: Floats
    code: Floats
    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    mean_box: Floats
    code_box: Floats
    likelihood_terms: LikelihoodTerms = field(repr=False)  # for the τ that is asked for most

    @classmethod
    def build(cls, products: ProductVectors, tau: float = 0.0) -> Blocks:
        """Lay out products; neighbours share a block."""
        from modiste.search import kernels

        count, cluster = len(products), products.cluster
        order = np.argsort(cluster, kind="stable")
        groups = np.searchsorted(cluster[order], np.arange(cluster.max(initial=-1) + 2))
        # What counts is how far apart means are against their deviations, so that is where they are parted.
        some = products.std[:: max(1, count // 4096)]
        typical = np.sqrt(np.square(some, dtype=np.float64).mean(axis=0)) if count else 1.0
        with np.errstate(over="ignore"):
            kernels.arrange_as_kd_tree((products.mean / typical).astype(np.float32), order, groups)
        sizes = -(-np.diff(groups) // LANES)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(count) - groups[cluster[order]] + starts[cluster[order]] * LANES
        held = np.full((int(starts[-1]), LANES), -1, np.int32)
        held.reshape(-1)[places] = order
        mean, std, code = (_to_blocks(part, held) for part in (products.mean, products.std, products.code))
        held.reshape(-1)[places] = products.rows[order]
        steep = _likelihood_terms(mean, std, tau)
        return cls(
            mean, std, code, held, starts, _bounding_boxes(mean, held), _bounding_boxes(code, held), steep
        )

    def products(self) -> ProductVectors:
        """Return the products as they were given."""
        flat = self.rows.reshape(-1)
        places = np.flatnonzero(flat >= 0)
        block, lane = np.divmod(places, LANES)
        mean, std, code = (part[block, :, lane] for part in (self.mean, self.std, self.code))
        cluster = np.searchsorted(self.starts, block, side="right") - 1
        return ProductVectors(flat[places].astype(np.intp), mean, std, code, cluster)

    def likelihood_terms_for(self, tau: float) -> LikelihoodTerms:
        """What the likelihood of a query N(z, τ²) needs."""
        return (
            self.likelihood_terms
            if tau == self.likelihood_terms.tau
            else _likelihood_terms(self.mean, self.std, tau)
        )

    def save(self, directory: Path, fingerprint: str) -> None:
        """Write all as `.npy` files in `directory`, whole or not at all; `made_from` names what the products were."""
        steep = {"largest": self.likelihood_terms.largest, "tau": self.likelihood_terms.tau}
        about = {"version": FORMAT_VERSION, "made_from": fingerprint} | steep
        arrays = {name: getattr(self, name) for name in BLOCK_ARRAYS}
        save_arrays(
            directory,
            METADATA_FILE,
            about,
            arrays | {name: getattr(self.likelihood_terms, name) for name in LIKELIHOOD_ARRAYS},
        )

    @classmethod
    def open(cls, directory: Path, fingerprint: str) -> Blocks | None:
        """The blocks in `directory`, mapped; None where there are none, or they are damaged or of something else.

        They are derived: whoever finds none builds them again.
        """
        try:
            wanted = {"version": FORMAT_VERSION, "made_from": fingerprint}
            said, arrays = open_arrays(directory, METADATA_FILE, wanted, BLOCK_ARRAYS + LIKELIHOOD_ARRAYS)
            parts = {name: arrays.pop(name) for name in LIKELIHOOD_ARRAYS}
            steep = LikelihoodTerms(**parts, largest=float(said["largest"]), tau=float(said["tau"]))
            found = cls(**arrays, likelihood_terms=steep)
            found.check_shapes()
        except (*READ_ERRORS, SchemaError):
            return None
        return found

    def derived_arrays_match(self) -> bool:
        """Whether boxes and steepness are those of the products, as far as rounding on another machine lets them."""
        found, wanted = (
            self.likelihood_terms,
            _likelihood_terms(self.mean, self.std, self.likelihood_terms.tau),
        )
        pairs = [(getattr(found, name), getattr(wanted, name)) for name in LIKELIHOOD_ARRAYS]
        pairs += [
            (self.mean_box, _bounding_boxes(self.mean, self.rows)),
            (self.code_box, _bounding_boxes(self.code, self.rows)),
        ]
        return all(np.allclose(had, made, rtol=1e-4, atol=1e-6, equal_nan=True) for had, made in pairs)

    def covers_rows(self, count: int) -> bool:
        """Whether the products are those of rows 0 to `count` − 1, each once."""
        rows = self.rows[self.rows >= 0]
        there = np.zeros(count, np.bool_)
        if len(rows) != count or rows.max(initial=-1) >= count:
            return False
        there[rows] = True
        return bool(there.all())

    def check_shapes(self) -> None:
        """Raise SchemaError where the arrays do not go together: kernels trust their shapes."""
        b, n, _ = self.mean.shape
        steep = self.likelihood_terms
        shapes = {
            "mean": (self.mean, (b, n, LANES)),
            "std": (self.std, (b, n, LANES)),
            "code": (self.code, (b, n, LANES)),
            "weight": (steep.weight, (b, n, LANES)),
            "constant": (steep.constant, (b, LANES)),
            "mean_box": (self.mean_box, (2, n, b)),
            "code_box": (self.code_box, (2, n, b)),
            "least": (steep.least, (n, b)),
            "most": (steep.most, (b,)),
        }
        wrong = [
            name for name, (part, shape) in shapes.items() if (part.dtype, part.shape) != (np.float32, shape)
        ]
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
            raise SchemaError(f"The index is damaged: {wrong}.", remedy="It is built anew by itself.")


def _to_blocks(points: Floats, rows: NDArray[np.int32]) -> Floats:
    """Products `(N, n)` as blocks `(B, n, LANES)`, zeros where there is none; some blocks at a time."""
    laid = np.empty((len(rows), points.shape[1], LANES), np.float32)
    for start in range(0, len(rows), 256):
        part = rows[start : start + 256]
        held = points[part.clip(0)]
        held[part < 0] = 0.0
        laid[start : start + 256] = held.transpose(0, 2, 1)
    return laid


def _bounding_boxes(laid: Floats, rows: NDArray[np.int32]) -> Floats:
    from modiste.search import kernels

    box = np.empty((2, laid.shape[1], len(rows)), np.float32)
    kernels.bounding_boxes(laid, rows, box[0], box[1])
    return box


def _likelihood_terms(mean: Floats, std: Floats, tau: float) -> LikelihoodTerms:
    from modiste.search import kernels

    b, n = mean.shape[0], mean.shape[1]
    weight, constant = np.empty_like(mean), np.empty((b, LANES), np.float32)
    least, most = np.empty((n, b), np.float32), np.empty(b, np.float32)
    largest = kernels.derive_likelihood_terms(mean, std, tau * tau, weight, constant, least, most)
    return LikelihoodTerms(weight, constant, least, most, float(largest), tau)
