"""Where a question starts from: a product, a photo, a code or a random design; exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modiste.errors import BadCode, BadOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modiste.shop.shop import Shop

Product = Annotated[str | None, typer.Option(metavar="ID", help="Start from this product.")]
Photo = Annotated[Path | None, typer.Option(metavar="FILE", help="Start from a photo: JPEG, PNG or WebP.")]
Code = Annotated[str | None, typer.Option(metavar='"z1,…"', help="Start from a code: numbers with commas.")]
Random = Annotated[bool, typer.Option("--random", help="Start from a random design.")]
RandomSeed = Annotated[int | None, typer.Option(metavar="S", help="Of --random: the same design each time.")]


@dataclass(frozen=True)
class QuerySource:
    """The start as given on the command line; `check` before the shop is opened, `code` once it is."""

    product: str | None
    photo: Path | None
    code_text: str | None
    random: bool
    seed: int | None

    def validate(self) -> None:
        """Raise BadOption unless exactly one start was given."""
        given = {
            "--product": self.product is not None,
            "--photo": self.photo is not None,
            "--code": self.code_text is not None,
            "--random": self.random,
        }
        names = [name for name, there in given.items() if there]
        if len(names) != 1:
            raise BadOption(
                f"{' and '.join(names)} were given." if names else "No start was given.",
                remedy=f"Give exactly one of {', '.join(given)}.",
            )
        if self.seed is not None and not self.random:
            raise BadOption("--seed goes with --random only.", remedy="Leave it out, or add --random.")
        if self.seed is not None and self.seed < 0:
            raise BadOption(f"--seed is {self.seed}.", remedy="Give 0 or more.")

    @property
    def caption(self) -> str:
        """What the start is called under its picture."""
        if self.product is not None:
            return self.product
        if self.photo is not None:
            return self.photo.name
        if self.random:
            return "random design" if self.seed is None else f"random design {self.seed}"
        return "design"

    def code(self, shop: Shop) -> NDArray[np.float32]:
        """The code to ask with, `(n,)`. Raises UnknownProduct, PhotoError, BadCode."""
        if self.product is not None:
            return shop.code_of(self.product)
        if self.photo is not None:
            return shop.encode(_read_photo(self.photo)).code
        if self.code_text is not None:
            return _parse_code(self.code_text)
        return shop.random_design(self.seed)

    def picture(self, shop: Shop, code: NDArray[np.float32]) -> NDArray[np.uint8]:
        """What to show of the start: the product's or the given photo, else the design that the code draws."""
        if self.product is not None:
            return shop.photo(self.product)
        if self.photo is not None:
            return _fit_photo(_read_photo(self.photo), shop.frame)
        return shop.decode(code)

    @property
    def excluded_ids(self) -> tuple[str, ...]:
        """The product that the question is about is not an answer to it."""
        return () if self.product is None else (self.product,)


def _parse_code(text: str) -> NDArray[np.float32]:
    import numpy as np

    try:
        return np.array([float(part) for part in text.split(",")], np.float32)
    except ValueError:
        raise BadCode(f"The code {text[:80]!r} is not numbers.", remedy='Write it as "0.1,-0.7,…".') from None


def _read_photo(path: Path) -> NDArray[np.uint8]:
    from modiste.images.photo import read_photo

    return read_photo(path)


def _fit_photo(photo: NDArray[np.uint8], frame: tuple[int, int]) -> Any:
    from modiste.images.photo import fit_photo

    return fit_photo(photo, frame)
