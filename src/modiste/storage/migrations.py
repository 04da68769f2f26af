"""Shops of older versions: each step takes what `shop.json` says from one schema to the next.

A step changes what is read, never the disk. An older shop therefore also opens where nothing may be written, and the
Modiste that wrote it can read it until a stage of a newer one has written to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from modiste.errors import SchemaError
from modiste.storage.schema_version import check_schema_version

Migration = Callable[[dict[str, Any]], dict[str, Any]]

# STEPS[n] takes schema n to n + 1. There is one for every schema that was ever released but the newest.
MIGRATIONS: dict[int, Migration] = {}
SCHEMA_VERSION = 1 + len(MIGRATIONS)


def migrate(raw: Any, where: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> dict[str, Any]:
    """What the newest schema says instead of `raw`, which is left as it is.

    Raises:
        SchemaError: `raw`, read from `where`, is of a newer schema than this Modiste knows, or of none.
    """
    if not isinstance(raw, dict):
        raise SchemaError(
            f"{where} is damaged: it holds {type(raw).__name__}, not an object.",
            remedy="Restore it from a copy, or build the shop again in another directory.",
        )
    said = dict(cast("dict[str, Any]", raw))
    schema = check_schema_version(said.get("schema"), 1 + len(migrations), where)
    for older in range(schema, 1 + len(migrations)):
        said = migrations[older](said) | {"schema": older + 1}
    return said
