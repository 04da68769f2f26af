"""Shop: the one object that the command line, the HTTP API and notebooks ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.catalogue.cutout import CutOut, cut_out
from modiste.catalogue.photo import check_photo, fit_photo
from modiste.errors import ShopError, UnknownCategory
from modiste.latent.posterior import Posterior, check_code, fixed_epsilon_code
from modiste.shop.counsel import PROBES, Counsel, Probes
from modiste.shop.crowds import Crowds
from modiste.shop.filters import Facet, Where
from modiste.shop.finding import Finder
from modiste.shop.indexing import hash_of, hash_of_file, made_from
from modiste.shop.looking import Elsewhere, Hit, Look, Shelf
from modiste.shop.opened import Opened
from modiste.shop.tally import Tally
from modiste.shop.ways import Spread, Ways

CODE_REACH = (
    2.0  # a code may lie in so many times the range of sliders and products: beyond is nothing to draw
)


class Shop(Opened, Counsel):
    """A shop on disk, open for questions.

    `n` is the number of latents, `(H, W)` the frame, `N` the number of products. A *code* is one `(n,)` or a batch
    `(b, n)`; a batch gets a list of answers.
    """

    elsewhere: Elsewhere | None = None
    """What looks for products first, such as shards on other machines."""

    @property
    def latent(self) -> int:
        """The number of latents."""
        return self.model.latent

    @property
    def count(self) -> int:
        """The number of products."""
        return len(self.catalogue)

    @cached_property
    def tally(self) -> Tally:
        """How many products of each category each cluster has."""
        return Tally.of(self.assignments, self.catalogue.categories, len(self.clusters))

    @cached_property
    def spread(self) -> Spread:
        """How the products lie, as far as recommending must know."""
        held = self.encodings
        return Spread.of(self.assignments, held.mean, held.code, len(self.clusters))

    @property
    def positions(self) -> NDArray[np.float32]:
        """Where each product lies on the map, `(N, 2)` from 0 to 1. Raises what `map` raises."""
        return self.map.positions

    @property
    def thresholds(self) -> dict[str, list[float]]:
        """How near is near, see `closeness`. Raises what `map` raises."""
        return self.map.thresholds

    @property
    def loneliness(self) -> list[float]:
        """How far products are from their nearest other, see `closeness`. Raises what `map` raises."""
        return self.map.loneliness

    @cached_property
    def probes(self) -> Probes:
        """Products, evenly taken from all, by which it is measured how near is near at another tau."""
        code = self.encodings.code
        rows = np.linspace(0, len(code) - 1, min(len(code), PROBES)).astype(np.intp)
        return Probes(tuple(self.catalogue.ids[row] for row in rows), code[rows])

    @cached_property
    def version(self) -> str:
        """Names the model, the products with all their words, clusters and sliders. Another of these is another."""
        model_id = self.model.model_id
        made = made_from(self.files, self.manifest, self.store, model_id)
        return hash_of(made, self._stamped, hash_of_file(self.files.sliders(model_id)))[:16]

    @cached_property
    def reach(self) -> NDArray[np.float32]:
        """The least and the greatest value that each latent of a code may have, float32 `(n, 2)`."""
        held, ranges = self.encodings.code, self.sliders.ranges
        low = np.minimum(ranges[:, 0], held.min(axis=0))
        high = np.maximum(ranges[:, 1], held.max(axis=0))
        middle, half = (low + high) / 2, (high - low) / 2 + 1e-3
        span = np.stack([middle - CODE_REACH * half, middle + CODE_REACH * half], axis=1)
        return span.astype(np.float32)

    @cached_property
    def ways(self) -> Ways:
        """What moves codes between clusters."""
        return Ways(self.clusters, lambda: self.spread)

    @cached_property
    def shelf(self) -> Shelf:
        """All products, to look among."""
        crowds = Crowds(self.index, self.assignments, self.ways)
        return Shelf(self.catalogue, self.index, self.assignments, crowds, lambda: self.positions)

    @cached_property
    def finder(self) -> Finder:
        """What finds products."""
        return Finder(self.clusters, self.tally, self.ways, self.look, self.jpeg)

    def look(self, looks: Sequence[Look]) -> list[list[Hit]]:
        """For each look its hits, best first."""
        found = None if self.elsewhere is None else self.elsewhere(looks)
        return self.shelf.look(looks) if found is None else found

    def check_where(self, where: Where) -> None:
        """Raise BadOption where a filter asks for what there is not."""
        self.catalogue.columns.check(where)

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

    def category_average(self, category: str) -> NDArray[np.float32]:
        """The mean code of a category's products, `(n,)`. Raises UnknownCategory."""
        rows = [row for row, name in enumerate(self.catalogue.categories) if name == category]
        if not rows:
            raise UnknownCategory(
                f"The shop has no category {category!r}.",
                remedy=f"Choose one of {', '.join(list(self.catalogue.counts())[:20])}.",
            )
        return self.encodings.code[rows].mean(axis=0, dtype=np.float64).astype(np.float32)

    def cut_out(self, photo: NDArray[np.uint8]) -> CutOut:
        """A photo, uint8 `(h, w, 3)`, without its background, placed as the shop places its products.

        Where the background is not plain enough to tell, the photo is only fitted to the frame. Raises PhotoError, and
        what `map` raises.
        """
        return cut_out(photo, self.frame, self.map.background, self.map.extent)
