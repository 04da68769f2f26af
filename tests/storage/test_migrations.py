"""Shops of older schemas are read as of the newest; newer ones are refused, naming both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modiste.errors import SchemaError
from modiste.storage.manifest import Manifest
from modiste.storage.migrations import MIGRATIONS, SCHEMA_VERSION, migrate


def renamed(raw: dict[str, Any]) -> dict[str, Any]:
    return {"shown" if name == "seen" else name: value for name, value in raw.items()}


def counted(raw: dict[str, Any]) -> dict[str, Any]:
    return raw | {"count": len(raw["shown"])}


@pytest.mark.parametrize(
    "raw",
    [{"schema": 1, "seen": "abc"}, {"schema": 2, "shown": "abc"}, {"schema": 3, "shown": "abc", "count": 3}],
)
def test_every_older_schema_arrives_at_the_newest(raw: dict[str, Any]) -> None:
    before = dict(raw)
    assert migrate(raw, "shop.json", {1: renamed, 2: counted}) == {"schema": 3, "shown": "abc", "count": 3}
    assert raw == before


@pytest.mark.parametrize("schema", [4, 99])
def test_a_newer_one_is_refused_naming_both(schema: int) -> None:
    with pytest.raises(SchemaError, match=rf"shop.json has schema {schema}; .* up to 3.*newer"):
        migrate({"schema": schema}, "shop.json", {1: renamed, 2: counted})


@pytest.mark.parametrize(
    "raw", [{}, {"schema": 0}, {"schema": True}, {"schema": "1"}, {"schema": 1.0}, [], None]
)
def test_no_schema_at_all(raw: Any) -> None:
    with pytest.raises(SchemaError):
        migrate(raw, "shop.json")


def test_there_is_a_step_from_every_schema() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_what_is_saved_has_the_newest(tmp_path: Path) -> None:
    Manifest((64, 48)).save(tmp_path)
    assert Manifest.load(tmp_path).schema == SCHEMA_VERSION
