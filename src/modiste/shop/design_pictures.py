"""Pictures of designs, with the details of an exemplar: a product, or a photo."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.images.photo import fit_photo
from modiste.latent.fixed_epsilon import Posterior

if TYPE_CHECKING:  # the kernels load Numba, which only drawing needs
    from modiste.drawing.details import Exemplar

CACHED_EXEMPLARS = 64  # some 250 kB each at 240 x 180
CANDIDATES = 10  # nearest products, of which the one whose drawing is closest to the design's is the exemplar
AUTO = "auto"

Photo = NDArray[np.uint8]
Codes = NDArray[np.float32]


class PictureSource(Protocol):
    """What pictures of designs are made from: an open shop."""

    def photo(self, product_id: str) -> Photo:
        """Return the photo of a product, uint8 `(H, W, 3)`."""
        ...

    def code_of(self, product_id: str) -> Codes:
        """Return the fixed-epsilon code of a product, `(n,)`."""
        ...

    def encode(self, photo: Photo) -> Posterior:
        """Encode a photo."""
        ...

    def decode(self, code: ArrayLike) -> Photo:
        """Draw a code `(n,)` with the decoder alone, uint8 `(H, W, 3)`."""
        ...


class DesignPictures:
    """Draws the designs of a shop; recent exemplars are cached."""

    def __init__(self, source: PictureSource, nearest: Callable[[Codes, int], list[str]]) -> None:
        """Create it; `nearest` returns the ids of that many products, those nearest to a code `(n,)`."""
        self._source = source
        self._nearest = nearest
        self._exemplar_of_product = lru_cache(CACHED_EXEMPLARS)(self._load_exemplar)

    def draw(self, code: Codes, exemplar: str | Photo | None = AUTO) -> Photo:
        """Draw one code, `(n,)`: uint8 `(H, W, 3)`; see Shop.draw."""
        drawing = self._source.decode(code)
        if exemplar is None:
            return drawing
        from modiste.drawing.details import add_details

        if not isinstance(exemplar, str):
            return add_details(drawing, self._prepare(exemplar, self._source.encode(exemplar).code))
        product_id = self._choose_exemplar(code, drawing) if exemplar == AUTO else exemplar
        return add_details(drawing, self._exemplar_of_product(product_id))

    def resolve(self, code: Codes, exemplar: str | None) -> str | None:
        """Return the product that "auto" means for a code `(n,)`; another exemplar unchanged."""
        return self._choose_exemplar(code, self._source.decode(code)) if exemplar == AUTO else exemplar

    def blend(self, code: Codes, exemplars: tuple[str | None, str | None], share: float) -> Photo:
        """Draw a code between two designs, `share` of the way, with the details of both exemplars mixed in proportion.

        Returns:
            uint8 `(H, W, 3)`.
        """
        if exemplars[0] == exemplars[1] or share in (0.0, 1.0):
            return self.draw(code, exemplars[round(share)])
        first, second = (self.draw(code, each).astype(np.float32) for each in exemplars)
        return np.rint((1.0 - share) * first + share * second).astype(np.uint8)

    def _choose_exemplar(self, code: Codes, drawing: Photo) -> str:
        """Return the id of the best exemplar for a code `(n,)` and its drawing, uint8 `(H, W, 3)`."""
        from modiste.drawing.details import drawing_distance, shrink_drawing

        ids, small = self._nearest(code, CANDIDATES), shrink_drawing(drawing)
        distances = [drawing_distance(small, self._exemplar_of_product(each).drawing) for each in ids]
        return ids[int(np.argmin(distances))]

    def _load_exemplar(self, product_id: str) -> Exemplar:
        return self._prepare(self._source.photo(product_id), self._source.code_of(product_id))

    def _prepare(self, photo: Photo, code: Codes) -> Exemplar:
        from modiste.drawing.details import Exemplar

        drawing = self._source.decode(code)
        height, width = drawing.shape[:2]
        return Exemplar.of(fit_photo(photo, (height, width)), drawing)
