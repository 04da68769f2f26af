"""LatentIndex: the nearest products for a code, exactly, reading only the blocks that can matter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
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
    index never changes: `changed` makes another, so that threads share it without locks, and a search that has begun
    ends with the products that it began with.
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
        part = BlockScanner(Blocks.build(products, tau=check_tau(tau)))
        self._initialize(list(ids), ExactSearch([part], len(ids), threads), cluster is not None)

    def _initialize(self, ids: list[str], parts: ExactSearch, clustered: bool) -> None:
        self.ids = ids
        self._parts = parts
        self._has_clusters = clustered

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
        index._initialize(list(ids), ExactSearch([BlockScanner(blocks)], len(ids), threads), has_clusters)
        return index

    def save(self, directory: Path, fingerprint: str) -> None:
        """Write it to `directory`, whole or not at all, as what was made of `made_from`.

        Raises:
            OSError: the disk refused.
            BadOption: products were removed from it, so that its rows have gaps.
        """
        blocks = self._parts.whole()
        if blocks is None:
            raise BadOption(
                "An index from which products were removed cannot be saved.",
                remedy="Make one of the products that are left, and save that.",
            )
        blocks.save(directory, fingerprint)

    def __len__(self) -> int:
        return self._parts.size

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return self._parts.parts[0].blocks.mean.shape[1]

    @property
    def nbytes(self) -> dict[str, int]:
        """What a scan by each method goes through, in bytes: points, weights, boxes and rows."""
        sizes: dict[str, int] = dict.fromkeys(METHODS, 0)
        for part in self._parts.parts:
            held, steep = part.blocks, part.blocks.likelihood_terms
            likelihood = (held.mean, held.mean_box, steep.weight, steep.constant, steep.least, steep.most)
            sizes["likelihood"] += part.rows.nbytes + sum(each.nbytes for each in likelihood)
            sizes["fixed-epsilon"] += part.rows.nbytes + held.code.nbytes + held.code_box.nbytes
            sizes["mean"] += part.rows.nbytes + held.mean.nbytes + held.mean_box.nbytes
        return sizes

    def code(self, row: int) -> NDArray[np.float32]:
        """The fixed-epsilon code of the product in a row, `(n,)`."""
        for part, places in zip(self._parts.parts, self._parts.slots_of_rows(np.array([row])), strict=True):
            if len(places):
                block, lane = divmod(int(places[0]), LANES)
                return part.blocks.code[block, :, lane].copy()
        raise BadOption(f"There is no row {row}.", remedy=f"Give one from 0 to {len(self.ids) - 1}.")

    def changed(
        self,
        ids: Sequence[str] = (),
        mean: ArrayLike = (),
        std: ArrayLike = (),
        code: ArrayLike = (),
        cluster: ArrayLike | None = None,
        *,
        removed: Collection[str] = (),
    ) -> LatentIndex:
        """Another index, without the products `removed` and with `ids` as given: new ones, or changed.

        Rows keep their numbers; new ones follow. The few products that differ lie in a small layout of their own
        beside the old, which is shared; once they are many, all are laid out anew. This index goes on as it is.

        Args:
            ids: `m` of them, none twice; mean, std, code: float32 `(m, n)`; cluster: `(m,)`, where there are clusters.

        Raises:
            BadOption: an id to remove is not here, or one is both removed and given, or given twice.
            SchemaError: the shapes do not go together, or the numbers are no posteriors.
        """
        missing = [each for each in removed if not self._has(each)]
        if missing or len({*ids, *removed}) != len(ids) + len(set(removed)):
            raise BadOption(
                f"There is no product {missing[0]!r} to remove." if missing else "A product was named twice.",
                remedy="Name each product once, and remove only what the index has.",
            )
        nothing = np.empty((0, self.latent_dim), np.float32)
        fresh = [np.asarray(part, np.float32) if len(ids) else nothing for part in (mean, std, code)]
        groups = np.zeros(len(ids), np.intp) if cluster is None else np.asarray(cluster, np.intp)
        _check_arrays(len(ids), fresh, groups)
        if fresh[0].shape[1] != self.latent_dim or (cluster is None) == (self._has_clusters and len(ids) > 0):
            raise SchemaError(
                f"Products of {fresh[0].shape[1]} latents, {'without' if cluster is None else 'with'} clusters, do not "
                "go with the index.",
                remedy=f"Give {self.latent_dim} latents, and clusters where the index has them.",
            )
        known, names = self._row_of, list(self.ids)
        names += [each for each in ids if each not in known]
        numbers = iter(range(len(self.ids), len(names)))
        rows = np.array([known[each] if each in known else next(numbers) for each in ids], np.intp)
        gone = np.array([known[each] for each in {*ids, *removed} if each in known], np.intp)
        index = LatentIndex.__new__(LatentIndex)
        products = ProductVectors(rows, fresh[0], fresh[1], fresh[2], groups)
        index._initialize(names, self._parts.changed(products, gone, len(names)), self._has_clusters)
        return index

    def _has(self, each: str) -> bool:
        return each in self._row_of and bool(self._parts.live[self._row_of[each]])

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {each: row for row, each in enumerate(self.ids)}

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
        scopes = select_candidates(self._parts, self._has_clusters, len(batch), rows, cluster)
        for _, among in scopes:
            if k % 1 or not 1 <= k <= among.size:
                raise BadCount(
                    f"k is {k}; there are {among.size} products to choose from.",
                    remedy=f"Give a k from 1 to {among.size}." if among.size else "Look in another cluster.",
                )
        found = np.empty((len(batch), k), np.intp)
        scores = np.empty(found.shape)
        for which, among in scopes:
            found[which], scores[which] = self._parts.nearest(batch[which], k, asked, among)
        return (found[0], scores[0]) if codes.ndim == 1 else (found, scores)

    def cluster_nearness(
        self, codes: NDArray[np.float32], method: str, metric: str, tau: float, cluster: int
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """How near codes `(b, n)` are to every product of a cluster, some products at a time: rows `(m,)`, `(b, m)`.

        In float32 and to its precision; higher is nearer: the log likelihood, minus the square of the Euclidean, or
        minus the Manhattan distance.
        """
        yield from cluster_nearness(self._parts, codes, Scoring(method, metric, tau), cluster)

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
        return nearest_penalized(self._parts, code, k, penalty, Scoring(method, metric, tau), rows)


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
