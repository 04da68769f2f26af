"""`config.json`: everything about a saved model that is not weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from modiste.errors import SchemaError, ShopIncomplete

SCHEMA = 1
NETWORKS = ("encoder.onnx", "decoder.onnx")


@dataclass(frozen=True)
class ModelConfig:
    """What a model is and what it was made from.

    `frame` is (height, width) in pixels; `epsilon` is the (latent,) draw behind every fixed-epsilon code, made
    once per model; `kl_per_latent` is in nats, averaged over the catalogue; `validation_ids` were never trained on;
    `files` has the SHA-256 of the NETWORKS, and is empty where a model is older than that.
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
    schema: int = SCHEMA

    def save(self, directory: Path) -> Path:
        """Write `config.json` into `directory` and return its path."""
        path = directory / "config.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, directory: Path) -> ModelConfig:
        """Read `config.json` from `directory`.

        Raises:
            ShopIncomplete: there is no such file.
            SchemaError: it is damaged, or written by another version of Modiste.
        """
        path = directory / "config.json"
        remedy = "Train it again with `modiste train`."
        try:
            raw: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ShopIncomplete(f"No model at {directory}: config.json is missing.", remedy=remedy) from None
        except (OSError, ValueError) as error:
            raise SchemaError(f"{path} cannot be read: {error}.", remedy=remedy) from None
        return cls.from_dict(raw, where=str(path))

    @classmethod
    def from_dict(cls, raw: Any, *, where: str = "config.json") -> ModelConfig:
        """The configuration in `raw`, checked. Raises SchemaError, naming `where` it came from."""
        remedy = "Train the model again with `modiste train`."
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
            raise SchemaError(f"{where} has schema {found!r}; this Modiste reads {SCHEMA}.", remedy=remedy)
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {key: value for key, value in raw.items() if key in known}
        try:
            for name in ("frame", "epsilon", "background", "kl_per_latent", "validation_ids"):
                if name in values:
                    values[name] = tuple(values[name])
            config = cls(**values)
            height, width = config.frame
            sound = height > 0 and width > 0 and config.latent > 0 and len(config.epsilon) == config.latent
        except (TypeError, ValueError) as error:
            raise SchemaError(f"{where} is damaged: {error}.", remedy=remedy) from None
        if not sound:
            raise SchemaError(
                f"{where} is damaged: frame {config.frame}, latent {config.latent}, "
                f"{len(config.epsilon)} epsilon values.",
                remedy=remedy,
            )
        return config


def new_model_id(*parts: object) -> str:
    """A short id, twelve hexadecimal digits, that depends on every one of `parts`."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
