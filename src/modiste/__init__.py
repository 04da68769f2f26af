"""Modiste: sliders that draw a product, the products like it, and what goes with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modiste._version import __version__
from modiste.errors import ModisteError

if TYPE_CHECKING:
    from modiste.images.photo import read_photo as read_photo
    from modiste.latent.fixed_epsilon import Posterior as Posterior
    from modiste.pipeline.build import build as build
    from modiste.shop.results import Match as Match
    from modiste.shop.results import Recommendation as Recommendation
    from modiste.shop.shop import Shop as Shop

# Where each public name lives. They are imported when first used, so that `import modiste` stays quick.
_HOMES = {
    "Match": "modiste.shop.results",
    "Posterior": "modiste.latent.fixed_epsilon",
    "Recommendation": "modiste.shop.results",
    "Shop": "modiste.shop.shop",
    "build": "modiste.pipeline.build",
    "read_photo": "modiste.images.photo",
}

__all__ = ["Match", "ModisteError", "Posterior", "Recommendation", "Shop", "__version__", "build", "read_photo"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'modiste' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
