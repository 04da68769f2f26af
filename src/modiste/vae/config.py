"""Schema of `config.json`: everything about a saved model except its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from modiste.errors import SchemaError, ShopIncomplete, permission_denied

SCHEMA_VERSION = 1
FLOAT32_MAX = 3.4e38  # numbers are converted to float32 later
NETWORK_FILES = ("encoder.onnx", "decoder.onnx")


@dataclass(frozen=True)
class ModelConfig:
    """Description and origin of a model.

    `frame` is (height, width) in pixels; `epsilon` is the (latent,) draw behind every fixed-epsilon code, drawn once
    per model; `kl_per_latent` is in nats, averaged over the catalogue; `validation_ids` were never trained on; `files`
    has the SHA-256 of the NETWORK_FILES, and is empty for older models.
    """

    model_id: str
    preset: str
    frame: tuple[int, int]
    latent: int
    epsilon: tuple[float, ...]
    background: tuple[int, int, int] = (255, 255, 255)
    catalogue_hash: str = ""
    network: dict[str, Any] = field(default_factory=dict[str, Any])
    training: dict[str, Any] = field(default_factory=dict[str, Any])
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    kl_per_latent: tuple[float, ...] = ()
    validation_ids: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict[str, str])
    schema: int = SCHEMA_VERSION

    def save(self, directory: Path) -> Path:
        """Write `config.json` into `directory` and return its path."""
        path = directory / "config.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, directory: Path) -> ModelConfig:
        """Read `config.json` from `directory`.

        Raises ShopIncomplete if the file is missing, SchemaError if it is damaged, or written by another version of
        Modiste and StorageError if there is no permission to read it.
        """
        path = directory / "config.json"
        remedy = "Train it again with `modiste train`."
        try:
            raw: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ShopIncomplete(f"No model at {directory}: config.json is missing.", remedy=remedy) from None
        except PermissionError:
            raise permission_denied(path) from None
        except (OSError, ValueError, RecursionError) as error:
            raise SchemaError(f"{path} cannot be read: {error}.", remedy=remedy) from None
        return cls.from_dict(raw, where=str(path))

    @classmethod
    def from_dict(cls, raw: Any, *, where: str = "config.json") -> ModelConfig:
        """Validate `raw`; messages name `where` it came from. Raises SchemaError if an entry is missing or wrong."""
        remedy = "Train the model again with `modiste train`."
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA_VERSION:
            schema = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
            raise SchemaError(f"{where} has schema {schema!r}; this Modiste reads {SCHEMA_VERSION}.", remedy=remedy)
        names = {f.name for f in fields(cls)}
        values: dict[str, Any] = {key: value for key, value in raw.items() if key in names}
        for name, value in values.items():
            if not _VALIDATORS[name](value):
                raise SchemaError(f"{where} is damaged: {name} is {str(value)[:80]!r}.", remedy=remedy)
            if isinstance(value, list):
                values[name] = tuple(cast("list[Any]", value))
        try:
            config = cls(**values)
        except TypeError as error:
            raise SchemaError(f"{where} is damaged: {error}.", remedy=remedy) from None
        if len(config.epsilon) != config.latent:
            raise SchemaError(
                f"{where} is damaged: latent {config.latent}, {len(config.epsilon)} epsilon values.", remedy=remedy
            )
        return config


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= FLOAT32_MAX


def _is_list_of(is_valid: Callable[[Any], bool], count: int | None = None) -> Callable[[Any], bool]:
    """Return a check for a list of valid values, of length `count` if given."""

    def check(value: Any) -> bool:
        if not isinstance(value, list):
            return False
        values = cast("list[Any]", value)
        return (count is None or len(values) == count) and all(map(is_valid, values))

    return check


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_VALIDATORS: dict[str, Callable[[Any], bool]] = {
    "model_id": _is_text,
    "preset": _is_text,
    "frame": _is_list_of(_is_count, 2),
    "latent": _is_count,
    "epsilon": _is_list_of(_is_number),
    "background": _is_list_of(lambda value: type(value) is int and 0 <= value <= 255, 3),
    "catalogue_hash": _is_text,
    **dict.fromkeys(("network", "training", "metrics"), lambda value: isinstance(value, dict)),
    "kl_per_latent": _is_list_of(_is_number),
    "validation_ids": _is_list_of(_is_text),
    "files": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "schema": lambda value: value == SCHEMA_VERSION,
}


def new_model_id(*parts: object) -> str:
    """Return a short id, twelve hexadecimal digits, that depends on every one of `parts`."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
