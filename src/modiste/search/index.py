"""LatentIndex: exact search for the products nearest to a code, which reads only the blocks that can matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount, BadOption, SchemaError
from modiste.latent.fixed_epsilon import check_code
from modiste.latent.likelihood import check_tau
from modiste.search.blocks import Blocks, ProductVectors
from modiste.search.constants import LANES
from modiste.search.exact import MAX_UNSCANNED_PRODUCTS, ExactSearch, Nearest, Rows, select_candidates
from modiste.search.penalized import cluster_nearness, nearest_penalized
from modiste.search.scan import METHODS, METRICS, BlockScanner, Scoring

__all__ = ["METHODS", "METRICS", "LatentIndex"]

MAX_CLUSTERS = 10**6


class LatentIndex:
    """The posteriors of all products in blocks, those of a cluster together.

    Every result of `nearest` is that of a float64 scan of all products, ties in the order of the rows: a float32 scan
    with a bound on its error (see `scan`) selects candidates, and these are scored in float64. An index never changes,
    so threads share it without locks.
    """

    def __init__(
        self,
        ids: Sequence[str],
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        code: NDArray[np.float32],
        cluster: NDArray[np.intp] | None = None,
        *,
        tau: float = 0.0,
        threads: int = 1,
    ) -> None:
        """Lay out `N` products.

        Args:
            ids: the ids of the `N` products.
            mean: posterior means, float32 `(N, n)`.
            std: posterior standard deviations, float32 `(N, n)`.
            code: fixed-epsilon codes, float32 `(N, n)`.
            cluster: the cluster of each product, `(N,)`, 0 or more; None for no clusters.
            tau: the τ to prepare the likelihood for; the first query with another takes longer.
            threads: the largest number of threads for one scan.

        Raises:
            SchemaError: the shapes do not match, or the numbers are not posteriors.
        """
        arrays = [np.asarray(array, np.float32) for array in (mean, std, code)]
        clusters = np.zeros(len(ids), np.intp) if cluster is None else np.asarray(cluster, np.intp)
        _check_arrays(len(ids), arrays, clusters)
        products = ProductVectors(np.arange(len(ids)), arrays[0], arrays[1], arrays[2], clusters)
        blocks = Blocks.build(products, tau=check_tau(tau))
        self._initialize(list(ids), blocks, threads, has_clusters=cluster is not None)

    def _initialize(self, ids: list[str], blocks: Blocks, threads: int, has_clusters: bool) -> None:
        self.ids = ids
        self._blocks = blocks
        self._search = ExactSearch(BlockScanner(blocks), len(ids), threads)
        self._has_clusters = has_clusters

    @classmethod
    def open(cls, directory: Path, fingerprint: str, ids: Sequence[str], *, threads: int = 1) -> LatentIndex | None:
        """Open a saved index, memory-mapped; None if it is missing, damaged or has another fingerprint."""
        blocks = Blocks.open(directory, fingerprint)
        if blocks is None or not blocks.covers_rows(len(ids)):
            return None
        index = cls.__new__(cls)
        index._initialize(list(ids), blocks, threads, has_clusters=True)
        return index

    def save(self, directory: Path, fingerprint: str) -> None:
        """Write the index and the fingerprint of its inputs to `directory`, atomically. Raises OSError."""
        self._blocks.save(directory, fingerprint)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return self._blocks.mean.shape[1]

    @property
    def nbytes(self) -> dict[str, int]:
        """Bytes that a full scan reads, by method: points, weights, boxes and rows."""
        blocks, terms = self._blocks, self._blocks.likelihood_terms
        arrays = {
            "likelihood": (*(blocks.mean, blocks.mean_box), *(terms.weight, terms.constant, terms.least, terms.most)),
            "fixed-epsilon": (blocks.code, blocks.code_box),
            "mean": (blocks.mean, blocks.mean_box),
        }
        return {name: blocks.rows.nbytes + sum(array.nbytes for array in arrays[name]) for name in METHODS}

    def code(self, row: int) -> NDArray[np.float32]:
        """Return the fixed-epsilon code of the product in a row, `(n,)`. Raises BadOption."""
        if not 0 <= row < len(self.ids):
            raise BadOption(f"There is no row {row}.", remedy=f"Give one from 0 to {len(self.ids) - 1}.")
        block, lane = divmod(int(self._search.slots_of_rows(np.array([row]))[0]), LANES)
        return self._blocks.code[block, :, lane].copy()

    def nearest(
        self,
        code: ArrayLike,
        k: int,
        method: str = "likelihood",
        metric: str = "euclidean",
        rows: ArrayLike | None = None,
        tau: float = 0.0,
        cluster: int | NDArray[np.intp] | None = None,
    ) -> Nearest:
        """Return the `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            k: the number of products.
            method: "likelihood" ranks by log q(code | product) (Eq. 2), higher is nearer; "fixed-epsilon" and "mean" by
                the distance to the products' codes or means, lower is nearer.
            metric: the distance, "euclidean" or "manhattan"; ignored by the likelihood.
            rows: search only these row numbers, or this mask `(N,)`.
            tau: for the likelihood, each σ² becomes σ² + tau².
            cluster: search only this cluster; for a batch also `(b,)`, one for each code.

        Returns:
            Row numbers and scores, intp and float64, `(k,)` each; for a batch `(b, k)`.

        Raises:
            BadCode: the code has the wrong length, or is not finite.
            BadCount: k is below 1, or above the number of products to search.
            BadOption: an unknown method, metric, cluster or row, or a negative tau.
        """
        codes = check_code(code, self.latent_dim)
        for name, value, allowed in (("method", method, METHODS), ("metric", metric, METRICS)):
            if value not in allowed:
                raise BadOption(f"Unknown {name}: {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        scoring = Scoring(method, metric, check_tau(tau))
        batch = np.atleast_2d(codes)
        groups = select_candidates(self._search, self._has_clusters, len(batch), rows, cluster)
        for _, candidates in groups:
            size = candidates.size
            if k % 1 or not 1 <= k <= size:
                raise BadCount(
                    f"k is {k}; there are {size} products to search.",
                    remedy=f"Give a k from 1 to {size}." if size else "Search another cluster.",
                )
        nearest = np.empty((len(batch), k), np.intp)
        scores = np.empty(nearest.shape)
        for positions, candidates in groups:
            nearest[positions], scores[positions] = self._search.nearest(batch[positions], k, scoring, candidates)
        return (nearest[0], scores[0]) if codes.ndim == 1 else (nearest, scores)

    def cluster_nearness(
        self, codes: NDArray[np.float32], method: str, metric: str, tau: float, cluster: int
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Yield the nearness of codes `(b, n)` to every product of a cluster, in parts: rows `(m,)`, nearness `(b, m)`.

        Nearness is float32, higher is nearer: the log likelihood, minus the squared Euclidean distance, or minus the
        Manhattan distance.
        """
        yield from cluster_nearness(self._search, codes, Scoring(method, metric, tau), cluster)

    def nearest_penalized(
        self,
        code: NDArray[np.float32],
        k: int,
        penalty: NDArray[np.float32],
        method: str,
        metric: str,
        tau: float,
        rows: Rows,
    ) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
        """Return the `k` products in `rows` with the greatest nearness minus `penalty` `(N,)`, best first.

        The result is that of a float64 scan, ties in the order of the rows.

        Returns:
            Row numbers, scores as of `nearest`, and penalized nearness, `(k,)` each.
        """
        return nearest_penalized(self._search, code, k, penalty, Scoring(method, metric, tau), rows)


def warm_up_kernels() -> None:
    """Compile every kernel, or load it from its cache on disk, so that no query waits for it."""
    zeros = np.zeros((MAX_UNSCANNED_PRODUCTS + 1, 2), np.float32)
    index = LatentIndex([str(i) for i in range(len(zeros))], zeros, zeros + 1, zeros, np.zeros(len(zeros), np.intp))
    for method in METHODS:
        index.nearest(zeros[0], 1, method)  # all are equally near, so `gather_above` is used, too
        list(index.cluster_nearness(zeros[:1], method, "euclidean", 0.0, 0))


def _check_arrays(count: int, arrays: Sequence[NDArray[np.float32]], clusters: NDArray[np.intp]) -> None:
    remedy = "Encode the shop again with `modiste encode`."
    shape = arrays[0].shape
    if len(shape) != 2 or shape[0] != count or any(array.shape != shape for array in arrays):
        raise SchemaError(
            f"{count} products do not match encodings of shape {[array.shape for array in arrays]}.", remedy=remedy
        )
    if not all(np.isfinite(array).all() for array in arrays) or (arrays[1] <= 0).any():
        raise SchemaError("An encoding is not finite, or a std is not above 0.", remedy=remedy)
    if clusters.shape != (count,) or clusters.min(initial=0) < 0 or clusters.max(initial=0) > MAX_CLUSTERS:
        raise SchemaError(f"The clusters {clusters.shape} are not one per product.", remedy=remedy)
