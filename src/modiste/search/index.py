"""LatentIndex: the nearest products for a code, exactly, at the price of one matrix product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCount, BadOption, SchemaError
from modiste.latent.posterior import check_code, check_tau, log_likelihood
from modiste.search.scan import EuclideanScan, LikelihoodScan, ManhattanScan, Scope, highest

METHODS = ("likelihood", "fixed-epsilon", "mean")
METRICS = ("euclidean", "manhattan")
TAUS_KEPT = 3
SPARE = 32  # candidates beyond k in the first look: seldom is a second needed
CHUNK_CELLS = 2**19  # bounds held at once for a batch: 2 MB, which caches hold
FARTHEST = 3e38  # what float32 can hold
NEAR_ENOUGH = 1e6  # beyond, float32 tells neighbours apart too coarsely: all are scored in float64
NEARNESS_BLOCK = 16_384  # products at once, where what is asked is how near all are
LEAST_CODES = 8  # at once, however many products: reading these once must serve several codes

Scan = LikelihoodScan | EuclideanScan | ManhattanScan


class LatentIndex:
    """All products' posteriors in memory, laid out so that a cluster is a slice.

    Every answer of `nearest` is that of a float64 scan of all products, ties in the order of the rows: a scan in
    float32 with a sound bound on its error (see `scan`) picks the candidates, and these are scored in float64. Safe to
    share between threads.
    """

    def __init__(
        self,
        ids: Sequence[str],
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        code: NDArray[np.float32],
        cluster: NDArray[np.intp] | None = None,
    ) -> None:
        """Lay out `N` products.

        Args:
            ids: `N` of them.
            mean, std, code: float32 `(N, n)` each.
            cluster: the cluster of each product, `(N,)`, 0 or more; None for no clusters.

        Raises:
            SchemaError: the shapes do not go together, or the numbers are no posteriors.
        """
        self.ids = list(ids)
        parts = [np.asarray(part, np.float32) for part in (mean, std, code)]
        groups = np.zeros(len(self.ids), np.intp) if cluster is None else np.asarray(cluster, np.intp)
        _check_parts(len(self.ids), parts, groups)
        self._order = np.argsort(groups, kind="stable")  # place → row
        self._place = np.empty_like(self._order)  # row → place
        self._place[self._order] = np.arange(len(self._order))
        self._starts = np.searchsorted(groups[self._order], np.arange(groups.max(initial=-1) + 2))
        self._clustered = cluster is not None
        self._mean, self._std, self._code = (np.ascontiguousarray(part[self._order]) for part in parts)
        self._scans: dict[tuple[str, str, float], Scan] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n(self) -> int:
        """The number of latents."""
        return self._mean.shape[1]

    def nearest(
        self,
        code: ArrayLike,
        k: int,
        method: str = "likelihood",
        metric: str = "euclidean",
        rows: ArrayLike | None = None,
        tau: float = 0.0,
        cluster: int | NDArray[np.intp] | None = None,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
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
        codes = check_code(code, self.n)
        for name, value, allowed in (("method", method, METHODS), ("metric", metric, METRICS)):
            if value not in allowed:
                raise BadOption(f"No {name} {value!r}.", remedy=f"Choose one of {', '.join(allowed)}.")
        asked = (method, "" if method == "likelihood" else metric, check_tau(tau))
        batch = np.atleast_2d(codes)
        found = np.empty((len(batch), max(k, 0)), np.intp)
        scores = np.empty(found.shape)
        for among, scope in self._scopes(len(batch), rows, cluster):
            size = scope.stop - scope.start if isinstance(scope, slice) else len(scope)
            if not 1 <= k <= size:
                raise BadCount(
                    f"k is {k}; there are {size} products to choose from.",
                    remedy=f"Give a k from 1 to {size}." if size else "Look in another cluster.",
                )
            found[among], scores[among] = self._search(batch[among], k, asked, scope, size)
        return (found[0], scores[0]) if codes.ndim == 1 else (found, scores)

    def nearness(
        self, codes: NDArray[np.float32], method: str, metric: str, tau: float, cluster: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """How near codes `(b, n)` are to every product of a cluster, some products at a time: rows `(m,)`, `(b, m)`.

        In float32 and to its precision; higher is nearer: the log likelihood, minus the square of the Euclidean, or
        minus the Manhattan distance.
        """
        scope = self._slice_of(cluster)
        for start in range(scope.start, scope.stop, NEARNESS_BLOCK):
            block = slice(start, min(start + NEARNESS_BLOCK, scope.stop))
            yield self._order[block], self._nearness(codes, (method, metric, tau), block)

    def nearest_less(
        self,
        code: NDArray[np.float32],
        k: int,
        less: NDArray[np.float32],
        method: str,
        metric: str,
        tau: float,
        rows: NDArray[np.intp],
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """The `k` products in `rows` with the greatest nearness (see there) less what `less` `(N,)` says, best first.

        Candidates are picked in float32 and ranked in float64: what float32 cannot tell apart may be left out.

        Returns:
            Row numbers, scores as `nearest` gives them, and what they were ranked by, `(k,)` each.
        """
        asked, places = (method, metric, tau), np.sort(self._place[rows])
        scope: Scope = places
        if len(places) and places[-1] - places[0] == len(places) - 1:
            scope = slice(int(places[0]), int(places[-1]) + 1)
        estimate = self._nearness(code[None], asked, scope)[0]
        if np.abs(estimate).max(initial=0.0) < NEAR_ENOUGH:
            places = places[highest(estimate - less[self._order[places]], min(k + SPARE, len(places)))[0]]
        found, scores = self._best(code, len(places), asked, places)
        ranked = self._near(scores, asked) - less[found].astype(np.float64)
        order = np.lexsort((found, -ranked))[:k]
        return found[order], scores[order], ranked[order]

    @staticmethod
    def _near(scores: NDArray[np.float64], asked: tuple[str, str, float]) -> NDArray[np.float64]:
        """Scores as nearness: higher is nearer, and a Euclidean distance squared."""
        if asked[0] == "likelihood":
            return scores
        return -np.square(scores) if asked[1] == "euclidean" else -scores

    def _nearness(
        self, codes: NDArray[np.float32], asked: tuple[str, str, float], scope: Scope
    ) -> NDArray[np.float32]:
        scan = self._scan((asked[0], "", asked[2]) if asked[0] == "likelihood" else (asked[0], asked[1], 0.0))
        bounds = scan.bounds(codes, scope)
        if bounds is None:  # a code too far out for float32
            places = np.arange(scope.start, scope.stop) if isinstance(scope, slice) else scope
            exact = np.array([self._near(self._scores(code, asked, places), asked) for code in codes])
            return np.clip(exact, -FARTHEST, FARTHEST).astype(np.float32)
        if isinstance(scan, EuclideanScan):
            bounds -= np.square(codes - scan.middle).sum(axis=1, dtype=np.float64)[:, None].astype(np.float32)
        return bounds

    def _scopes(
        self, b: int, rows: ArrayLike | None, cluster: int | NDArray[np.intp] | None
    ) -> list[tuple[NDArray[np.intp], Scope]]:
        """Which codes of the batch look at which places: a slice wherever that is what the places are."""
        everyone = np.arange(b)
        if cluster is not None:
            if rows is not None or not self._clustered:
                raise BadOption(
                    "A cluster was asked for " + ("together with rows." if rows is not None else "of none."),
                    remedy="Give either rows or a cluster, and clusters when making the index.",
                )
            own = np.broadcast_to(np.asarray(cluster, np.intp), (b,))
            return [(np.flatnonzero(own == j), self._slice_of(int(j))) for j in np.unique(own)]
        if rows is None:
            return [(everyone, slice(0, len(self)))]
        chosen = np.asarray(rows)
        if chosen.dtype == bool and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        sound = chosen.ndim == 1 and (chosen.dtype.kind in "iu" or chosen.size == 0)
        if not sound or (chosen.size and not (chosen.min() >= 0 and chosen.max() < len(self))):
            raise BadOption(
                f"The rows {chosen.dtype} of shape {chosen.shape} do not name products.",
                remedy=f"Give row numbers from 0 to {len(self) - 1}, or a mask of {len(self)}.",
            )
        places = np.unique(self._place[chosen.astype(np.intp)])
        if len(places) and places[-1] - places[0] == len(places) - 1:
            return [(everyone, slice(int(places[0]), int(places[-1]) + 1))]
        return [(everyone, places)]

    def _slice_of(self, cluster: int) -> slice:
        if not 0 <= cluster < len(self._starts) - 1:
            raise BadOption(
                f"There is no cluster {cluster}.", remedy=f"Give one from 0 to {len(self._starts) - 2}."
            )
        return slice(int(self._starts[cluster]), int(self._starts[cluster + 1]))

    def _scan(self, asked: tuple[str, str, float]) -> Scan:
        """The scan for a question, made when first asked for; of likelihoods the last few taus are kept."""
        method, metric, tau = asked
        with self._lock:
            held = self._scans.pop(asked, None)
            if held is None:
                points = self._mean if method == "mean" else self._code
                if method == "likelihood":
                    held = LikelihoodScan.build(self._mean, self._std, tau)
                elif metric == "euclidean":
                    held = EuclideanScan.build(points)
                else:
                    held = ManhattanScan(points)
                likelihoods = [key for key in self._scans if key[0] == "likelihood"]
                if method == "likelihood" and len(likelihoods) >= TAUS_KEPT:
                    del self._scans[likelihoods[0]]
            self._scans[asked] = held  # last: the most recently used
            return held

    def _search(
        self,
        codes: NDArray[np.float32],
        k: int,
        asked: tuple[str, str, float],
        scope: Scope,
        size: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows and scores, `(b, k)` each, among the places in scope."""
        scan = self._scan(asked if asked[0] == "likelihood" else (*asked[:2], 0.0))
        found = np.empty((len(codes), k), np.intp)
        scores = np.empty((len(codes), k))
        step = max(LEAST_CODES, CHUNK_CELLS // size)
        for first in range(0, len(codes), step):
            part = codes[first : first + step]
            bounds = scan.bounds(part, scope)
            for i, code in enumerate(part):
                best = self._exact(code, k, asked, scope, scan, None if bounds is None else bounds[i], size)
                found[first + i], scores[first + i] = best
        return found, scores

    def _exact(
        self,
        code: NDArray[np.float32],
        k: int,
        asked: tuple[str, str, float],
        scope: Scope,
        scan: Scan,
        bounds: NDArray[np.float32] | None,
        size: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k best by float64 score. Whatever was not scored has a bound below the worst of them."""
        if bounds is None:  # nothing is known of the scores: score all
            return self._best(code, k, asked, _places(scope, np.arange(size)))
        candidates, reached = highest(bounds, k + SPARE)
        rows, scores = self._best(code, k, asked, _places(scope, candidates))
        worst = float(scores[-1])
        needed = scan.bound(worst if asked[0] == "likelihood" else -worst, code)
        threshold = np.nextafter(np.float32(needed), np.float32(-np.inf))
        if threshold > reached:
            return rows, scores
        return self._best(code, k, asked, _places(scope, np.flatnonzero(bounds >= threshold)))

    def _best(
        self, code: NDArray[np.float32], k: int, asked: tuple[str, str, float], places: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k best of some places, scored in float64; ties in the order of the rows."""
        scores = self._scores(code, asked, places)
        sign = -1.0 if asked[0] == "likelihood" else 1.0
        rows = self._order[places]
        order = np.lexsort((rows, sign * scores))[:k]
        return rows[order], scores[order]

    def _scores(
        self, code: NDArray[np.float32], asked: tuple[str, str, float], places: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """The scores of some places for a code, in float64."""
        method, metric, tau = asked
        if method == "likelihood":
            return log_likelihood(code, self._mean[places], self._std[places], tau)
        return distance(code, (self._mean if method == "mean" else self._code)[places], metric)


def distance(code: NDArray[np.float32], points: NDArray[np.float32], metric: str) -> NDArray[np.float64]:
    """The distance of a code `(n,)` to points `(N, n)`, float64 `(N,)`; metric "euclidean" or "manhattan"."""
    gaps = points.astype(np.float64) - code
    if metric == "euclidean":
        return np.sqrt(np.square(gaps).sum(axis=1))
    return np.abs(gaps).sum(axis=1)


def _places(scope: Scope, candidates: NDArray[np.intp]) -> NDArray[np.intp]:
    return candidates + scope.start if isinstance(scope, slice) else scope[candidates]


def _check_parts(count: int, parts: Sequence[NDArray[np.float32]], groups: NDArray[np.intp]) -> None:
    remedy = "Encode the shop again with `modiste encode`."
    shape = parts[0].shape
    if len(shape) != 2 or shape[0] != count or any(part.shape != shape for part in parts):
        raise SchemaError(
            f"{count} products do not go with encodings of shape {[part.shape for part in parts]}.",
            remedy=remedy,
        )
    if not all(np.isfinite(part).all() for part in parts) or (parts[1] <= 0).any():
        raise SchemaError("An encoding is not finite, or a std is not above 0.", remedy=remedy)
    if groups.shape != (count,) or groups.min(initial=0) < 0:
        raise SchemaError(f"The clusters {groups.shape} are not one per product.", remedy=remedy)
