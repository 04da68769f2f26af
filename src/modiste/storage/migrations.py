"""Upgrades of shop.json from one schema version to the next.

A migration changes what was read, never the disk. So an older shop also opens in a read-only directory, and the version
of Modiste that wrote it can read it until a stage of a newer version writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from modiste.errors import SchemaError
from modiste.storage.schema_version import check_schema_version

Migration = Callable[[dict[str, Any]], dict[str, Any]]

# MIGRATIONS[n] converts schema n to n + 1. There is one for every released schema but the newest.
MIGRATIONS: dict[int, Migration] = {}
SCHEMA_VERSION = 1 + len(MIGRATIONS)


def migrate(raw: Any, source: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> dict[str, Any]:
    """Return parsed JSON converted to the newest schema; `raw` is not changed.

    Raises SchemaError if `raw`, read from `source`, has a newer schema than this version of Modiste supports, or none.
    """
    if not isinstance(raw, dict):
        raise SchemaError(
            f"{source} is damaged: it holds {type(raw).__name__}, not an object.",
            remedy="Restore it from a copy, or build the shop again in another directory.",
        )
    value = dict(cast("dict[str, Any]", raw))
    schema = check_schema_version(value.get("schema"), 1 + len(migrations), source)
    for older in range(schema, 1 + len(migrations)):
        value = migrations[older](value) | {"schema": older + 1}
    return value
