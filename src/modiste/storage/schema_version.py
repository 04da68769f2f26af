"""The version of what is on disk, against the newest that this Modiste reads."""

from __future__ import annotations

from typing import Any

from modiste.errors import SchemaError


def check_schema_version(found: Any, newest: int, where: str) -> int:
    """`found`, where it is a version from 1 to `newest`.

    Raises:
        SchemaError: it is a newer one, naming both; or it is none.
    """
    if type(found) is not int or found < 1:
        raise SchemaError(
            f"{where} has schema {found!r}; this Modiste reads 1 to {newest}.",
            remedy="Restore it from a copy, or build the shop again in another directory.",
        )
    if found > newest:
        raise SchemaError(
            f"{where} has schema {found}; this Modiste reads up to {newest}.",
            remedy="Use the Modiste that wrote it, or a newer one.",
        )
    return found
