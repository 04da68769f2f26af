"""Schema of `sliders.json`, which may be edited by hand and is therefore validated on reading."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import SchemaError

SCHEMA_VERSION = 1
IDLE_KL_NATS = 0.05  # a latent with less has no visible effect
FLOAT32_MAX = float(np.finfo(np.float32).max)
REMEDY = "Correct the file, or rebuild it with `modiste sliders --shop DIR`."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LatentSlider:
    """Slider of one latent.

    `low` and `high` describe its ends; `effects` are by measurement, in standard deviations from end to end (hue in
    degrees); `kl` is in nats.
    """

    latent: int
    low: str
    high: str
    minimum: float
    maximum: float
    kl: float
    effects: dict[str, float]

    @property
    def name(self) -> str:
        """Both ends: "darker ↔ lighter"."""
        return f"{self.low} ↔ {self.high}"

    @property
    def is_idle(self) -> bool:
        """Whether it has no visible effect, and belongs under "more"."""
        return self.kl < IDLE_KL_NATS


@dataclass(frozen=True, slots=True)
class AttributeSlider:
    """Slider along one direction, a unit vector `(n,)`: `attribute` grows, or becomes the word `value`.

    `minimum` and `maximum` bound code · direction; all latents together explain `share` of the attribute's variance.
    """

    attribute: str
    value: str | None
    direction: tuple[float, ...]
    minimum: float
    maximum: float
    share: float

    @property
    def name(self) -> str:
        """The attribute, with its value: "base_colour: red"."""
        return self.attribute if self.value is None else f"{self.attribute}: {self.value}"


@dataclass(frozen=True)
class Sliders:
    """All sliders of a model: one per latent, in display order, and those by attribute.

    `ranges_id` is the hash of the ranges that were first measured for this model; empty where that is unknown.
    """

    model_id: str
    latents: tuple[LatentSlider, ...]
    attributes: tuple[AttributeSlider, ...] = ()
    ranges_id: str = ""

    @property
    def ranges(self) -> NDArray[np.float32]:
        """Minimum and maximum of each latent, float32 `(n, 2)`, by latent number."""
        ordered = sorted(self.latents, key=lambda each: each.latent)
        return np.array([(each.minimum, each.maximum) for each in ordered], np.float32)

    @property
    def render_id(self) -> str:
        """Id of model and ranges together, within which a design is one byte per latent.

        It is the model's id while the ranges are those first measured for it. Once they change, their hash is appended,
        so that the same id and bytes always draw the same picture.
        """
        now = hash_ranges(self.ranges)
        return self.model_id if now == self.ranges_id else f"{self.model_id}-{now}"

    def to_dict(self) -> dict[str, Any]:
        """Return the sliders as JSON."""
        return {"schema": SCHEMA_VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, raw: Any) -> Sliders:
        """Read what `to_dict` wrote. Raises SchemaError if an entry is missing or wrong; the message names it."""
        entries = _parse_object(raw, "the sliders")
        if entries.get("schema") != SCHEMA_VERSION:
            raise SchemaError(
                f"The sliders have schema {entries.get('schema')!r}; this Modiste reads {SCHEMA_VERSION}.",
                remedy=REMEDY,
            )
        latents = _parse_entries(entries, "latents", _parse_latent)
        n = len(latents)
        if sorted(each.latent for each in latents) != list(range(n)) or not n:
            raise SchemaError(f"The {n} latents are not 0 to {n - 1}, each once.", remedy=REMEDY)
        attributes = _parse_entries(entries, "attributes", _parse_attribute)
        for each in attributes:
            length = math.sqrt(sum(x * x for x in each.direction))
            if len(each.direction) != n or abs(length - 1.0) > 1e-3:
                raise SchemaError(
                    f"The direction of {each.name!r} has {len(each.direction)} numbers and the length {length:.3g}; "
                    f"it must have {n} and the length 1.",
                    remedy=REMEDY,
                )
        original_id = entries.get("ranges_id", "")
        if not isinstance(original_id, str):
            raise SchemaError(f"ranges_id must be text, not {original_id!r}.", remedy=REMEDY)
        return cls(_parse_text(entries, "model_id", "the sliders"), latents, attributes, original_id)


def hash_ranges(ranges: ArrayLike) -> str:
    """Return eight hexadecimal digits that identify the ranges `(n, 2)`, as float32."""
    return hashlib.sha256(np.ascontiguousarray(ranges, "<f4").tobytes()).hexdigest()[:8]


def _parse_entries(raw: dict[str, Any], key: str, parse: Callable[[dict[str, Any], str], T]) -> tuple[T, ...]:
    entries: Any = raw.get(key)
    if not isinstance(entries, list):
        raise SchemaError(f"{key} must be a list.", remedy=REMEDY)
    return tuple(parse(_parse_object(each, f"{key}[{i}]"), f"{key}[{i}]") for i, each in enumerate(entries))


def _parse_latent(raw: dict[str, Any], where: str) -> LatentSlider:
    latent = raw.get("latent")
    if type(latent) is not int:
        raise SchemaError(f"{where}: latent must be a whole number, not {latent!r}.", remedy=REMEDY)
    effects = _parse_object(raw.get("effects"), f"{where}: effects")
    return LatentSlider(
        latent,
        _parse_text(raw, "low", where),
        _parse_text(raw, "high", where),
        *_parse_range(raw, where),
        _parse_number(raw, "kl", where),
        {name: _parse_number(effects, name, f"{where}: effects") for name in effects},
    )


def _parse_attribute(raw: dict[str, Any], where: str) -> AttributeSlider:
    direction: Any = raw.get("direction")
    if not isinstance(direction, (list, tuple)):
        raise SchemaError(f"{where}: direction must be a list of numbers.", remedy=REMEDY)
    numbers = {str(i): each for i, each in enumerate(cast("list[Any]", direction))}
    return AttributeSlider(
        _parse_text(raw, "attribute", where),
        None if raw.get("value") is None else _parse_text(raw, "value", where),
        tuple(_parse_number(numbers, i, f"{where}: direction") for i in numbers),
        *_parse_range(raw, where),
        _parse_number(raw, "share", where),
    )


def _parse_object(raw: Any, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise SchemaError(f"{where} must be an object, not {type(raw).__name__}.", remedy=REMEDY)
    return cast("dict[str, Any]", raw)


def _parse_text(raw: dict[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise SchemaError(f"{where}: {key} must be text, not {value!r}.", remedy=REMEDY)
    return value


def _parse_number(raw: dict[str, Any], key: str, where: str) -> float:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= FLOAT32_MAX:
        raise SchemaError(f"{where}: {key} must be a finite number, not {value!r}.", remedy=REMEDY)
    return float(value)


def _parse_range(raw: dict[str, Any], where: str) -> tuple[float, float]:
    bottom, top = _parse_number(raw, "minimum", where), _parse_number(raw, "maximum", where)
    if bottom > top:
        raise SchemaError(f"{where}: minimum {bottom:g} is above maximum {top:g}.", remedy=REMEDY)
    return bottom, top
