"""shop.json: the schema version, the frame, and the inputs of every stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

from modiste.choices import Background
from modiste.errors import BadOption, SchemaError, ShopIncomplete, ShopNotFound
from modiste.latent.likelihood import check_tau
from modiste.storage.json_files import read_json, with_checksum, write_json
from modiste.storage.migrations import SCHEMA_VERSION, migrate
from modiste.storage.paths import ShopPaths

BACKGROUNDS: tuple[Background, ...] = get_args(Background)


@dataclass(frozen=True)
class Manifest:
    """The content of shop.json.

    `frame` is (height, width) in pixels. `catalogue` has hash, count and categories as of the last ingest; `model` is
    the id of the current model; `training` has its settings; `encodings` and `clusters` name the model and catalogue
    that they were made from; `search` has the shop's `tau`. Each of these is empty or None until its stage has run.
    """

    frame: tuple[int, int]
    background: str = "any"
    catalogue: dict[str, Any] = field(default_factory=dict[str, Any])
    model: str | None = None
    training: dict[str, Any] = field(default_factory=dict[str, Any])
    encodings: dict[str, Any] = field(default_factory=dict[str, Any])
    clusters: dict[str, Any] = field(default_factory=dict[str, Any])
    search: dict[str, Any] = field(default_factory=dict[str, Any])
    schema: int = SCHEMA_VERSION

    @property
    def tau(self) -> float:
        """The default uncertainty of designs in queries: the paper's 0 unless set."""
        return float(self.search.get("tau", 0.0))

    def save(self, root: Path) -> None:
        """Replace the manifest of the shop at `root`, atomically. Raises StorageError."""
        write_json(ShopPaths(root).manifest, with_checksum(asdict(self)))

    def with_changes(self, **changes: Any) -> Manifest:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @classmethod
    def load(cls, root: Path) -> Manifest:
        """Read the manifest of the shop at `root`.

        Raises:
            ShopNotFound: there is no shop.
            ShopIncomplete: its first ingest was interrupted.
            SchemaError: it is damaged, or written by a newer version of Modiste.
        """
        paths = ShopPaths(root)
        try:
            raw: Any = read_json(paths.manifest)
        except (FileNotFoundError, NotADirectoryError):
            if paths.store.is_dir():
                raise ShopIncomplete(
                    f"The shop at {root} has no shop.json: its first ingest did not end.",
                    remedy=f"Run `modiste ingest SOURCE --shop {root}` again; it continues where it stopped.",
                ) from None
            raise ShopNotFound(
                f"There is no shop at {root}.", remedy=f"Make one with `modiste build SOURCE --shop {paths.location}`."
            ) from None
        except (OSError, ValueError) as error:
            raise SchemaError(
                f"{paths.manifest} cannot be read: {error}.",
                remedy="Restore it from a copy, or build the shop again in another directory.",
            ) from None
        return cls.from_dict(raw, source=str(paths.manifest))

    @classmethod
    def from_dict(cls, raw: Any, *, source: str = "shop.json") -> Manifest:
        """Validate parsed JSON of this schema or an older one; `source` names it in messages. Raises SchemaError."""
        raw = migrate(raw, source)
        checks: dict[str, Callable[[Any], bool]] = {
            "frame": _is_frame,
            "background": lambda value: value in BACKGROUNDS,
            "model": lambda value: value is None or isinstance(value, str),
            **dict.fromkeys(("catalogue", "training", "encodings", "clusters"), _is_object),
        }
        for name, is_valid in checks.items():
            if not is_valid(raw.get(name)):
                raise SchemaError(
                    f"{source} is damaged: {name} is {raw.get(name)!r}.",
                    remedy="Restore it from a copy, or build the shop again in another directory.",
                )
        values = {name: raw.get(name) for name in checks}
        values["search"] = _parse_search(raw.get("search", {}), source)
        values["frame"] = tuple(values["frame"])
        return cls(**values)


def _is_frame(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _parse_search(value: Any, source: str) -> dict[str, Any]:
    """Validate the search settings; shops of early versions have none. Raises SchemaError."""
    tau: Any = value.get("tau", 0.0) if isinstance(value, dict) else None
    try:
        if isinstance(tau, bool) or not isinstance(tau, (int, float)):
            raise BadOption(f"tau is {tau!r}.")
        check_tau(tau)
    except BadOption:
        raise SchemaError(
            f"{source} is damaged: search is {value!r}.",
            remedy="Restore it from a copy, or remove `search` from it and run `modiste index --shop DIR`.",
        ) from None
    return dict(cast("dict[str, Any]", value))
