"""Check of a schema version on disk."""

from __future__ import annotations

from typing import Any

from modiste.errors import SchemaError


def check_schema_version(version: Any, newest: int, source: str) -> int:
    """Return `version` if it is an integer from 1 to `newest`; `source` names the file in messages.

    Raises SchemaError if the version is newer, or not a version.
    """
    if type(version) is not int or version < 1:
        raise SchemaError(
            f"{source} has schema {version!r}; this Modiste reads 1 to {newest}.",
            remedy="Restore it from a copy, or build the shop again in another directory.",
        )
    if version > newest:
        raise SchemaError(
            f"{source} has schema {version}; this Modiste reads up to {newest}.",
            remedy="Use the version of Modiste that wrote it, or a newer one.",
        )
    return version
