"""LatentIndex: the nearest products for a code, exactly, reading only the blocks that can matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount, BadOption, SchemaError
from modiste.latent.posterior import check_code, check_tau
from modiste.search.blocks import Blocks, ProductVectors
from modiste.search.constants import LANES
from modiste.search.exact import (
    MAX_UNSCANNED_PRODUCTS,
    ExactSearch,
    Nearest,
    Rows,
    select_candidates,
)
from modiste.search.penalized import cluster_nearness, nearest_penalized
from modiste.search.scan import (
    METHODS,
    METRICS,
    BlockScanner,
    Scoring,
)

__all__ = ["METHODS", "METRICS", "LatentIndex"]

MAX_CLUSTERS = 10**6


class LatentIndex:
    """All products' posteriors in blocks, each cluster's together.

    Every answer of `nearest` is that of a float64 scan of all products, ties in the order of the rows: a scan in
    float32 with a sound bound on its error (see `scan`) picks the candidates, and these are scored in float64. An
    index never changes, so threads share it without locks.
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
            ids: `N` of them.
            mean, std, code: float32 `(N, n)` each.
            cluster: the cluster of each product, `(N,)`, 0 or more; None for no clusters.
            tau: the one that is made ready for; another takes a moment when it is first asked for.
            threads: how many share a scan that is worth it.

        Raises:
            SchemaError: the shapes do not go together, or the numbers are no posteriors.
        """
        parts = [np.asarray(part, np.float32) for part in (mean, std, code)]
        groups = np.zeros(len(ids), np.intp) if cluster is None else np.asarray(cluster, np.intp)
        _check_arrays(len(ids), parts, groups)
        products = ProductVectors(np.arange(len(ids)), parts[0], parts[1], parts[2], groups)
        blocks = Blocks.build(products, tau=check_tau(tau))
        self._initialize(list(ids), blocks, threads, cluster is not None)

    def _initialize(self, ids: list[str], blocks: Blocks, threads: int, has_clusters: bool) -> None:
        self.ids = ids
        self._blocks = blocks
        self._search = ExactSearch(BlockScanner(blocks), len(ids), threads)
        self._has_clusters = has_clusters

    @classmethod
    def open(
        cls,
        directory: Path,
        fingerprint: str,
        ids: Sequence[str],
        *,
        has_clusters: bool = True,
        threads: int = 1,
    ) -> LatentIndex | None:
        """The index that `save` left in `directory`, mapped; None where there is none of that, or it is damaged."""
        blocks = Blocks.open(directory, fingerprint)
        if blocks is None or not blocks.covers_rows(len(ids)):
            return None
        index = cls.__new__(cls)
        index._initialize(list(ids), blocks, threads, has_clusters)
        return index

    def save(self, directory: Path, fingerprint: str) -> None:
        """Write it to `directory`, whole or not at all, as what was built from `fingerprint`. Raises OSError."""
        self._blocks.save(directory, fingerprint)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return self._blocks.mean.shape[1]

    @property
    def nbytes(self) -> dict[str, int]:
        """What a scan by each method goes through, in bytes: points, weights, boxes and rows."""
        blocks, terms = self._blocks, self._blocks.likelihood_terms
        arrays = {
            "likelihood": (
                *(blocks.mean, blocks.mean_box),
                *(terms.weight, terms.constant, terms.least, terms.most),
            ),
            "fixed-epsilon": (blocks.code, blocks.code_box),
            "mean": (blocks.mean, blocks.mean_box),
        }
        return {name: blocks.rows.nbytes + sum(each.nbytes for each in arrays[name]) for name in METHODS}

    def code(self, row: int) -> NDArray[np.float32]:
        """The fixed-epsilon code of the product in a row, `(n,)`. Raises BadOption."""
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
        """The `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            method: "likelihood" by log q(code | product) (Eq. 2), higher is nearer; "fixed-epsilon" and "mean" by the
                distance to the products' codes or means, lower is nearer.
            metric: of the distance, "euclidean" or "manhattan"; the likelihood has none.
            rows: only these, as row numbers or as a mask `(N,)`.
            tau: for the likelihood: each σ² becomes σ² + tau².
            cluster: only this cluster; for a batch also `(b,)`, one for each code.

        Returns:
            Row numbers and scores, intp and float64, `(k,)` each; for a batch `(b, k)`.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1, or over the number of products among which to look.
            BadOption: an unknown method, metric, cluster or row; a negative tau.
        """
        codes = check_code(code, self.latent_dim)
        for name, value, allowed in (("method", method, METHODS), ("metric", metric, METRICS)):
            if value not in allowed:
                raise BadOption(f"No {name} {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        asked = Scoring(method, metric, check_tau(tau))
        batch = np.atleast_2d(codes)
        scopes = select_candidates(self._search, self._has_clusters, len(batch), rows, cluster)
        for _, among in scopes:
            if k % 1 or not 1 <= k <= among.size:
                raise BadCount(
                    f"k is {k}; there are {among.size} products to choose from.",
                    remedy=f"Give a k from 1 to {among.size}." if among.size else "Look in another cluster.",
                )
        found = np.empty((len(batch), k), np.intp)
        scores = np.empty(found.shape)
        for which, among in scopes:
            found[which], scores[which] = self._search.nearest(batch[which], k, asked, among)
        return (found[0], scores[0]) if codes.ndim == 1 else (found, scores)

    def cluster_nearness(
        self, codes: NDArray[np.float32], method: str, metric: str, tau: float, cluster: int
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """How near codes `(b, n)` are to every product of a cluster, some products at a time: rows `(m,)`, `(b, m)`.

        In float32 and to its precision; higher is nearer: the log likelihood, minus the square of the Euclidean, or
        minus the Manhattan distance.
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
        """The `k` products in `rows` with the greatest nearness (see there) less what `less` `(N,)` says, best first.

        Those of a float64 scan, ties in the order of the rows.

        Returns:
            Row numbers, scores as `nearest` gives them, and what they were ranked by, `(k,)` each.
        """
        return nearest_penalized(self._search, code, k, penalty, Scoring(method, metric, tau), rows)


def warm_up_kernels() -> None:
    """Have every kernel compiled, or loaded as it was kept on disk: so that no question waits for it."""
    same = np.zeros((MAX_UNSCANNED_PRODUCTS + 1, 2), np.float32)
    index = LatentIndex(
        [str(i) for i in range(len(same))], same, same + 1, same, np.zeros(len(same), np.intp)
    )
    for method in METHODS:
        index.nearest(same[0], 1, method)  # all are equally near: these are gathered
        list(index.cluster_nearness(same[:1], method, "euclidean", 0.0, 0))


def _check_arrays(count: int, parts: Sequence[NDArray[np.float32]], groups: NDArray[np.intp]) -> None:
    remedy = "Encode the shop again with `modiste encode`."
    shape = parts[0].shape
    if len(shape) != 2 or shape[0] != count or any(part.shape != shape for part in parts):
        raise SchemaError(
            f"{count} products do not go with encodings of shape {[part.shape for part in parts]}.",
            remedy=remedy,
        )
    if not all(np.isfinite(part).all() for part in parts) or (parts[1] <= 0).any():
        raise SchemaError("An encoding is not finite, or a std is not above 0.", remedy=remedy)
    if groups.shape != (count,) or groups.min(initial=0) < 0 or groups.max(initial=0) > MAX_CLUSTERS:
        raise SchemaError(f"The clusters {groups.shape} are not one per product.", remedy=remedy)
