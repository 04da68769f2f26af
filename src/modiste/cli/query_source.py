"""The start of a query: a product, a photo, a code or a random design."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from modiste.errors import BadCode, BadOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modiste.shop.shop import Shop


@dataclass(frozen=True)
class QuerySource:
    """The start of a query, as given on the command line."""

    product: Annotated[str | None, Option(metavar="ID", help="Start from this product.")] = None
    photo_file: Annotated[
        Path | None, Option("--photo", metavar="FILE", help="Start from a JPEG, PNG or WebP file.")
    ] = None
    code_text: Annotated[
        str | None, Option("--code", metavar='"z1,…"', help="Start from a code: numbers separated by commas.")
    ] = None
    is_random: Annotated[bool, Option("--random", help="Start from a random design.")] = False
    seed: Annotated[int | None, Option(metavar="S", help="Seed of --random, to repeat a design.")] = None

    def __post_init__(self) -> None:
        """Raise BadOption unless there is exactly one start."""
        values = {
            "--product": self.product,
            "--photo": self.photo_file,
            "--code": self.code_text,
            "--random": self.is_random or None,
        }
        names = [name for name, value in values.items() if value is not None]
        if len(names) != 1:
            raise BadOption(
                f"{' and '.join(names)} cannot be combined." if names else "The query needs something to start from.",
                remedy=f"Give exactly one of {', '.join(values)}.",
            )
        if self.seed is not None and not self.is_random:
            raise BadOption("`--seed` needs `--random`.", remedy="Remove it, or add --random.")
        if self.seed is not None and self.seed < 0:
            raise BadOption(f"`--seed` is {self.seed}.", remedy="Give 0 or more.")

    @property
    def caption(self) -> str:
        """The caption of its picture."""
        if self.product is not None:
            return self.product
        if self.photo_file is not None:
            return self.photo_file.name
        if self.is_random:
            return "random design" if self.seed is None else f"random design {self.seed}"
        return "design"

    @property
    def excluded_ids(self) -> tuple[str, ...]:
        """The ids that the results exclude: the product itself."""
        return () if self.product is None else (self.product,)

    @property
    def is_drawn(self) -> bool:
        """Whether its picture is drawn: it starts neither from a product nor from a photo."""
        return self.product is None and self.photo_file is None

    @cached_property
    def photo(self) -> NDArray[np.uint8] | None:
        """The photo in `photo_file`, uint8 `(h, w, 3)`. Raises PhotoError."""
        from modiste.images.photo import read_photo

        return None if self.photo_file is None else read_photo(self.photo_file)

    def code(self, shop: Shop) -> NDArray[np.float32]:
        """Return the code of the query, `(n,)`. Raises UnknownProduct, PhotoError, BadCode."""
        if self.product is not None:
            return shop.code_of(self.product)
        if self.photo is not None:
            return shop.encode(self.photo).code
        if self.code_text is not None:
            return _parse_code(self.code_text)
        return shop.random_design(self.seed)

    def picture(self, shop: Shop, code: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the picture of the start: the photo if it has one, else the design that the code draws."""
        if self.product is not None:
            return shop.photo(self.product)
        if self.photo is not None:
            from modiste.images.photo import fit_photo

            return fit_photo(self.photo, shop.frame)
        return shop.draw(code)


def _parse_code(text: str) -> NDArray[np.float32]:
    import numpy as np

    try:
        return np.array([float(part) for part in text.split(",")], np.float32)
    except ValueError:
        raise BadCode(f"The code {text[:80]!r} is not numbers.", remedy='Write it as "0.1,-0.7,…".') from None
