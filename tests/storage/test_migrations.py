"""Older schemas are migrated when they are read; newer ones are rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modiste.errors import SchemaError
from modiste.storage.manifest import Manifest
from modiste.storage.migrations import MIGRATIONS, SCHEMA_VERSION, migrate


def rename_field(raw: dict[str, Any]) -> dict[str, Any]:
    return {"shown" if name == "seen" else name: value for name, value in raw.items()}


def add_count(raw: dict[str, Any]) -> dict[str, Any]:
    return raw | {"count": len(raw["shown"])}


@pytest.mark.parametrize(
    "raw", [{"schema": 1, "seen": "abc"}, {"schema": 2, "shown": "abc"}, {"schema": 3, "shown": "abc", "count": 3}]
)
def test_every_older_schema_migrates_to_the_newest(raw: dict[str, Any]) -> None:
    before = dict(raw)
    assert migrate(raw, "shop.json", {1: rename_field, 2: add_count}) == {"schema": 3, "shown": "abc", "count": 3}
    assert raw == before


@pytest.mark.parametrize("schema", [4, 99])
def test_newer_schema_is_rejected_naming_both_versions(schema: int) -> None:
    with pytest.raises(SchemaError, match=rf"shop.json has schema {schema}; .* up to 3.*newer"):
        migrate({"schema": schema}, "shop.json", {1: rename_field, 2: add_count})


@pytest.mark.parametrize("raw", [{}, {"schema": 0}, {"schema": True}, {"schema": "1"}, {"schema": 1.0}, [], None])
def test_missing_schema_is_rejected(raw: Any) -> None:
    with pytest.raises(SchemaError):
        migrate(raw, "shop.json")


def test_every_schema_has_a_migration() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_saved_manifest_has_the_newest_schema(tmp_path: Path) -> None:
    Manifest((64, 48)).save(tmp_path)
    assert Manifest.load(tmp_path).schema == SCHEMA_VERSION
