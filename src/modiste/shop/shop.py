"""Shop: the one object that the command line, the HTTP API and notebooks ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.catalogue.cutout import CutOut, cut_out
from modiste.catalogue.photo import check_photo, fit_photo
from modiste.errors import BadCode, BadOption, ShopError, UnknownCategory
from modiste.latent.layout import NEIGHBOURS, between
from modiste.latent.posterior import Posterior, check_code, fixed_epsilon_code
from modiste.shop import closeness
from modiste.shop.closeness import Typicality
from modiste.shop.filters import Facet, Where
from modiste.shop.finding import Finder, Question
from modiste.shop.opened import Opened
from modiste.shop.ways import WAYS, Ways, read_method

Method = Literal["likelihood", "fixed-epsilon", "mean"]
Metric = Literal["euclidean", "manhattan"]
Scope = Literal["cluster", "catalogue"]
Group = Literal["cluster", "category"]
TAUS_KEPT = 16
SCOPES: tuple[str, ...] = ("cluster", "catalogue")
GROUPS: tuple[str, ...] = ("cluster", "category")


class Shop(Opened):
    """A shop on disk, open for questions.

    `n` is the number of latents, `(H, W)` the frame, `N` the number of products. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

    @cached_property
    def _rungs(self) -> dict[float, list[float]]:
        """What was measured by tau, see `closeness`."""
        return {}

    def _tau(self, asked: float | None) -> float:
        return self.tau if asked is None else asked

    @cached_property
    def _finder(self) -> Finder:
        ways = Ways(self.index, self.clusters, self.assignments, self.encodings.mean, self.encodings.code)
        return Finder(self.catalogue, self.index, self.clusters, self.assignments, ways, self.jpeg)

    def encode(self, photo: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> Posterior:
        """What the encoder says of a photo, uint8 `(h, w, 3)` of any size, or of a batch of them.

        Returns:
            Posterior with `mean`, `std` and fixed-epsilon `code`, float32 `(n,)` each; of a batch (a sequence, or
            one array `(b, h, w, 3)`), `(b, n)` each.

        Raises:
            PhotoError: a photo has another shape or type.
        """
        one = isinstance(photo, np.ndarray) and photo.ndim == 3
        photos = [cast("NDArray[np.uint8]", photo)] if one else list(photo)
        fitted = np.empty((len(photos), *self.model.frame, 3), np.uint8)
        for row, each in enumerate(photos):
            pixels = np.asarray(each)
            check_photo(pixels)
            fitted[row] = fit_photo(pixels, self.model.frame)
        mean, std = self.engine.encode(fitted)
        if one:
            mean, std = mean[0], std[0]
        return Posterior(mean, std, fixed_epsilon_code(mean, std, np.asarray(self.model.epsilon, np.float32)))

    def decode(self, code: ArrayLike) -> NDArray[np.uint8]:
        """The product that a code draws, uint8 `(H, W, 3)`; of a batch, `(b, H, W, 3)`. Raises BadCode."""
        checked = check_code(code, self.model.latent)
        drawn = self.engine.decode(np.atleast_2d(checked))
        return drawn[0] if checked.ndim == 1 else drawn

    def random_design(self, seed: int | None = None) -> NDArray[np.float32]:
        """A new design, `(n,)`: a draw from the posterior of a product drawn at random. The same for a seed."""
        random = np.random.default_rng(seed)
        row = int(random.integers(len(self.catalogue)))
        noise = random.standard_normal(self.model.latent).astype(np.float32)
        return self.encodings.mean[row] + self.encodings.std[row] * noise

    def cluster_of(self, code: ArrayLike) -> Any:
        """The cluster of a code, an int; of a batch, `(b,)`. Raises BadCode."""
        checked = check_code(code, self.model.latent)
        found = np.asarray(self.clusters.assign(np.atleast_2d(checked)), np.intp)
        return int(found[0]) if checked.ndim == 1 else found

    def similar(
        self,
        code: ArrayLike,
        k: int = 10,
        method: Method = "likelihood",
        scope: Scope = "cluster",
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        exclude: Collection[str] = (),
        where: Where | None = None,
        approximate: bool = False,
    ) -> list[Any]:
        """The `k` products nearest to a code, best first.

        Args:
            code: `(n,)`, or a batch `(b, n)`.
            k: how many; fewer come where the cluster, or the filter, has fewer.
            method: "likelihood" ranks by log q(code | product) (the paper's Eq. 2); "fixed-epsilon" and "mean" by the
                distance to the products' fixed-epsilon codes or means.
            scope: "cluster" looks only in the code's own cluster, "catalogue" everywhere.
            metric: of the distance, "euclidean" or "manhattan"; the likelihood has none.
            tau: how uncertain the code itself is, for the likelihood: each σ² becomes σ² + tau². None is the shop's.
            exclude: ids to leave out, such as the product that the code came from.
            where: only products that this filter lets through, see `matching`.
            approximate: ask the graph that `modiste index --graph` made, which may miss some of the nearest: for
                likelihoods over the whole catalogue, without a filter, at the shop's own tau.

        Returns:
            Matches, a list of Match; for a batch, a list of `b` of them.

        Raises:
            BadCode: wrong length, or not finite.
            BadCount: k below 1 or over the number of products.
            BadOption: an unknown method, metric, scope or attribute, or a negative tau, or a question that
                no graph answers.
            ShopIncomplete: there is no graph that fits.
        """
        codes = check_code(code, self.model.latent)
        asked = Question(k, method, metric, self._tau(tau), frozenset(exclude))
        asked.check(len(self.catalogue))
        if scope not in SCOPES:
            raise BadOption(f"No scope {scope!r}.", remedy=f"Choose one of {', '.join(SCOPES)}.")
        if approximate:
            if (method, scope, asked.tau) != ("likelihood", "catalogue", self.tau) or where:
                raise BadOption(
                    "Approximate answers are only for likelihoods over the whole catalogue, at the shop's tau.",
                    remedy='Give the method "likelihood", the scope "catalogue" and no filter; or search exactly.',
                )
            found = [self._finder.approximately(each, asked, self.graph) for each in np.atleast_2d(codes)]
            return found[0] if codes.ndim == 1 else found
        mask = None if not where else self.matching(where)
        batch = np.atleast_2d(codes)
        own = (
            np.asarray(self.clusters.assign(batch), np.intp).tolist()
            if scope == "cluster"
            else [None] * len(batch)
        )
        answers = [self._finder.nearest(each, asked, own[row], mask) for row, each in enumerate(batch)]
        return answers[0] if codes.ndim == 1 else answers

    def recommend(
        self,
        code: ArrayLike,
        k: int = 3,
        method: str = WAYS[0],
        *,
        metric: Metric = "euclidean",
        tau: float | None = None,
        where: Where | None = None,
        by: Group = "cluster",
        exclude: Collection[str] = (),
    ) -> list[Any]:
        """What goes with a code: for each other cluster j, its `k` products nearest to where the code would lie there.

        i is the code's own cluster. With the way "transport", the code is carried by the optimal-transport map from
        the one cluster's Gaussian to the other's, z ↦ c_j + A (z − c_i), and products that lie near everyone's designs
        step back. With "shift", it is moved by centre_j − centre_i, the paper's Eq. 3 (which prints the difference the
        other way round).

        Args:
            method: a way, "transport" or "shift"; or how nearness is measured, as in `similar`; or both, as
                "shift:mean". What is not named is "transport" and "likelihood".
            by: with "category" there is one entry for each category but the one that most products of cluster i
                have, with that category's products only, from the clusters where it is in the majority.
            code, k, metric, tau, where, exclude: as in `similar`, which raises the same errors.

        Returns:
            Recommendations, a list of Recommendation in the order of the clusters, or of the categories, largest
            first; for a batch, a list of `b` of them.
        """
        codes = check_code(code, self.model.latent)
        way, nearness = read_method(method)
        asked = Question(k, nearness, metric, self._tau(tau), frozenset(exclude))
        asked.check(len(self.catalogue))
        if by not in GROUPS:
            raise BadOption(f"No by {by!r}.", remedy=f"Choose one of {', '.join(GROUPS)}.")
        mask = None if not where else self.matching(where)
        answer = self._finder.by_category if by == "category" else self._finder.by_cluster
        answers = [
            answer(each, int(self.cluster_of(each)), asked, way, mask) for each in np.atleast_2d(codes)
        ]
        return answers[0] if codes.ndim == 1 else answers

    def matching(self, where: Where) -> NDArray[np.bool_]:
        """Which products a filter lets through, `(N,)`.

        Args:
            where: by attribute, or "category": a list of values, one of which fits; {"min": …, "max": …}, either of
                them, for numbers; or {"not": [values]}. All attributes must fit. A product that lacks an attribute
                fits only a "not". Filters combine: {"any": [filters]}, {"all": [filters]}, {"not": filter}.

        Raises:
            BadOption: an attribute that no product has, or a value of another kind.
        """
        return self.catalogue.columns.matching(where)

    def title(self, row: int) -> str:
        """What to call the product in a row: its name or title where it has one, else its id."""
        return self.catalogue.title(row)

    @cached_property
    def facets(self) -> list[Facet]:
        """The attributes fit to filter by, category first; colours with swatches once the map is made."""
        try:
            swatches = self.map.swatches
        except ShopError:
            swatches = dict[str, dict[str, str]]()
        return self.catalogue.columns.facets(swatches)

    @property
    def category_of_cluster(self) -> list[str]:
        """The category that most products of each cluster have; "" for a cluster without any."""
        return list(self._finder.category_of_cluster)

    def category_average(self, category: str) -> NDArray[np.float32]:
        """The mean code of a category's products, `(n,)`. Raises UnknownCategory."""
        rows = [row for row, name in enumerate(self.catalogue.categories) if name == category]
        if not rows:
            raise UnknownCategory(
                f"The shop has no category {category!r}.",
                remedy=f"Choose one of {', '.join(list(self.catalogue.counts())[:20])}.",
            )
        return self.encodings.code[rows].mean(axis=0, dtype=np.float64).astype(np.float32)

    def closeness(
        self, method: Method, score: float, metric: Metric = "euclidean", *, tau: float | None = None
    ) -> str:
        """A match's score in words, by how near the catalogue's own products lie to each other.

        Args:
            method, metric, tau: as the question was asked.

        Returns:
            "almost the same", "very close", "close", "related" or "distant".

        Raises:
            BadOption: an unknown method or metric, or a negative tau.
            ShopIncomplete, StaleError, SchemaError: there is no map that fits.
        """
        tau = self._tau(tau)
        Question(1, method, metric, tau).check(len(self.catalogue))
        rungs = self.map.thresholds[closeness.key(method, metric)]
        if tau > 0 and method == "likelihood":  # another scale
            rungs = self._rungs_of(tau)
        return closeness.word_of(score, rungs, higher_is_nearer=method == "likelihood")

    def _rungs_of(self, tau: float) -> list[float]:
        held = self._rungs.get(tau)
        if held is None:
            code = self.encodings.code
            rows = np.linspace(0, len(code) - 1, min(len(code), 100)).astype(np.intp)
            held = closeness.thresholds(self.index, code, rows, "likelihood", "euclidean", tau)
            if len(self._rungs) >= TAUS_KEPT:
                self._rungs.clear()
            self._rungs[tau] = held
        return held

    def typicality(self, code: ArrayLike) -> Typicality:
        """How far a code `(n,)` is from anything that the shop has. Raises BadCode, and what `map` raises."""
        rows, gaps = self._neighbours(code, 1)
        share, word = closeness.typicality_of(float(gaps[0]), self.map.loneliness)
        return Typicality(share, word, self.catalogue.ids[int(rows[0])])

    def position_of(self, code: ArrayLike) -> tuple[float, float]:
        """Where a code `(n,)` lies on the map, from 0 to 1: between the products nearest to it.

        Raises BadCode, and what `map` raises.
        """
        rows, gaps = self._neighbours(code, NEIGHBOURS)
        x, y = between(self.map.positions[rows], gaps).tolist()
        return x, y

    def cut_out(self, photo: NDArray[np.uint8]) -> CutOut:
        """A photo, uint8 `(h, w, 3)`, without its background, placed as the shop places its products.

        Where the background is not plain enough to tell, the photo is only fitted to the frame. Raises PhotoError, and
        what `map` raises.
        """
        return cut_out(photo, self.frame, self.map.background, self.map.extent)

    def _neighbours(self, code: ArrayLike, k: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        checked = check_code(code, self.model.latent)
        if checked.ndim != 1:
            raise BadCode(f"One code is needed, not {len(checked)}.", remedy="Give codes one by one.")
        return self.index.nearest(checked, min(k, len(self.catalogue)), "fixed-epsilon")
